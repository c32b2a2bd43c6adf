#pragma once
// Foreign tables to records by a mapping, which is data (plugins/*/imports/*.json):
//
//   {"format": "csv", "files": [{"file", "kind", "id", "only", "fields": {NAME: SOURCE}}, ...]}
//
// A mapping of one file may be that entry itself. `id` is a template over columns
// ("att-{date}-{student}"), so that importing twice gives the same ids; what an id cannot hold
// becomes "_". `only` {"column": [values]} takes the rows with one of these values, `with` [column]
// those where these columns are not empty. `keep` ["ext_"] puts columns that begin so into the
// field `extensions`, as they are. A SOURCE is
//   {"column": "a" or ["a", "b"]}   the first of these columns that the file has
//   {"template": "{date}T{time}"}   text with columns in it; an empty column leaves its place
//                                   empty, and punctuation at the end is cut off
//   {"const": value}
// with, beside a column or a template,
//   "map" {text: value}   upper and lower case alike; what it lacks is a bad row, or with
//                         "open": true a warning, and the text is taken as it is
//   "type"                text, boolean, integer, decimal, date, instant (without an offset: in
//                         the site's zone), list (parted by commas), first (of such a list),
//                         user_ids ("{STATE:7},{SIS:8}")
//   "refer"               "org-{}": the value is a foreign id of records with such ids
//   "default"             for an empty cell
//   "earliest"            {"file", "column"}: for an empty cell, the least value there
//   "once": true          for a new record only; what it holds later stays
// Empty cells are left out. Columns are found by name, upper and lower case alike, in any order; a
// row with status "tobedeleted" names a record that is to go.

#include "base/json.h"
#include "base/result.h"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace dutybook::formats {

struct MappedRecord {
    std::string id, kind;
    Json fields = Json::object();
    std::string file;
    std::uint64_t line = 0;
    std::map<std::string, std::string> columns;  // field -> column that it came from
    std::set<std::string> refers;                // fields that hold references
    std::set<std::string> once;                  // fields that only a new record takes
};

struct Reference {  // that a row makes, to be looked for
    std::string id, file, column;
    std::uint64_t line = 0;
};

struct Removal {
    std::string id, kind, file;
    std::uint64_t line = 0;
};

struct Mapped {
    std::vector<MappedRecord> records;
    std::vector<Reference> references;
    std::vector<Error> errors;      // bad rows, each with file, line and column; the rest is above
    std::vector<Error> warnings;    // values that a mapping does not know and lets pass
    std::vector<Removal> removals;  // rows marked "tobedeleted"
};

// Where a mapping reads: the text of a file by its name, nothing where it is absent.
using TextOf = std::function<const std::string*(const std::string& file)>;

struct MapContext {
    std::string zone;  // of instants without an offset
    TextOf text_of;    // for "earliest"; may be empty
};

// Checks the mapping's shape; Code::Malformed with a pointer.
Result<Json> read_mapping(std::string_view text);
// One table by one entry of the mapping's "files".
void map_table(const Json& entry, const std::string& file, std::string_view csv,
               const MapContext& context, Mapped& out);
// What an id may hold; everything else becomes "_".
std::string as_id(std::string_view text);
// A bad row: what is wrong, with file, line and column.
Error bad_row(const std::string& file, std::uint64_t line, const std::string& column,
              const std::string& what);

}  // namespace dutybook::formats
