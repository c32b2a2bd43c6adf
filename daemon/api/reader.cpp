#include "api/reader.h"

#include "core/record_source.h"

#include <algorithm>

namespace dutybook::api {

namespace {

constexpr int reference_depth = 4;  // proof of service -> filing -> matter, and one to spare

Json value_of(const std::map<std::string, std::string>& fields, const std::string& field) {
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

}  // namespace

// --- walls ---

const Walls::Doors& Walls::doors_of(const std::string& kind) {
    const auto [at, is_new] = doors_.try_emplace(kind);
    const auto* const traits = is_new ? book_.kinds().find(kind) : nullptr;
    if (traits == nullptr || traits->privacy != "privileged") return at->second;
    for (const auto& [name, field] : traits->fields) {
        const auto* const target = book_.kinds().find(field.refers);
        if (target != nullptr && target->privacy == "privileged") {
            at->second.leads_to.push_back(name);
        }
    }
    const Json schema = book_.kinds().schema(kind);
    const Json properties = schema.value("properties", Json::object());
    for (const auto& [name, property] : properties.items()) {
        if (property.value("x-access", false)) at->second.access.push_back(name);
    }
    return at->second;
}

bool Walls::named_in(const domain::RecordState& state, const Doors& doors, bool& wall) const {
    bool named = false;
    for (const std::string& field : doors.access) {
        const Json value = value_of(state.fields, field);
        if (value.is_array() && !value.empty()) wall = true;
        named = named || names(value, reader_);
    }
    return named;
}

Result<bool> Walls::hides(const domain::RecordState& state) {
    return hides(state, reference_depth);
}

Result<bool> Walls::hides(const domain::RecordState& state, int depth) {
    const Doors& doors = doors_of(state.kind);
    bool wall = false;
    const bool named = named_in(state, doors, wall);
    if (wall) return !named;
    if (depth == 0) return false;
    for (const std::string& field : doors.leads_to) {
        const Json value = value_of(state.fields, field);
        const Json ids = value.is_array() ? value : Json::array({value});
        for (const Json& id : ids) {
            if (!id.is_string()) continue;
            const auto text = id.get<std::string>();
            const auto slash = text.find('/');
            core::SpaceService* const in =
                slash == std::string::npos ? &space_ : book_.space(text.substr(0, slash));
            if (in == nullptr) continue;
            TRY_ASSIGN(const auto target, in->reader().get(without_space(text)));
            if (!target) continue;
            TRY_ASSIGN(const bool hidden, hides(target->state, depth - 1));
            if (hidden) return true;
        }
    }
    return false;
}

// --- privacy classes ---

bool Reading::opens(std::string_view privacy) const {
    return !limited || privacy == "ordinary" || classes.count(std::string(privacy)) != 0;
}

Result<Reading> reading_of(const Call& call, core::SpaceEngine& engine) {
    Reading reading;
    reading.person = call.caller().by;
    if (reading.person.empty()) return reading;
    const std::string today =
        local_date(call.services.clock->now(), call.services.book->site().zone);
    core::IndexSource source(engine.facts(), engine.parts());
    const auto& facts = engine.facts();
    std::vector<std::string> ways{reading.person};  // that a reference to the person is written
    if (!facts.parent.empty()) ways.push_back(facts.parent + "/" + reading.person);
    for (const std::string& way : ways) {
        rules::NeedQuery query;
        query.kind = "core.role_assignment";
        query.where.emplace_back("person", canonical(Json(way)));
        TRY_ASSIGN(const auto found, source.find(query));
        for (const auto& record : found.records) {
            if (record.status == domain::Status::Retracted) continue;
            reading.limited = true;  // roles are kept, be they over
            const Json from = value_of(record.fields, "from"), to = value_of(record.fields, "to");
            if (from.is_string() && from.get<std::string>() > today) continue;
            if (to.is_string() && to.get<std::string>() < today) continue;
            const Json role = value_of(record.fields, "role");
            if (role.is_string()) reading.roles.insert(role.get<std::string>());
        }
    }
    if (!reading.limited) return reading;
    const Json opened = call.services.plugins->host()
                            .configuration(facts.name, "core")
                            .value("role_classes", Json::object());
    for (const std::string& role : reading.roles) {
        const Json classes = opened.value(role, Json::array());
        for (const Json& each : classes) {
            if (each.is_string()) reading.classes.insert(each.get<std::string>());
        }
    }
    return reading;
}

// --- what a report is given ---

Result<bool> ReaderSource::open(const rules::RuleRecord& record) {
    const auto* const traits = kinds_.find(record.kind);
    if (traits == nullptr) return !reading_.limited;
    if (traits->privacy == "ordinary") return true;
    if (traits->privacy == "privileged") {
        domain::RecordState state;
        state.id = record.id;
        state.kind = record.kind;
        state.fields = record.fields;
        TRY_ASSIGN(const bool hidden, walls_.hides(state));
        if (hidden) return false;
    }
    if (reading_.opens(traits->privacy)) return true;
    return traits->privacy == "hr" && names(value_of(record.fields, "person"), reading_.person);
}

Result<rules::NeedAnswer> ReaderSource::find(const rules::NeedQuery& query) {
    TRY_ASSIGN(auto answer, all_.find(query));
    std::vector<rules::RuleRecord> shown;
    shown.reserve(answer.records.size());
    for (auto& record : answer.records) {
        TRY_ASSIGN(const bool here, open(record));
        if (here) {
            shown.push_back(std::move(record));
        } else {
            hidden_.insert(record.id);
        }
    }
    answer.records = std::move(shown);
    return answer;
}

}  // namespace dutybook::api
