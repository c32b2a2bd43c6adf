#pragma once
// The fields by which rules find records. The index keeps rows for them beside those that a schema
// marks, so that no declared need walks through all records of a kind.

#include "rules/needs.h"

#include <map>
#include <set>
#include <string>

namespace dutybook::rules {

struct Manifest;

using Lookups = std::map<std::string, std::set<std::string>>;  // kind -> fields

// Forward: the fields of `where`. Backward: the fields that paths begin with, in the records that
// they begin at, whether the kind has such a field or not (it is asked for all the same).
void add_lookups(const NeedSet& set, Lookups& lookups);
void add_lookups(const Manifest& manifest, Lookups& lookups);

}  // namespace dutybook::rules
