// Bearer tokens for HTTP, made and revoked over the socket.

#include "api/call.h"

namespace dutybook::api {

namespace {

Json token_json(const Token& token) {
    return {{"id", token.id},
            {"name", token.name},
            {"role", name_of(token.role)},
            {"by", token.by},
            {"created", format_utc(token.created)}};
}

Result<Response> list_tokens(Call& call) {
    Json items = Json::array();
    for (const auto& token : call.services.tokens->list()) items.push_back(token_json(token));
    return json_response(Json{{"items", std::move(items)}, {"next", nullptr}});
}

Result<Response> issue_token(Call& call) {
    const std::string name = call.body.at("name").get<std::string>();
    if (name.empty() || name.size() > 100)
        return malformed("a token's name has 1 to 100 characters", "/name");
    const auto role = role_from(call.body.at("role").get<std::string>());
    if (!role || *role == Role::Admin) return malformed("role must be reader or writer", "/role");
    std::string by;
    if (const auto given = call.body.find("by"); given != call.body.end() && given->is_string())
        by = given->get<std::string>();
    TRY_ASSIGN(const auto issued,
               call.services.tokens->issue(name, *role, by, call.services.clock->now()));
    Json json = token_json(issued.token);
    json["token"] = issued.secret;
    return json_response(json, 201);
}

Result<Response> revoke_token(Call& call) {
    TRY(call.services.tokens->revoke(call.argument(0)));
    return Response{204, {}, {}, {}};
}

}  // namespace

std::vector<Endpoint> token_routes() {
    std::vector<Endpoint> out;
    out.push_back({.method = Method::Get,
                   .path = "/v1/tokens",
                   .name = "listTokens",
                   .summary = "The tokens that are valid, without their secrets.",
                   .answer = "token",
                   .list = true,
                   .access = Access::SocketOnly,
                   .run = answering(list_tokens)});
    out.push_back({.method = Method::Post,
                   .path = "/v1/tokens",
                   .name = "issueToken",
                   .summary = "Makes a token; `token` is shown this once.",
                   .body = Body::Members,
                   .members = {{"name", Type::Text, true, false, "what it is for"},
                               {"role", Type::Text, true, false, "reader or writer"},
                               {"by", Type::Text, false, true, "the person that it stands for"}},
                   .status = 201,
                   .answer = "token",
                   .access = Access::SocketOnly,
                   .runs = Runs::Pool,
                   .run = answering(issue_token)});
    out.push_back({.method = Method::Delete,
                   .path = "/v1/tokens/{token}",
                   .name = "revokeToken",
                   .summary = "Revokes a token by its id.",
                   .status = 204,
                   .access = Access::SocketOnly,
                   .runs = Runs::Pool,
                   .run = answering(revoke_token)});
    return out;
}

}  // namespace dutybook::api
