#include "api/walls.h"

#include <algorithm>

namespace dutybook::api {

namespace {

Json value_of(const Walls::Fields& fields, const std::string& field) {
    const auto found = fields.find(field);
    return found == fields.end() ? Json() : Json::parse(found->second, nullptr, false);
}

std::string without_space(const std::string& id) {
    const auto slash = id.find('/');
    return slash == std::string::npos ? id : id.substr(slash + 1);
}

bool names(const Json& value, const std::string& person) {
    if (value.is_string()) return without_space(value.get<std::string>()) == person;
    return value.is_array() && std::any_of(value.begin(), value.end(),
                                           [&](const Json& each) { return names(each, person); });
}

const char* masked_text(const std::string& language) {
    return language.starts_with("es")
               ? "Se refiere a un registro que usted no puede ver; pregunte a quien sí puede."
               : "It concerns a record that you may not see; ask somebody who may.";
}

}  // namespace

Result<bool> Walls::hides(core::SpaceService& in, const Subject& subject, int depth) {
    const auto* const traits = book_.kinds().find(subject.kind);
    if (traits == nullptr) return false;
    bool wall = false, named = false;
    for (const auto& [name, field] : traits->fields) {
        if (!field.access) continue;
        const Json value = value_of(subject.fields, name);
        wall = wall || (value.is_array() && !value.empty());
        named = named || names(value, reader_);
    }
    if (wall && !named) return true;
    if (wall) opened_.insert(subject.reference);
    if (depth == 0) return false;
    for (const auto& [name, field] : traits->fields) {
        const auto* const target = field.about ? nullptr : book_.kinds().find(field.refers);
        const bool leads = field.about || (target != nullptr && target->privacy == "privileged");
        if (!leads) continue;
        TRY_ASSIGN(const bool hidden, hides_one_in(in, value_of(subject.fields, name), depth - 1));
        if (hidden) return true;
    }
    return false;
}

Result<bool> Walls::hides_one_in(core::SpaceService& in, const Json& value, int depth) {
    if (value.is_string()) return hides_reference(in, value.get<std::string>(), depth);
    if (!value.is_structured()) return false;
    for (const Json& each : value) {
        TRY_ASSIGN(const bool hidden, hides_one_in(in, each, depth));
        if (hidden) return true;
    }
    return false;
}

Result<bool> Walls::hides_reference(core::SpaceService& in, const std::string& reference,
                                    int depth) {
    const std::string id = without_space(reference);
    if (!domain::valid_record_id(id)) return false;
    core::SpaceService* const holder =
        id.size() == reference.size()
            ? &in
            : book_.space(reference.substr(0, reference.size() - id.size() - 1));
    if (holder == nullptr) return false;
    Known& known = known_[holder->facts().name + "/" + id];
    if (known.hidden || known.depth >= depth) return known.hidden;
    known.depth = depth;
    TRY_ASSIGN(const auto target, holder->reader().get(id));
    if (!target) return false;
    const auto& state = target->state;
    TRY_ASSIGN(const bool hidden, hides(*holder, {reference, state.kind, state.fields}, depth));
    return known.hidden = hidden;
}

Result<bool> Walls::hides_some(const rules::Finding& finding) {
    for (const std::string& id : finding.records) {
        TRY_ASSIGN(const bool hidden, hides(id));
        if (hidden) return true;
    }
    return false;
}

Result<bool> Walls::hides_all(const rules::Finding& finding) {
    for (const std::string& id : finding.records) {
        TRY_ASSIGN(const bool hidden, hides(id));
        if (!hidden) return false;
    }
    return !finding.records.empty();
}

Result<void> Walls::mask(Json& findings, const std::string& language) {
    for (Json& finding : findings) {
        Json seen = Json::array();
        bool any = false;
        for (const Json& id : finding.value("records", Json::array())) {
            TRY_ASSIGN(const bool hidden, hides(id.get<std::string>()));
            any = any || hidden;
            if (!hidden) seen.push_back(id);
        }
        if (!any) continue;
        finding["records"] = std::move(seen);
        finding["message"] = masked_text(language);
        finding["steps"] = Json::array();
        finding.erase("values");
        finding.erase("code");
    }
    return {};
}

std::optional<core::Change> change_for(core::Book& book, const core::Change& change,
                                       const std::string& reader) {
    if (change.type != "record" && change.type != "conflict" && change.type != "finding") {
        return change;
    }
    core::SpaceService* const space = book.space(change.space);
    if (space == nullptr) return std::nullopt;
    Walls walls(book, *space, reader);
    const auto hidden = walls.hides(change.id);
    if (!hidden || *hidden) return std::nullopt;
    if (change.type != "finding") return change;
    core::Change seen = change;
    Json payload = Json::parse(change.text, nullptr, false);
    if (!payload.is_object() || !payload.contains("findings")) return change;
    if (!walls.mask(payload["findings"], "en")) return std::nullopt;
    seen.text = canonical(payload);
    return seen;
}

}  // namespace dutybook::api
