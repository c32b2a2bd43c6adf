// Remotes of a space, and syncing with them.

#include "api/call.h"
#include "api/shapes.h"

namespace dutybook::api {

namespace {

bool is_time_of_day(std::string_view text) {
    const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
    return text.size() == 5 && text[2] == ':' && digit(0) && digit(1) && digit(3) && digit(4) &&
           text.substr(0, 2) < "24" && text.substr(3) < "60";
}

Result<void> set_window(const Json& value, sync::RemoteConfig& remote) {
    if (value.is_null()) {
        remote.window_from.clear();
        remote.window_to.clear();
        return {};
    }
    const std::string text = value.get<std::string>();
    if (text.size() != 11 || text[5] != '-' || !is_time_of_day(text.substr(0, 5)) ||
        !is_time_of_day(text.substr(6)) || text.substr(0, 5) == text.substr(6))
        return malformed("a window is HH:MM-HH:MM, such as 22:00-05:00", "/window");
    remote.window_from = text.substr(0, 5);
    remote.window_to = text.substr(6);
    return {};
}

// Members of a checked body over what the remote is so far.
Result<void> apply(const Json& body, const std::string& site_zone, sync::RemoteConfig& remote) {
    if (body.contains("url")) remote.url = body["url"].get<std::string>();
    if (body.contains("create")) remote.create = body["create"].get<bool>();
    if (body.contains("window")) TRY(set_window(body["window"], remote));
    if (body.contains("zone")) {
        remote.window_zone = body["zone"].is_null() ? "" : body["zone"].get<std::string>();
        if (!remote.window_zone.empty() && !zone_exists(remote.window_zone))
            return malformed("there is no time zone " + remote.window_zone, "/zone");
    }
    if (remote.window_zone.empty()) remote.window_zone = site_zone;
    if (body.contains("timeout")) {
        const double seconds = body["timeout"].is_null() ? 60 : body["timeout"].get<double>();
        if (!(seconds >= 1 && seconds <= 86'400))
            return malformed("the timeout is 1 to 86400 seconds", "/timeout");
        remote.timeout = static_cast<Millis>(seconds * 1000);
    }
    return {};
}

Result<sync::RemoteStatus> remote_named(const Call& call, const std::string& space,
                                        const std::string& name) {
    TRY_ASSIGN(auto remotes, call.services.sync->remotes(space));
    std::string names;
    for (auto& remote : remotes) {
        if (remote.config.name == name) return std::move(remote);
        names += (names.empty() ? "" : ", ") + remote.config.name;
    }
    return failure(Code::NotFound, "space " + space + " has no remote '" + name + "'",
                   names.empty() ? "it has none" : "it has: " + names,
                   "add one with: dutybook remote add NAME URL");
}

Result<Response> list_remotes(Call& call) {
    TRY_ASSIGN(core::SpaceService * space, call.space());
    TRY_ASSIGN(const auto remotes, call.services.sync->remotes(space->facts().name));
    Json items = Json::array();
    for (const auto& remote : remotes) items.push_back(remote_json(remote));
    return json_response(Json{{"items", std::move(items)}, {"next", nullptr}});
}

Result<Response> add_remote(Call& call) {
    TRY_ASSIGN(core::SpaceService * space, call.space());
    sync::RemoteConfig remote;
    remote.name = call.body.at("name").get<std::string>();
    TRY(apply(call.body, call.services.book->site().zone, remote));
    TRY(call.services.sync->add(space->facts().name, remote));
    TRY_ASSIGN(const auto added, remote_named(call, space->facts().name, remote.name));
    return json_response(remote_json(added), 201);
}

Result<Response> change_remote(Call& call) {
    TRY_ASSIGN(core::SpaceService * space, call.space());
    const std::string& name = space->facts().name;
    TRY_ASSIGN(auto remote, remote_named(call, name, call.argument(1)));
    TRY(apply(call.body, call.services.book->site().zone, remote.config));
    TRY(call.services.sync->change(name, remote.config));
    TRY_ASSIGN(const auto changed, remote_named(call, name, call.argument(1)));
    return json_response(remote_json(changed));
}

Result<Response> remove_remote(Call& call) {
    TRY_ASSIGN(core::SpaceService * space, call.space());
    TRY_ASSIGN(const auto remote, remote_named(call, space->facts().name, call.argument(1)));
    TRY(call.services.sync->remove(space->facts().name, remote.config.name));
    return Response{204, {}, {}, {}};
}

Result<Response> check_remote(Call& call) {
    TRY_ASSIGN(core::SpaceService * space, call.space());
    TRY_ASSIGN(const auto remote, remote_named(call, space->facts().name, call.argument(1)));
    TRY_ASSIGN(const auto result,
               call.services.sync->check(space->facts().name, remote.config.name));
    return json_response(
        Json{{"ok", result.ok}, {"lines", result.lines}, {"public_key", result.public_key}});
}

Result<void> begin_sync(const CallPtr& call) {
    TRY_ASSIGN(core::SpaceService * space, call->space());
    const std::string name = space->facts().name;
    std::string remote;
    if (const auto named = call->body.find("remote");
        named != call->body.end() && named->is_string())
        remote = named->get<std::string>();
    TRY_ASSIGN(const auto remotes, call->services.sync->remotes(name));
    if (remotes.empty()) {
        return failure(Code::Conflict, "space " + name + " has no remote to sync with", {},
                       "add one with: dutybook remote add NAME URL");
    }
    if (!remote.empty()) TRY(remote_named(*call, name, remote));
    const auto answer = std::make_shared<TaskAnswer>(call);
    call->services.sync->sync_now(
        name, remote,
        [answer](const sync::Progress& progress) {
            answer->progress(progress.step, progress.done, progress.all);
        },
        [answer](const std::vector<sync::Outcome>& outcomes) {
            std::vector<Json> lines;
            for (const auto& outcome : outcomes) lines.push_back(outcome_json(outcome));
            answer->finish(lines, Json{{"items", lines}, {"next", nullptr}});
        });
    return {};
}

}  // namespace

std::vector<Endpoint> remote_routes() {
    const std::vector<Member> settings = {
        {"url", Type::Text, false, false, "https, ssh, scp-like, file, or an absolute path"},
        {"create", Type::Flag, false, false, "make a repository in a directory that has none"},
        {"window", Type::Text, false, true, "when to sync by itself: 22:00-05:00"},
        {"zone", Type::Text, false, true, "of the window; the site's if absent"},
        {"timeout", Type::Number, false, true, "seconds without a byte moving"}};
    std::vector<Member> added = settings;
    added.insert(added.begin(), {"name", Type::Text, true, false, "its name"});
    added[1].required = true;
    const std::string_view all = "/v1/spaces/{space}/remotes";
    const std::string_view one = "/v1/spaces/{space}/remotes/{remote}";
    std::vector<Endpoint> out;
    out.push_back({.method = Method::Get,
                   .path = all,
                   .name = "listRemotes",
                   .summary = "The remotes of a space, and how syncing with each went.",
                   .answer = "remote",
                   .list = true,
                   .runs = Runs::Pool,
                   .run = answering(list_remotes)});
    out.push_back({.method = Method::Post,
                   .path = all,
                   .name = "addRemote",
                   .summary = "Adds a remote; contacts nobody.",
                   .body = Body::Members,
                   .members = added,
                   .status = 201,
                   .answer = "remote",
                   .access = Access::SocketOnly,
                   .runs = Runs::Pool,
                   .run = answering(add_remote)});
    out.push_back({.method = Method::Patch,
                   .path = one,
                   .name = "changeRemote",
                   .summary = "Changes what is given; null clears.",
                   .body = Body::Members,
                   .members = settings,
                   .answer = "remote",
                   .access = Access::SocketOnly,
                   .runs = Runs::Pool,
                   .run = answering(change_remote)});
    out.push_back({.method = Method::Delete,
                   .path = one,
                   .name = "removeRemote",
                   .summary = "Forgets a remote; what it holds stays there.",
                   .status = 204,
                   .access = Access::SocketOnly,
                   .runs = Runs::Pool,
                   .run = answering(remove_remote)});
    out.push_back({.method = Method::Post,
                   .path = "/v1/spaces/{space}/remotes/{remote}/check",
                   .name = "checkRemote",
                   .summary = "Tries the remote: {\"ok\",\"lines\",\"public_key\"}.",
                   .body = Body::Optional,
                   .access = Access::Writer,
                   .runs = Runs::Pool,
                   .run = answering(check_remote)});
    out.push_back({.method = Method::Post,
                   .path = "/v1/spaces/{space}/sync",
                   .name = "sync",
                   .summary = "Fetches and pushes now; answers when everything received is shown.",
                   .body = Body::Optional,
                   .members = {{"remote", Type::Text, false, true, "with this one only"}},
                   .answer = "sync-outcome",
                   .list = true,
                   .stream = true,
                   .access = Access::Writer,
                   .runs = Runs::Pool,
                   .run = [](const CallPtr& call) {
                       if (auto begun = begin_sync(call); !begun) call->answer(begun.error());
                   }});
    return out;
}

}  // namespace dutybook::api
