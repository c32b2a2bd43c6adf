#include "api/reader.h"

#include "core/record_source.h"

#include <algorithm>

namespace dutybook::api {

namespace {

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
    const bool own = record.space == space_;
    TRY_ASSIGN(const bool hidden, own ? walls_.hides({record.id, record.kind, record.fields})
                                      : walls_.hides(record.space + "/" + record.id));
    if (hidden) return false;
    if (reading_.opens(traits->privacy)) return true;
    return traits->privacy == "hr" && names(value_of(record.fields, "person"), reading_.person);
}

Result<rules::NeedAnswer> ReaderSource::find(const rules::NeedQuery& query) {
    TRY_ASSIGN(auto answer, all_.find(query));
    std::vector<rules::RuleRecord> shown;
    shown.reserve(answer.records.size());
    for (auto& record : answer.records) {
        TRY_ASSIGN(const bool here, open(record));
        if (here && !query.field.empty()) dated_.insert(record.id);
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
