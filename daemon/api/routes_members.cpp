// Who belongs to a space.

#include "api/call.h"
#include "api/shapes.h"
#include "core/circle.h"
#include "core/identity.h"

#include <future>

namespace dutybook::api {

namespace {

using core::Circle;
using domain::ControlKind;

std::string text_of(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<Circle*> circle_of(Call& call, const core::SpaceService& space) {
    Circle* circle = call.services.book->circle(space.facts().name);
    if (circle != nullptr) return circle;
    return failure(Code::Conflict, "the space " + space.facts().name + " is not encrypted",
                   "it has no control log, and so no list of who belongs to it",
                   "make a new space: dutybook space create NAME");
}

// The control log changed here: logs, index and alarms follow before the answer.
Result<void> follow(core::SpaceService& space) {
    Result<void> followed;
    space.run([&](core::SpaceEngine& engine) { followed = engine.follow_circle(); });
    return followed;
}

Result<Json> remotes_of(Call& call, const std::string& space) {
    TRY_ASSIGN(const auto remotes, call.services.sync->remotes(space));
    Json list = Json::array();
    for (const auto& remote : remotes) {
        const Json all = remote_json(remote);
        list.push_back({{"name", all["name"]},
                        {"url", all["url"]},
                        {"window", all["window"]},
                        {"zone", all["zone"]},
                        {"timeout", all["timeout"]}});
    }
    return Result<Json>(boost::system::in_place_value, std::move(list));
}

std::string without_parent(const std::string& parent, const std::string& site,
                           const std::string& why) {
    return failure(Code::Forbidden,
                   "the invitation brings no reader's invitation to the parent space " + parent,
                   why,
                   "where that is: dutybook invite " + site + " --role reader --space " + parent +
                       " --out FILE; at the new site, join both")
        .text();
}

// The site reads the parent space too, if this site may invite there and the site does not belong
// to it yet. Else "warnings" of the invitation says why not.
Result<void> invite_to_parent(Call& call, const std::string& parent, const std::string& site,
                              Json& file) {
    file["parent"] = nullptr;
    if (parent.empty()) return {};
    auto* space = call.services.book->space(parent);
    Circle* circle = space != nullptr ? call.services.book->circle(parent) : nullptr;
    std::string why = "it is not here";
    if (circle != nullptr && !circle->holds_pen()) {
        const auto members = circle->membership();
        why = "this site does not hold its pen" +
              (members ? ", " + circle->name_of(members->pen) + " does" : std::string());
    }
    if (circle == nullptr || !circle->holds_pen()) {
        file["warnings"] = {without_parent(parent, site, why)};
        return {};
    }
    auto invited = circle->invite(site, domain::Role::Reads);
    if (!invited && invited.error().code == Code::Exists) return {};
    if (!invited) return invited.error();
    TRY(follow(*space));
    TRY_ASSIGN((*invited)["remotes"], remotes_of(call, parent));
    file["parent"] = std::move(*invited);
    return {};
}

Result<Response> invite(Call& call) {
    TRY_ASSIGN(core::SpaceService * space, call.space());
    TRY_ASSIGN(Circle * circle, circle_of(call, *space));
    const std::string site = text_of(call.body, "site"), word = text_of(call.body, "role");
    const auto role = domain::role_from(word.empty() ? "writer" : word);
    if (!role) return malformed("a role is reader, writer or admin", "/role");
    if (auto fits = core::check_site_name(site); !fits) {
        fits.error().pointer = "/site";
        return fits.error();
    }
    TRY_ASSIGN(Json file, circle->invite(site, *role));
    TRY(follow(*space));
    TRY_ASSIGN(file["remotes"], remotes_of(call, space->facts().name));
    TRY(invite_to_parent(call, space->facts().parent, site, file));
    return json_response(file, 201);
}

Result<Response> list_members(Call& call) {
    TRY_ASSIGN(core::SpaceService * space, call.space());
    TRY_ASSIGN(const Circle* circle, circle_of(call, *space));
    TRY_ASSIGN(Json items, circle->members_json());
    return json_response(Json{{"items", std::move(items)}, {"next", nullptr}});
}

// Seals what is not sealed, then the last word.
Result<void> retire(core::SpaceService& space, const Circle& circle) {
    if (circle.holds_pen()) {
        return failure(Code::Conflict, "this site holds the pen of the space", {},
                       "hand it over first: dutybook members pen SITE");
    }
    Result<std::size_t> sealed = std::size_t{0};
    space.run([&](core::SpaceEngine& engine) {
        core::SpaceEngine::Seal how;
        how.force = how.last_word = true;
        sealed = engine.seal(how);
    });
    return sealed ? Result<void>{} : sealed.error();
}

// What is named of a site counts, and nothing else of it: a store that was just recovered has none.
Result<void> has_synced(Call& call, const std::string& space, const domain::Member& member) {
    TRY_ASSIGN(const auto remotes, call.services.sync->remotes(space));
    const bool never = std::ranges::none_of(remotes, &sync::RemoteStatus::last_success);
    if (remotes.empty() || member.site.empty() || !never) return {};
    return failure(
        Code::Conflict, member.name + " was not removed",
        "this store never synced the space, and of what " + member.name +
            " wrote nothing would count that is not here",
        "dutybook sync, then remove it; if no remote can be met: dutybook remote remove");
}

Result<void> on_member(Call& call, Circle& circle, const std::string& space,
                       const std::string& word, const domain::Member& member) {
    if (word == "remove") {
        TRY(has_synced(call, space, member));
        return circle.remove(member);
    }
    if (word == "adopt") return circle.adopt(member);
    if (const auto all = circle.membership();
        word == "pen" && all && circle.holds_pen() && all->pen == member.site)
        return {};
    domain::ControlAct act;
    act.kind = word == "pen" ? ControlKind::Pen : ControlKind::Confirm;
    act.site = member.site;
    if (member.site.empty()) {
        return failure(Code::Conflict, member.name + " has not come yet",
                       "its invitation was not used",
                       "wait for its first sync, or take the invitation back: dutybook members "
                       "remove " +
                           member.name);
    }
    if (word == "pen" && member.role != domain::Role::Administers) {
        return failure(Code::Conflict, member.name + " is no administrator's site", {},
                       "invite it with --role admin");
    }
    if (word == "confirm" && !member.invite_used_twice) {
        return failure(Code::Conflict, "the invite of " + member.name + " was used once only",
                       "there is nothing to confirm", "`dutybook members` lists who belongs");
    }
    return circle.append(std::move(act), false);
}

// Who sets it must know it, or nobody might be left who could set it otherwise.
Result<void> set_minimum_format(Circle& circle, const Json& body) {
    const auto asked = body.find("minimum");
    const bool whole = asked != body.end() && asked->is_number_integer();
    if (!whole || *asked < 1) return malformed("give the least format, from 1 on", "/minimum");
    if (*asked > domain::known_format) {
        return failure(
            Code::Conflict,
            "this site knows format " + std::to_string(domain::known_format) + " and no higher one",
            "it would have to wait with all others", "update this site first");
    }
    domain::ControlAct act;
    act.kind = ControlKind::Format;
    act.minimum_format = *asked;
    return circle.append(std::move(act), false);
}

// What the remotes have comes first: the new entry then follows it. One that is not there holds
// nothing up, or nobody could recover after the host is lost.
Result<void> recover(Call& call, core::SpaceService& space, Circle& circle, Json& answer) {
    TRY_ASSIGN(const Secret key, secret_from_paper(text_of(call.body, "key")));
    Json& unmet = answer["unmet"] = Json::array();
    return circle.recover(key, [&] {
        std::promise<void> met;
        call.services.sync->sync_now(space.facts().name, "", {},
                                     [&](const std::vector<sync::Outcome>& outcomes) {
                                         for (const auto& one : outcomes)
                                             if (one.error && one.listed.empty())
                                                 unmet.push_back(one.remote);
                                         met.set_value();
                                     });
        met.get_future().get();
    });
}

Result<void> act(Call& call, core::SpaceService& space, Circle& circle, Json& answer) {
    const std::string word = text_of(call.body, "do"), site = text_of(call.body, "site");
    if (word == "epoch") return circle.append({}, true);
    if (word == "format") return set_minimum_format(circle, call.body);
    if (word == "rotate") return call.services.book->renew_keys();
    if (word == "recover") return recover(call, space, circle, answer);
    if (word == "retire") return retire(space, circle);
    if (word != "remove" && word != "adopt" && word != "pen" && word != "confirm") {
        return malformed("no such act", "/do");
    }
    if (site.empty()) return malformed("name a site", "/site");
    TRY_ASSIGN(const domain::Member member, circle.find(site));
    return on_member(call, circle, space.facts().name, word, member);
}

Result<Response> change_members(Call& call) {
    TRY_ASSIGN(core::SpaceService * space, call.space());
    TRY_ASSIGN(Circle * circle, circle_of(call, *space));
    Json answer = {{"next", nullptr}};
    TRY(act(call, *space, *circle, answer));
    TRY(follow(*space));
    TRY_ASSIGN(answer["items"], circle->members_json());
    return json_response(answer);
}

}  // namespace

std::vector<Endpoint> member_routes() {
    std::vector<Endpoint> out;
    out.push_back({.method = Method::Post,
                   .path = "/v1/spaces/{space}/invite",
                   .name = "invite",
                   .summary = "Invites a site: what it needs to join, keys included, "
                              "{\"space\",\"control\",\"invite\",\"site\",\"role\",\"remotes\","
                              "\"parent\",\"warnings\"}. Only at the site that holds the pen.",
                   .body = Body::Members,
                   .members = {{"site", Type::Text, true, false, "its name"},
                               {"role", Type::Text, false, false, "reader, writer or admin"}},
                   .status = 201,
                   .access = Access::SocketOnly,
                   .runs = Runs::Pool,
                   .run = answering(invite)});
    out.push_back({.method = Method::Get,
                   .path = "/v1/spaces/{space}/members",
                   .name = "listMembers",
                   .summary =
                       "Who belongs to the space: {\"site\",\"name\",\"role\",\"state\",\"own\","
                       "\"pen\",\"key\",\"keys\",\"invite_used_twice\",\"new_keys\",\"logs\","
                       "\"last_heard\",\"quarantined\"}.",
                   .list = true,
                   .runs = Runs::Pool,
                   .run = answering(list_members)});
    out.push_back({.method = Method::Post,
                   .path = "/v1/spaces/{space}/members",
                   .name = "changeMembers",
                   .summary = "Removes, confirms, adopts, hands over the pen, begins a new epoch, "
                              "gives this site new keys (in all its spaces), retires it, sets "
                              "the least format that a site must know, "
                              "recovers; the members afterwards, and for recover in \"unmet\" the "
                              "remotes that did not answer.",
                   .body = Body::Members,
                   .members = {{"do", Type::Text, true, false,
                                "remove, retire, rotate, epoch, format, pen, confirm, adopt or "
                                "recover"},
                               {"site", Type::Text, false, false, "name or unique id prefix"},
                               {"key", Type::Text, false, false, "the recovery key, to recover"},
                               {"minimum", Type::Number, false, false,
                                "the least format that a site must know, for format"}},
                   .access = Access::SocketOnly,
                   .runs = Runs::Pool,
                   .run = answering(change_members)});
    return out;
}

}  // namespace dutybook::api
