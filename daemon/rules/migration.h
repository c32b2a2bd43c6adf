#pragma once
// Records of an older shape, brought to the shape that their kind has now by the plugin's
// `migrate`.
//
// Operations carry no version of a schema, and the fields of one record may have been written under
// several: the plugin looks at the fields themselves. What it answers must depend on the record
// alone (sites that are apart write the same, which is no conflict), must fit the kind, and must be
// all: asked again about its own result it has nothing to do. The host holds it to all three.

#include "rules/kinds.h"
#include "rules/plugin_host.h"

#include <span>
#include <vector>

namespace dutybook::rules {

// Of each record the fields to set, null to clear one; an empty object where there is nothing to
// do. Code::Unavailable: the plugin is down. Any other error says why this record cannot be
// migrated.
std::vector<Result<Json>> migrations(const ActivePlugin& plugin, const Kinds& kinds,
                                     std::span<const RuleRecord> records);

}  // namespace dutybook::rules
