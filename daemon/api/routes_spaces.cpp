// Spaces of this daemon, and what a site needs to join one.

#include "api/call.h"
#include "api/shapes.h"
#include "core/identity.h"
#include "core/sites_seen.h"
#include "core/space_keys.h"

namespace dutybook::api {

namespace {

Json space_json(const core::SpaceFacts& facts) {
    return {{"id", facts.id}, {"name", facts.name}, {"parent", facts.parent}};
}

Result<Response> list_spaces(Call& call) {
    Json items = Json::array();
    for (const auto* space : call.services.book->spaces())
        items.push_back(space_json(space->facts()));
    return json_response(Json{{"items", std::move(items)}, {"next", nullptr}});
}

Result<Response> create_space(Call& call) {
    const auto text = [&](const char* name) {
        const auto found = call.body.find(name);
        return found != call.body.end() && found->is_string() ? found->get<std::string>()
                                                              : std::string();
    };
    core::SpaceRecord record{text("id"), text("name"), text("parent")};
    const bool joining = !record.id.empty();
    if (!joining) record.id = core::make_space_id();
    // A site that joins may get its parent later; one that makes a space means a parent it has.
    if (!joining && !record.parent.empty() && !call.services.book->space(record.parent)) {
        Error error =
            failure(Code::NotFound, "the parent space '" + record.parent + "' is not here", {},
                    "create or join it first");
        error.pointer = "/parent";
        return error;
    }
    domain::EpochKeys keys;
    if (const auto epochs = call.body.find("epochs"); epochs != call.body.end()) {
        TRY_ASSIGN(keys, core::epochs_from(*epochs));
    }
    if (!joining) keys = core::first_epoch();
    TRY(core::prepare_space_keys(call.services.book->space_directory(record.name), keys));
    TRY_ASSIGN(core::SpaceService * space, call.services.book->add_space(record));
    if (call.services.plugins != nullptr) call.services.plugins->attach(*call.services.book);
    return json_response(space_json(space->facts()), 201);
}

Result<Json> membership(Call& call, const core::SpaceService& space) {
    TRY_ASSIGN(const auto remotes, call.services.sync->remotes(space.facts().name));
    Json list = Json::array();
    for (const auto& remote : remotes) {
        const Json all = remote_json(remote);
        list.push_back({{"name", all["name"]},
                        {"url", all["url"]},
                        {"window", all["window"]},
                        {"zone", all["zone"]},
                        {"timeout", all["timeout"]}});
    }
    Json invited = space_json(space.facts());
    const auto folder = call.services.book->space_directory(space.facts().name);
    TRY_ASSIGN(const bool sealed, core::is_sealed(folder));
    if (sealed) {
        TRY_ASSIGN(const auto keys, core::read_space_keys(folder));
        invited["epochs"] = core::epochs_json(keys);
    }
    return Result<Json>(boost::system::in_place_value,
                        Json{{"space", std::move(invited)}, {"remotes", std::move(list)}});
}

Result<Response> get_invite(Call& call) {
    TRY_ASSIGN(core::SpaceService * space, call.space());
    TRY_ASSIGN(Json invite, membership(call, *space));
    invite["parent"] = nullptr;
    if (auto* parent = call.services.book->space(space->facts().parent);
        parent && !space->facts().parent.empty()) {
        TRY_ASSIGN(invite["parent"], membership(call, *parent));
    }
    return json_response(invite);
}

Result<Response> list_members(Call& call) {
    TRY_ASSIGN(core::SpaceService * space, call.space());
    const auto folder = call.services.book->space_directory(space->facts().name);
    TRY_ASSIGN(const auto sites, core::sites_seen(folder, call.services.book->site()));
    return json_response(Json{{"items", core::sites_seen_json(sites)}, {"next", nullptr}});
}

}  // namespace

std::vector<Endpoint> space_routes() {
    std::vector<Endpoint> out;
    out.push_back({.method = Method::Get,
                   .path = "/v1/spaces",
                   .name = "listSpaces",
                   .summary = "The spaces of this daemon.",
                   .answer = "space-summary",
                   .list = true,
                   .run = answering(list_spaces)});
    out.push_back({.method = Method::Post,
                   .path = "/v1/spaces",
                   .name = "createSpace",
                   .summary = "Makes a space, or adds one that exists elsewhere (by its id).",
                   .body = Body::Members,
                   .members = {{"name", Type::Text, true, false, "its name"},
                               {"parent", Type::Text, false, true, "the parent space's name"},
                               {"id", Type::Text, false, true, "of a space to join"},
                               {"epochs", Type::Any, false, false,
                                "keys of a space to join, as its invitation has them"}},
                   .status = 201,
                   .answer = "space-summary",
                   .access = Access::SocketOnly,
                   .runs = Runs::Pool,
                   .run = answering(create_space)});
    out.push_back({.method = Method::Get,
                   .path = "/v1/spaces/{space}/invite",
                   .name = "getInvite",
                   .summary = "What a site needs to join, keys included: "
                              "{\"space\",\"remotes\",\"parent\"}.",
                   .access = Access::SocketOnly,
                   .runs = Runs::Pool,
                   .run = answering(get_invite)});
    out.push_back({.method = Method::Get,
                   .path = "/v1/spaces/{space}/members",
                   .name = "listMembers",
                   .summary = "The sites whose logs the space holds: "
                              "{\"site\",\"name\",\"own\",\"key\",\"logs\",\"last_heard\"}.",
                   .list = true,
                   .runs = Runs::Pool,
                   .run = answering(list_members)});
    return out;
}

}  // namespace dutybook::api
