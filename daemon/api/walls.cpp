#include "api/walls.h"

#include "api/call.h"

namespace dutybook::api {

namespace {

constexpr const char* answer_kind = "core.finding_answer";

const char* masked_text(const std::string& language) {
    return language.starts_with("es")
               ? "Se refiere a un registro que usted no puede ver; pregunte a quien sí puede."
               : "It concerns a record that you may not see; ask somebody who may.";
}

}  // namespace

Result<bool> Walls::hides(const Subject& subject) {
    TRY_ASSIGN(const bool behind_wall, walled(space_, subject, reference_depth));
    return behind_wall ? Result<bool>(true) : closed(subject);
}

Result<bool> Walls::hides(const std::string& reference) {
    TRY_ASSIGN(const Known known, look_at(space_, reference, reference_depth));
    return known.walled || known.closed;
}

Result<bool> Walls::closed(const Subject& subject) {
    // The reason that somebody gave tells of what was found.
    if (subject.kind == answer_kind) {
        for (const Json& each : value_of(subject.fields, "records")) {
            if (!each.is_string()) continue;
            TRY_ASSIGN(const Known known, look_at(space_, each.get<std::string>(), 0));
            if (known.closed && subject.by != reader_.person) return true;
        }
    }
    const auto* const traits = services_.book->kinds().find(subject.kind);
    const bool plain =
        traits != nullptr && traits->privacy == "ordinary" && subject.kind != filed_kind;
    if (plain || hold_ == Hold::WallsAlone) return false;
    if (!reading_) {
        TRY_ASSIGN(reading_, reading_of(services_, space_, reader_));
    }
    return !reading_->opens(traits, subject.fields, subject.by);
}

Result<bool> Walls::walled(core::SpaceService& in, const Subject& subject, int depth) {
    const auto& kinds = services_.book->kinds();
    const auto* const traits = kinds.find(subject.kind);
    if (traits == nullptr) return false;
    bool wall = false, named = false;
    for (const auto& [name, field] : traits->fields) {
        if (!field.access) continue;
        const Json value = value_of(subject.fields, name);
        wall = wall || (value.is_array() && !value.empty());
        named = named || names(value, reader_.person);
    }
    if (wall && !named) return true;
    if (wall) opened_.insert(subject.reference);
    if (depth == 0) return false;
    for (const auto& [name, field] : traits->fields) {
        if (!field.about && field.refers.empty()) continue;
        const auto* const target = field.about ? nullptr : kinds.find(field.refers);
        const bool leads = field.about || (target != nullptr && target->privacy == "privileged");
        if (!leads) continue;
        TRY_ASSIGN(const bool one, one_walled(in, value_of(subject.fields, name), depth - 1));
        if (one) return true;
    }
    return false;
}

Result<bool> Walls::one_walled(core::SpaceService& in, const Json& value, int depth) {
    if (value.is_string()) {
        TRY_ASSIGN(const Known known, look_at(in, value.get<std::string>(), depth));
        return known.walled;
    }
    if (!value.is_structured()) return false;
    for (const Json& each : value) {
        TRY_ASSIGN(const bool one, one_walled(in, each, depth));
        if (one) return true;
    }
    return false;
}

Result<Walls::Known> Walls::look_at(core::SpaceService& in, const std::string& reference,
                                    int depth) {
    const std::string id = without_space(reference);
    if (!domain::valid_record_id(id)) return Known{};
    core::SpaceService* const holder =
        id.size() == reference.size()
            ? &in
            : services_.book->space(reference.substr(0, reference.size() - id.size() - 1));
    if (holder == nullptr) return Known{};
    Known& known = known_[holder->facts().name + "/" + id];
    if (known.walled || known.depth >= depth) return known;
    known.depth = depth;
    TRY_ASSIGN(const auto target, holder->reader().get(id));
    if (!target) return known;
    const auto& state = target->state;
    const Subject subject{reference, state.kind, state.fields, state.created.by};
    TRY_ASSIGN(known.closed, closed(subject));
    TRY_ASSIGN(known.walled, walled(*holder, subject, depth));
    return known;
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

std::optional<core::Change> change_for(const Services& services, const core::Change& change,
                                       const Reader& reader) {
    if (change.type != "record" && change.type != "conflict" && change.type != "finding") {
        return change;
    }
    core::SpaceService* const space = services.book->space(change.space);
    if (space == nullptr) return std::nullopt;
    Walls walls(services, *space, reader);
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
