#pragma once
// Foreign tables to records by a mapping, which is data (plugins/*/imports/*.json):
//
//   {"format": "csv", "files": [{"file", "kind", "id", "fields": {NAME: SOURCE}}, ...]}
//
// `id` is a template over columns ("att-{date}-{student}"), so that importing twice gives the same
// ids; what an id cannot hold becomes "_". A SOURCE is
//   {"column": "a" or ["a", "b"]}   the first of these columns that the file has
//   {"const": value}
// with, beside a column, "map" {text: value}, "type" (text, boolean, integer, list), "refer"
// ("org-{}": the value is a foreign id of records with such ids) and "default"; "list": true is
// the type list.
// Empty cells are left out. Columns are found by name in any order; a row with status
// "tobedeleted" is counted and left out.

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
};

struct Reference {  // that a row makes, to be looked for
    std::string id, file, column;
    std::uint64_t line = 0;
};

struct Mapped {
    std::vector<MappedRecord> records;
    std::vector<Reference> references;
    std::vector<Error> errors;  // bad rows, each with file and line; the others are in `records`
    std::uint64_t deleted = 0;  // rows marked "tobedeleted"
};

// Checks the mapping's shape; Code::Malformed with a pointer.
Result<Json> read_mapping(std::string_view text);
// One table by one entry of the mapping's "files".
void map_table(const Json& entry, const std::string& file, std::string_view csv, Mapped& out);
// What an id may hold; everything else becomes "_".
std::string as_id(std::string_view text);

}  // namespace dutybook::formats
