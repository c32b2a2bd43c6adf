// What happened to a record.

#include "api/reference.h"
#include "api/shapes.h"
#include "api/writing.h"

#include <charconv>

namespace dutybook::api {

namespace {

Result<Response> get_history(Call& call) {
    TRY_ASSIGN(const Found found, find_record(call));
    TRY_ASSIGN(const auto rows, found.space->reader().operations(found.record.state.id));
    const auto lines = domain::history(known_of(rows));
    // The cursor is a number of lines: what arrives later comes after them.
    std::size_t at = 0;
    if (const std::string& cursor = call.query("cursor"); !cursor.empty()) {
        const auto [end, ec] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), at);
        if (ec != std::errc{} || *end != '\0')
            return failure(Code::Malformed, "the cursor is not of this list", {},
                           "begin the list again, without one");
    }
    ListText list;
    const std::size_t limit = call.limit();
    for (std::size_t given = 0; at < lines.size() && given < limit; ++at, ++given)
        list.add(history_text(lines[at]));
    return json_response(std::move(list).finish(at < lines.size() ? std::to_string(at) : ""));
}

Result<Response> get_difference(Call& call) {
    TRY_ASSIGN(const Found found, find_record(call));
    TRY_ASSIGN(const auto a, call.instant("a"));
    TRY_ASSIGN(const auto b, call.instant("b"));
    if (!a || !b) return malformed("the parameters a and b must be instants");
    TRY_ASSIGN(const auto rows, found.space->reader().operations(found.record.state.id));
    const auto known = known_of(rows);
    Json items = Json::array();
    for (const auto& one :
         domain::difference(domain::state_at(known, *a), domain::state_at(known, *b))) {
        const auto value = [](const std::string& text) {
            return text.empty() ? Json() : Json::parse(text, nullptr, false);
        };
        items.push_back({{"field", one.field}, {"a", value(one.a)}, {"b", value(one.b)}});
    }
    return json_response(
        Json{{"a", format_utc(*a)}, {"b", format_utc(*b)}, {"items", std::move(items)}});
}

}  // namespace

std::vector<Endpoint> history_routes() {
    std::vector<Endpoint> out;
    out.push_back({.method = Method::Get,
                   .path = "/v1/spaces/{space}/records/{id}/history",
                   .name = "getHistory",
                   .summary = "Every change of a record, each after those that it knew of.",
                   .answer = "history-line",
                   .list = true,
                   .runs = Runs::Pool,
                   .run = answering(get_history)});
    out.push_back({.method = Method::Get,
                   .path = "/v1/spaces/{space}/records/{id}/diff",
                   .name = "getDifference",
                   .summary = "What differs between two instants: {\"a\",\"b\",\"items\":"
                              "[{\"field\",\"a\",\"b\"}]}.",
                   .query = {{"a", Type::Instant, "then", false, true},
                             {"b", Type::Instant, "and then", false, true}},
                   .runs = Runs::Pool,
                   .run = answering(get_difference)});
    return out;
}

}  // namespace dutybook::api
