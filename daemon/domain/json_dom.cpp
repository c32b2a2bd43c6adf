#include "domain/json_dom.h"

#include "base/json.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <vector>

namespace dutybook::domain {

namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;
using Members = std::vector<simdjson::dom::key_value_pair>;

bool by_utf16(const simdjson::dom::key_value_pair& a, const simdjson::dom::key_value_pair& b) {
    return utf16_less(a.key, b.key);
}

// Canonical text arrives sorted, so the sort is seldom needed.
Members sorted_members(simdjson::dom::object object) {
    Members members;
    members.reserve(object.size());
    for (const auto member : object) members.push_back(member);
    if (!std::is_sorted(members.begin(), members.end(), by_utf16)) {
        std::sort(members.begin(), members.end(), by_utf16);
    }
    return members;
}

// `depth` levels may still be opened. simdjson bounds the recursion, but is one off: it does not
// count an empty array or object.
const char* fault_of(element value, std::size_t depth);

const char* fault_of_object(simdjson::dom::object object, std::size_t depth) {
    const Members members = sorted_members(object);
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (i > 0 && members[i].key == members[i - 1].key) return "a member is given twice";
        if (members[i].key.find('\0') != std::string_view::npos) return "a name holds NUL";
        if (const char* fault = fault_of(members[i].value, depth)) return fault;
    }
    return nullptr;
}

const char* fault_of(element value, std::size_t depth) {
    constexpr auto limit = static_cast<double>(max_safe_integer);
    switch (value.type()) {
        case element_type::OBJECT:
            if (depth == 0) return "nested too deep";
            return fault_of_object(value.get_object().value_unsafe(), depth - 1);
        case element_type::ARRAY:
            if (depth == 0) return "nested too deep";
            for (const element item : simdjson::dom::array(value.get_array().value_unsafe())) {
                if (const char* fault = fault_of(item, depth - 1)) return fault;
            }
            return nullptr;
        case element_type::STRING:
            return value.get_string().value_unsafe().find('\0') == std::string_view::npos
                       ? nullptr
                       : "a string holds NUL";
        case element_type::UINT64:
            return "a number is beyond 2^53";
        case element_type::INT64: {
            const std::int64_t number = value.get_int64().value_unsafe();
            return number >= -max_safe_integer && number <= max_safe_integer
                       ? nullptr
                       : "a number is beyond 2^53";
        }
        case element_type::DOUBLE:
            return std::abs(value.get_double().value_unsafe()) <= limit ? nullptr
                                                                        : "a number is beyond 2^53";
        case element_type::BOOL:
        case element_type::NULL_VALUE:
            return nullptr;
    }
    return "not JSON";
}

void append_integer(std::string& out, std::int64_t number) {
    char buffer[24];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, number);
    out.append(buffer, end.ptr);
}

}  // namespace

bool JsonDocument::parse(std::string_view text, std::size_t depth, element& root,
                         std::string& why) {
    // One parser per thread keeps its buffers; its DOM is read before the next call.
    thread_local simdjson::dom::parser parser;
    thread_local std::size_t ready_for = 0, ready_depth = 0;
    if (text.size() > ready_for || depth != ready_depth) {
        ready_for = std::bit_ceil(std::max(text.size(), std::size_t{4096}));
        ready_depth = depth;
        if (parser.allocate(ready_for, depth + 2) != simdjson::SUCCESS) {
            ready_for = 0;
            why = "no memory";
            return false;
        }
    }
    const auto error = parser.parse(text.data(), text.size(), true).get(root);
    if (error != simdjson::SUCCESS) {
        why = simdjson::error_message(error);
        return false;
    }
    if (const char* fault = fault_of(root, depth)) {
        why = fault;
        return false;
    }
    return true;
}

void append_canonical(std::string& out, element value) {
    switch (value.type()) {
        case element_type::OBJECT: {
            out += '{';
            bool first = true;
            for (const auto& member : sorted_members(value.get_object().value_unsafe())) {
                if (!first) out += ',';
                first = false;
                append_canonical_string(out, member.key);
                out += ':';
                append_canonical(out, member.value);
            }
            out += '}';
            return;
        }
        case element_type::ARRAY: {
            out += '[';
            bool first = true;
            for (const element item : simdjson::dom::array(value.get_array().value_unsafe())) {
                if (!first) out += ',';
                first = false;
                append_canonical(out, item);
            }
            out += ']';
            return;
        }
        case element_type::STRING:
            return append_canonical_string(out, value.get_string().value_unsafe());
        case element_type::INT64:
            return append_integer(out, value.get_int64().value_unsafe());
        case element_type::DOUBLE:
            return append_canonical_number(out, value.get_double().value_unsafe());
        case element_type::BOOL:
            out += value.get_bool().value_unsafe() ? "true" : "false";
            return;
        case element_type::UINT64:  // refused by parse
        case element_type::NULL_VALUE:
            out += "null";
            return;
    }
}

std::string canonical_text(element value) {
    std::string out;
    append_canonical(out, value);
    return out;
}

}  // namespace dutybook::domain
