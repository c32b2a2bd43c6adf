// Spaces of this daemon.

#include "api/call.h"
#include "core/circle.h"
#include "core/founding.h"
#include "core/invited.h"

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

std::string text_of(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<Response> opened(Call& call, const core::SpaceRecord& record, Json answer) {
    TRY_ASSIGN(core::SpaceService * space, call.services.book->open_space(record.name));
    if (call.services.plugins != nullptr) call.services.plugins->attach(*call.services.book);
    answer.update(space_json(space->facts()));
    return json_response(answer, 201);
}

Result<Response> join(Call& call, const Json& invitation) {
    auto& book = *call.services.book;
    TRY_ASSIGN(const core::Invited invited, core::read_invitation(invitation));
    core::Circle* const circle = book.circle(invited.space.name);
    if (circle == nullptr || !circle->outside()) {
        TRY_ASSIGN(const auto record, core::join_space(book.directory(), invitation));
        return opened(call, record, Json::object());
    }
    TRY(circle->come_back(invited));
    core::SpaceService& space = *book.space(invited.space.name);
    Result<void> followed;
    space.run([&](core::SpaceEngine& engine) { followed = engine.follow_circle(); });
    TRY(followed);
    return json_response(space_json(space.facts()), 201);
}

Result<Response> create_space(Call& call) {
    const std::string name = text_of(call.body, "name"), parent = text_of(call.body, "parent");
    auto& book = *call.services.book;
    // Before the name is looked at: another space of that name is no space that was joined already.
    if (const auto invitation = call.body.find("invitation"); invitation != call.body.end()) {
        return join(call, *invitation);
    }
    if (book.space(name) != nullptr) {
        return failure(Code::Exists, "the space " + name + " is here already", {},
                       "give the new one another name");
    }
    // A site that joins may get its parent later; one that makes a space means a parent it has.
    if (!parent.empty() && !book.space(parent)) {
        Error error = failure(Code::NotFound, "the parent space '" + parent + "' is not here", {},
                              "create or join it first");
        error.pointer = "/parent";
        return error;
    }
    TRY_ASSIGN(const auto founded,
               core::found_space(book.directory(), name, parent, call.services.clock->now()));
    return opened(call, founded.space, {{"recovery_key", founded.recovery_key}});
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
                   .summary = "Makes a space, or adds the one of an invitation. Of a new space the "
                              "answer has \"recovery_key\", for the safe: it is kept nowhere.",
                   .body = Body::Members,
                   .members = {{"name", Type::Text, true, false, "its name"},
                               {"parent", Type::Text, false, true, "the parent space's name"},
                               {"invitation", Type::Object, false, false,
                                "as `dutybook invite` wrote it: space, control, invite"}},
                   .status = 201,
                   .answer = "space-summary",
                   .access = Access::SocketOnly,
                   .runs = Runs::Pool,
                   .run = answering(create_space)});
    return out;
}

}  // namespace dutybook::api
