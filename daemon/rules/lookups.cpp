#include "rules/lookups.h"

#include "rules/manifest.h"

namespace dutybook::rules {
namespace {

void add_path(const NeedSet& set, const Path& path, Lookups& lookups) {
    if (path.of_configuration() || !path.whole_field()) return;
    if (path.name == set.subject) {
        for (const std::string& kind : set.kinds) lookups[kind].insert(path.members.front());
    } else if (const Need* earlier = set.find(path.name)) {
        lookups[earlier->kind].insert(path.members.front());
    }
}

}  // namespace

void add_lookups(const NeedSet& set, Lookups& lookups) {
    for (const Need& need : set.needs) {
        if (need.id) add_path(set, *need.id, lookups);
        for (const Condition& condition : need.where) {
            lookups[need.kind].insert(condition.field);
            if (const auto* path = std::get_if<Path>(&condition.value)) {
                add_path(set, *path, lookups);
            }
        }
    }
}

void add_lookups(const Manifest& manifest, Lookups& lookups) {
    for (const ManifestRule& rule : manifest.rules) add_lookups(rule.needs, lookups);
    for (const ManifestCompletion& one : manifest.completes) add_lookups(one.needs, lookups);
    for (const ManifestReport& report : manifest.reports) add_lookups(report.needs, lookups);
}

}  // namespace dutybook::rules
