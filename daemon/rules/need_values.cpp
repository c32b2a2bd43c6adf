#include "rules/need_values.h"

#include "domain/operation.h"

namespace dutybook::rules {

Reference reference_of(const std::string& text, const std::string& space) {
    const std::size_t slash = text.find('/');
    if (slash == std::string::npos) return {space, text};
    return {text.substr(0, slash), text.substr(slash + 1)};
}

bool is_reference(const NeedContext& context, const std::string& kind, const std::string& field) {
    if (context.kinds == nullptr) return false;
    const domain::KindTraits* traits = context.kinds->find(kind);
    if (traits == nullptr) return false;
    const auto found = traits->fields.find(field);
    return found != traits->fields.end() && !found->second.refers.empty();
}

std::vector<Written> written_reference(const Reference& reference, const std::string& home) {
    if (reference.space == home) return {{reference.id, home}};
    return {{reference.space + "/" + reference.id, home}, {reference.id, reference.space}};
}

std::vector<SpacedValue> values_of(const Path& path, const Bindings& bindings,
                                   const NeedContext& context) {
    std::vector<SpacedValue> found;
    if (path.of_configuration()) {
        for (Json& value : values_at(path, context.configuration)) {
            found.push_back({std::move(value), context.space});
        }
        return found;
    }
    const auto bound = bindings.find(path.name);
    if (bound == bindings.end()) return found;
    for (const RuleRecord& record : bound->second) {
        for (Json& value : values_at(path, record)) {
            found.push_back({std::move(value), record.space});
        }
    }
    return found;
}

}  // namespace dutybook::rules
