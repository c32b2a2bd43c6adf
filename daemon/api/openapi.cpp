// The OpenAPI document, made from the declarations.

#include "api/endpoint.h"

namespace dutybook::api {

namespace {

Json type_json(Type type) {
    switch (type) {
        case Type::Text:
            return {{"type", "string"}};
        case Type::Flag:
            return {{"type", "boolean"}};
        case Type::Number:
            return {{"type", "number"}};
        case Type::Instant:
            return {{"type", "string"}, {"description", "now, HH:MM, YYYY-MM-DD or RFC 3339"}};
        case Type::Object:
            return {{"type", "object"}};
        case Type::Any:
            break;
    }
    return Json::object();
}

Json query_json(const Query& query) {
    Json schema = type_json(query.type);
    if (query.type == Type::Flag) schema = {{"enum", {"1", "0", "true", "false", ""}}};
    if (query.type == Type::Number) schema = {{"type", "integer"}, {"minimum", 0}};
    if (query.repeatable) schema = {{"type", "array"}, {"items", std::move(schema)}};
    Json out = {{"name", query.name},
                {"in", "query"},
                {"description", query.what},
                {"schema", std::move(schema)}};
    if (query.required) out["required"] = true;
    return out;
}

Json parameters_json(const Endpoint& endpoint) {
    Json out = Json::array();
    std::string_view path = endpoint.path;
    for (std::size_t begin; (begin = path.find('{')) != std::string_view::npos;) {
        const std::size_t end = path.find('}', begin);
        out.push_back({{"name", path.substr(begin + 1, end - begin - 1)},
                       {"in", "path"},
                       {"required", true},
                       {"schema", {{"type", "string"}}}});
        path.remove_prefix(end + 1);
    }
    for (const Query& query : endpoint.query) out.push_back(query_json(query));
    return out;
}

Json members_json(const Endpoint& endpoint) {
    Json properties = Json::object(), required = Json::array();
    for (const Member& member : endpoint.members) {
        Json schema = type_json(member.type);
        if (member.nullable && schema.contains("type"))
            schema["type"] = Json::array({schema["type"], "null"});
        schema["description"] = member.what;
        properties[std::string(member.name)] = std::move(schema);
        if (member.required) required.push_back(member.name);
    }
    Json out = {{"type", "object"}, {"properties", std::move(properties)}};
    if (!required.empty()) out["required"] = std::move(required);
    out["additionalProperties"] = endpoint.body == Body::Record;
    return out;
}

Json body_json(const Endpoint& endpoint) {
    Json content = Json::object();
    if (endpoint.body == Body::Patch) {
        const Json any = {{"schema", {{"type", "object"}}}};
        content["application/merge-patch+json"] = any;
        content["application/json"] = any;
    } else {
        const Json object = {{"schema", members_json(endpoint)}};
        content["application/json"] = object;
        if (endpoint.body == Body::Record) content["application/x-ndjson"] = object;
    }
    return {{"required", endpoint.body != Body::Optional}, {"content", std::move(content)}};
}

Json answer_schema(const Endpoint& endpoint) {
    Json one = Json::object();
    if (!endpoint.answer.empty()) one = {{"$ref", std::string(endpoint.answer) + ".schema.json"}};
    if (!endpoint.list) return one;
    return {{"type", "object"},
            {"required", {"items", "next"}},
            {"properties",
             {{"items", {{"type", "array"}, {"items", std::move(one)}}},
              {"next", {{"type", {"string", "null"}}}}}}};
}

Json responses_json(const Endpoint& endpoint) {
    Json success = {{"description", "done"}};
    if (endpoint.path == "/v1/events") {
        success["content"] = {{"text/event-stream", Json::object()}};
    } else if (endpoint.status != 204) {
        success["content"] = {{"application/json", {{"schema", answer_schema(endpoint)}}}};
        if (endpoint.stream || endpoint.body == Body::Record)
            success["content"]["application/x-ndjson"] = Json::object();
    }
    Json out;
    out[std::to_string(endpoint.status)] = std::move(success);
    out["default"] = {
        {"description", "a problem"},
        {"content",
         {{"application/problem+json", {{"schema", {{"$ref", "problem.schema.json"}}}}}}}};
    return out;
}

std::string_view access_word(Access access) {
    switch (access) {
        case Access::Anyone:
            return "anyone";
        case Access::Reader:
            return "reader";
        case Access::Writer:
            return "writer";
        case Access::SocketOnly:
            break;
    }
    return "socket";
}

std::string lower(std::string_view text) {
    std::string out;
    for (const char c : text) out += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    return out;
}

}  // namespace

std::string openapi_document(const Router& router) {
    Json paths = Json::object();
    for (const auto& endpoint : router.endpoints()) {
        Json operation = {{"operationId", endpoint->name},
                          {"summary", endpoint->summary},
                          {"parameters", parameters_json(*endpoint)},
                          {"responses", responses_json(*endpoint)},
                          {"x-access", access_word(endpoint->access)}};
        if (endpoint->body != Body::None) operation["requestBody"] = body_json(*endpoint);
        if (endpoint->access == Access::Anyone || endpoint->access == Access::SocketOnly)
            operation["security"] = Json::array();
        paths[std::string(endpoint->path)][lower(name_of(endpoint->method))] = std::move(operation);
    }
    const Json document = {
        {"openapi", "3.1.0"},
        {"info",
         {{"title", "Dutybook"},
          {"version", "1"},
          {"description",
           "Conventions (references, instants, who is calling, errors): daemon/api/README.md. "
           "x-access: anyone, a token with that role, or the Unix socket only."}}},
        {"servers", Json::array({{{"url", "http://127.0.0.1:7316"}}})},
        {"security", Json::array({{{"token", Json::array()}}})},
        {"components",
         {{"securitySchemes", {{"token", {{"type", "http"}, {"scheme", "bearer"}}}}}}},
        {"paths", std::move(paths)}};
    return document.dump(1) + "\n";
}

}  // namespace dutybook::api
