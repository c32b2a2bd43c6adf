#pragma once
// What an update does to the kinds of a plugin. Stored records were valid by the schema before, and
// sites that are apart may run either version, so a field never means something else (its type, how
// it merges, what it refers to): another meaning gets another name. A schema that merely takes less
// is a warning (Code::Conflict): what stands already never blocks an edit. Pure.

#include "rules/plugin_package.h"

#include <vector>

namespace dutybook::rules {

// Where the next schema may refuse what the one before took: pointers into the next one. What
// cannot be compared (anyOf, not, ...) is taken to be as it was.
std::vector<Error> narrowed(const Json& before, const Json& next);

// Of the kinds that both have. Errors name file, line and pointer.
std::vector<Error> breaking_changes(const PluginPackage& before, const PluginPackage& next);

}  // namespace dutybook::rules
