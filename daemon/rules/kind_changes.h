#pragma once
// What an update does to the kinds of a plugin. Stored records were valid by the schema before. A
// field that means something else (its type, how it merges, what it refers to) makes another
// version of the kind, which its plugin must be able to show ("x-version", "migrates"). A schema
// that merely takes less is a warning (Code::Conflict): what stands already never blocks an edit.
// Pure.

#include "rules/plugin_package.h"

#include <vector>

namespace dutybook::rules {

// Where the next schema may refuse what the one before took: pointers into the next one. What
// cannot be compared (anyOf, not, ...) is taken to be as it was.
std::vector<Error> narrowed(const Json& before, const Json& next);

// Kinds of `next` that are narrower than in `before` without a version and a migration of their
// own. Errors name file, line and pointer.
std::vector<Error> breaking_changes(const PluginPackage& before, const PluginPackage& next);

}  // namespace dutybook::rules
