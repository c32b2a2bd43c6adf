#include "base/json_plain.h"

#include <simdjson.h>

#include <algorithm>

namespace dutybook {

namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr std::size_t most_bytes = 16 * 1024;  // bounds what each thread's parser keeps
constexpr std::size_t most_depth = 64;         // and the recursion

// False where the strict reader has to look. `depth` levels may still be opened.
bool convert(element from, std::size_t depth, Json& to) {
    switch (from.type()) {
        case element_type::OBJECT: {
            if (depth == 0) return false;
            to = Json::object();
            auto& members = to.get_ref<Json::object_t&>();
            for (const auto member : simdjson::dom::object(from.get_object().value_unsafe())) {
                const auto [place, added] = members.emplace(std::string(member.key), nullptr);
                if (!added || !convert(member.value, depth - 1, place->second)) return false;
            }
            return true;
        }
        case element_type::ARRAY: {
            if (depth == 0) return false;
            to = Json::array();
            for (const element item : simdjson::dom::array(from.get_array().value_unsafe())) {
                to.push_back(nullptr);
                if (!convert(item, depth - 1, to.back())) return false;
            }
            return true;
        }
        case element_type::STRING:
            to = std::string(from.get_string().value_unsafe());
            return true;
        case element_type::INT64:
            to = from.get_int64().value_unsafe();
            return to.get<std::int64_t>() >= -max_safe_integer &&
                   to.get<std::int64_t>() <= max_safe_integer;
        case element_type::BOOL:
            to = from.get_bool().value_unsafe();
            return true;
        case element_type::NULL_VALUE:
            return true;
        case element_type::UINT64:
        case element_type::DOUBLE:
            return false;
    }
    return false;
}

}  // namespace

std::optional<Json> parse_plain(std::string_view text, const JsonLimits& limits) {
    if (text.size() > std::min(limits.bytes, most_bytes) || limits.depth > most_depth) {
        return std::nullopt;
    }
    // Lone surrogates, a byte-order mark, NUL: judged by the strict reader alone.
    if (text.find("\\u") != std::string_view::npos || text.find('\0') != std::string_view::npos ||
        text.substr(0, 3) == "\xEF\xBB\xBF") {
        return std::nullopt;
    }
    thread_local simdjson::dom::parser parser;
    element root;
    if (parser.parse(text.data(), text.size(), true).get(root) != simdjson::SUCCESS) {
        return std::nullopt;
    }
    std::optional<Json> out(std::in_place);
    if (!convert(root, limits.depth, *out)) return std::nullopt;
    return out;
}

}  // namespace dutybook
