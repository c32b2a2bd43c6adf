// Where a write meets the rules and the parent space.

#include "core/completion.h"
#include "core/write_group.h"

namespace dutybook::core {

namespace {

std::map<std::string, std::string> texts_of(const Json& fields) {
    std::map<std::string, std::string> out;
    for (const auto& [field, value] : fields.items()) {
        if (!value.is_null()) out[field] = canonical(value);
    }
    return out;
}

}  // namespace

Result<void> WriteGroup::complete(const std::string& id, const std::string& kind, Json& fields,
                                  const WriteRequest& request) {
    if (!rules_on()) return {};
    rules::RuleRecord record;
    record.id = id;
    record.kind = kind;
    record.space = facts_.name;
    record.fields = texts_of(fields);
    record.by = request.caller.by;
    record.on_behalf = request.caller.on_behalf;
    record.device = request.caller.device;
    record.source = request.caller.source;
    record.zone = facts_.zone;
    record.created_at = record.changed_at = now_;
    source_.looking_for_all();
    const auto completion = parts_.evaluator->complete(record, source_);
    if (!completion.unavailable.empty()) incomplete_.insert(id);
    fill_in(fields, completion, kind, *parts_.kinds);
    return {};
}

Result<void> WriteGroup::resolve_references(Json& fields, const domain::KindTraits& traits) {
    if (!has_parent()) return {};
    for (auto& [field, value] : fields.items()) {
        const auto found = traits.fields.find(field);
        if (found == traits.fields.end() || found->second.refers.empty()) continue;
        if (!value.is_array() && !value.is_object()) TRY(resolve_reference(value));
        if (value.is_object() && value.contains("$add") && value["$add"].is_array()) {
            for (auto& element : value["$add"]) TRY(resolve_reference(element));
        }
        if (value.is_array()) {
            for (auto& element : value) TRY(resolve_reference(element));
        }
    }
    return {};
}

// An id that only the parent knows gets the parent's name; one that nobody knows stays.
Result<void> WriteGroup::resolve_reference(Json& value) {
    if (!value.is_string()) return {};
    const auto id = value.get<std::string>();
    if (id.find('/') != std::string::npos || touched_.count(id) != 0) return {};
    const auto known = in_parent_.find(id);
    if (known == in_parent_.end()) {
        TRY_ASSIGN(const auto own, parts_.index->reader().get(id));
        bool in_parent = false;
        const auto look = [&](store::IndexReader& parent) -> Result<void> {
            TRY_ASSIGN(const auto theirs, parent.get(id));
            in_parent = theirs.has_value();
            return {};
        };
        if (!own) TRY(parts_.read_parent(look));
        in_parent_[id] = in_parent;
    }
    if (in_parent_[id]) value = facts_.parent + "/" + id;
    return {};
}

}  // namespace dutybook::core
