#include "api/api.h"

#include "api/problem.h"

namespace dutybook::api {

Api::Api(Services services) : services_(std::move(services)) {
    add_all_routes(router_);
}

Admission Api::admit(Request& head) {
    if (auto refusal = gate_.check_origin(head)) return {std::move(refusal), false};
    auto target = parse_target(head.target);
    if (!target) return {problem(target.error()), false};
    auto match = router_.match(head.method, target->segments);
    if (!match.endpoint && !match.allowed.empty()) {
        Response response = refuse(Refusal::MethodNotAllowed,
                                   "this path does not take " + std::string(name_of(head.method)),
                                   {}, "it takes " + match.allowed);
        response.headers.emplace_back("Allow", match.allowed);
        return {std::move(response), false};
    }
    if (!match.endpoint)
        return {problem(failure(Code::NotFound, "there is no such path",
                                "or the name of a record or a space in it is empty",
                                "see schemas/openapi.json")),
                false};
    if (auto refusal = check_access(*match.endpoint, head, *services_.tokens, services_.accounts))
        return {std::move(refusal), false};
    if (auto checked = check_query(*match.endpoint, *target); !checked)
        return {problem(checked.error()), false};
    if (auto refusal = check_body(*match.endpoint, head)) return {std::move(refusal), false};
    head.endpoint = match.endpoint;
    head.arguments = std::move(match.arguments);
    head.query = std::move(target->query);
    return {std::nullopt, match.endpoint->body == Body::Record &&
                              media_type(head.header(Header::ContentType)) == lines_type};
}

namespace {

Result<void> read_body(const Request& request, Json& json) {
    const Endpoint& endpoint = *request.endpoint;
    if (request.body.empty()) {
        if (endpoint.body == Body::Optional) json = Json::object();
        if (endpoint.body == Body::None || endpoint.body == Body::Optional) return {};
        return failure(Code::Malformed, "the body is empty", {}, "send a JSON object");
    }
    TRY_ASSIGN(json, parse_json(request.body, {.depth = 32, .bytes = 1024 * 1024}));
    if (endpoint.body == Body::Patch) {
        if (!json.is_object()) return malformed("the body must be a JSON object");
        return {};
    }
    return check_members(endpoint, json);
}

}  // namespace

void Api::handle(Request request, std::shared_ptr<Responder> responder) {
    const Endpoint& endpoint = *request.endpoint;
    Json body;
    if (!request.streamed) {
        if (auto read = read_body(request, body); !read) {
            responder->send(problem(read.error()));
            return;
        }
    }
    auto call = std::make_shared<Call>(services_, std::move(request), std::move(responder),
                                       std::move(body));
    if (endpoint.runs == Runs::Here) {
        endpoint.run(call);
    } else if (!services_.pool->run([&endpoint, call] { endpoint.run(call); })) {
        call->answer(failure(Code::Unavailable, "too many requests are waiting", {},
                             "try again in a moment"));
    }
}

void Api::tick() {
    services_.events->tick();
}

}  // namespace dutybook::api
