#include "api/privacy.h"

#include "api/call.h"

#include <algorithm>

namespace dutybook::api {

Reader reader_of(const Call& call) {
    const Peer& peer = call.request.peer;
    Reader reader;
    reader.person = call.caller().by;
    if (peer.door == Door::Socket && peer.role == Role::Admin) {
        const bool named = !peer.person.empty() || !call.request.header(Header::By).empty();
        reader.as = named ? Reader::As::NamedByKeeper : Reader::As::Keeper;
    }
    const bool in_space = call.request.target.starts_with("/v1/spaces/");
    if (const auto space = in_space ? call.space() : nullptr) reader.asks = *space;
    return reader;
}

Json value_of(const Fields& fields, const std::string& field) {
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

bool Reading::opens(const domain::KindTraits* kind, const Fields& fields,
                    std::string_view by) const {
    if (!limited) return true;
    if (kind == nullptr) return false;
    std::string privacy = kind->privacy;
    if (kind->name == filed_kind) {
        const Json shown = value_of(fields, "privacy");
        if (shown.is_string()) privacy = shown.get<std::string>();
    }
    if (privacy == "ordinary" || classes.count(privacy) != 0) return true;
    if (!by.empty() && by == person) return true;
    return privacy == "hr" && names(value_of(fields, "person"), person);
}

namespace {

constexpr const char* role_kind = "core.role_assignment";

bool holds_on(const Fields& fields, const std::string& day) {
    const Json from = value_of(fields, "from"), to = value_of(fields, "to");
    const bool begun = !from.is_string() || from.get<std::string>() <= day;
    const bool over = to.is_string() && to.get<std::string>() < day;
    return begun && !over;
}

// Roles of the person that the space keeps, be they over.
Result<std::vector<Fields>> roles_in(core::SpaceService& space, const std::string& written) {
    constexpr std::size_t most = 100;
    store::Query query;
    query.kind = role_kind;
    query.where.emplace_back("person", canonical(Json(written)));
    query.limit = most;
    TRY_ASSIGN(const store::Page page, space.reader().list(query));
    std::vector<Fields> out;
    for (const auto& record : page.records) {
        if (record.state.status != domain::Status::Retracted) out.push_back(record.state.fields);
    }
    return out;
}

Result<bool> keeps_roles(core::SpaceService& space) {
    store::Query query;
    query.kind = role_kind;
    query.limit = 1;
    TRY_ASSIGN(const store::Page page, space.reader().list(query));
    return !page.records.empty();
}

// Roles of the person in one space: those of today to `reading`; whether there are any at all.
Result<bool> take_roles(core::SpaceService& space, const std::string& written,
                        const std::string& day, Reading& reading) {
    TRY_ASSIGN(const auto kept, roles_in(space, written));
    for (const Fields& fields : kept) {
        const Json role = value_of(fields, "role");
        if (role.is_string() && holds_on(fields, day)) reading.roles.insert(role);
    }
    return !kept.empty();
}

}  // namespace

Result<Reading> reading_of(const Services& services, core::SpaceService& space,
                           const Reader& reader) {
    Reading reading;
    reading.person = reader.person;
    if (reader.as == Reader::As::Keeper) return reading;
    core::SpaceService& asked = reader.asks != nullptr ? *reader.asks : space;
    const std::string& above = asked.facts().parent;
    const std::string day = local_date(services.clock->now(), services.book->site().zone);
    for (core::SpaceService* const one : services.book->spaces()) {
        const std::string& name = one->facts().name;
        // A role of another space opens nothing here, and tells that roles are kept.
        Reading elsewhere;
        Reading& roles = one == &asked || name == above ? reading : elsewhere;
        TRY_ASSIGN(const bool has, take_roles(*one, reader.person, day, roles));
        TRY_ASSIGN(const bool by_district,
                   one->facts().parent.empty()
                       ? Result<bool>(false)
                       : take_roles(*one, one->facts().parent + "/" + reader.person, day, roles));
        reading.limited = reading.limited || has || by_district;
    }
    if (!reading.limited && reader.as == Reader::As::Person) {
        TRY_ASSIGN(reading.limited, keeps_roles(asked));
        core::SpaceService* const parent = services.book->space(above);
        if (!reading.limited && parent != nullptr) {
            TRY_ASSIGN(reading.limited, keeps_roles(*parent));
        }
    }
    if (!reading.limited || services.plugins == nullptr) return reading;
    const Json opened = services.plugins->host()
                            .configuration(asked.facts().name, "core")
                            .value("role_classes", Json::object());
    for (const std::string& role : reading.roles) {
        const Json classes = opened.value(role, Json::array());
        for (const Json& each : classes) {
            if (each.is_string()) reading.classes.insert(each.get<std::string>());
        }
    }
    return reading;
}

}  // namespace dutybook::api
