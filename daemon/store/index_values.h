#pragma once
// What of a record can be looked up: the order it is listed in, the values of its indexed fields,
// the words of its strings. Pure functions.

#include "domain/fold.h"
#include "domain/kind.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dutybook::store {

// Place in lists, newest first: milliseconds * 2, + 1 if it is a calendar date (its midnight in
// UTC). By the kind's effective field, else by the time of creation.
std::int64_t effective_key(const domain::RecordState& state, const domain::KindTraits* traits);
inline Millis millis_of_key(std::int64_t key) {
    return key >> 1;
}
inline bool is_date_key(std::int64_t key) {
    return (key & 1) != 0;
}
std::optional<Millis> millis_of_date(std::string_view date);  // "2026-05-04"

// What of a kind's schema the rows of the index depend on, as text: that of all its rows, and with
// the fields kept for lookup behind it.
std::string rows_fingerprint(const domain::KindTraits* traits);
std::string fingerprint(const domain::KindTraits* traits);
bool kept_for_lookup(const domain::FieldTraits& field);

// Elements of a canonical JSON array, as they stand in it; empty if it is no array.
std::vector<std::string_view> elements(std::string_view array);
// The keys under which a value is found: of each element if it is an array. Long values stand as
// a hash. Null has none.
std::vector<std::string> lookup_keys(std::string_view value);
std::string lookup_key(std::string_view value);
// Whether a field has the value, or is a set or array that contains it.
bool holds(const domain::RecordState& state, const std::string& field, std::string_view value);

// All strings in fields that are searched, one a line, then the kind's own word.
std::string search_text(const domain::RecordState& state, const domain::KindTraits* traits,
                        std::int64_t kind);
std::string kind_word(std::int64_t kind);

}  // namespace dutybook::store
