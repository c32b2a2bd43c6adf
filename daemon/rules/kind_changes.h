#pragma once
// What an update does to the kinds of a plugin. Stored records were valid by the schema before, and
// sites that are apart may run either version. A change that a record's fields show (another type,
// a value that is not taken any more, a field that is required now or is gone) takes a migration:
// the kind's version raised and `migrates` in the manifest. One that they do not show never passes:
// how a field merges, for the operations of sites that are apart say it; what it refers to, for one
// id looks like another. Bounds that are merely narrower are a warning (Code::Conflict): they hold
// for what is written from then on, and what stands already never blocks an edit. Pure.

#include "rules/plugin_package.h"

#include <vector>

namespace dutybook::rules {

struct KindChange {
    enum class Sort : std::uint8_t {
        Narrower,  // told, and blocks nothing
        Shown,     // takes a migration
        Gone,      // a field left the schema: told, unless it is migrated
        Never,     // no migration can be sound
    };
    Sort sort = Sort::Narrower;
    std::string what, pointer;
};
// Where the next schema may refuse what the one before took: pointers into the next one. What
// cannot be compared (anyOf, not, ...) is taken to be as it was.
std::vector<KindChange> narrowed(const Json& before, const Json& next);

// Of the kinds that both have, but for what a migration deals with. Errors name file, line and
// pointer.
std::vector<Error> breaking_changes(const PluginPackage& before, const PluginPackage& next);

}  // namespace dutybook::rules
