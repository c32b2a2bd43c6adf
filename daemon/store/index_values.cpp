#include "store/index_values.h"

#include "base/crypto.h"
#include "base/json.h"

#include <algorithm>

namespace dutybook::store {
namespace {

constexpr std::size_t longest_key = 64;
// Room for the doubling; about the years -140,000 to 140,000.
constexpr Millis far = std::int64_t{1} << 52;

std::optional<std::string_view> plain_string(std::string_view json) {
    if (json.size() < 2 || json.front() != '"' || json.find('\\') != std::string_view::npos) {
        return std::nullopt;
    }
    return json.substr(1, json.size() - 2);
}

void collect_strings(const Json& value, std::string& out) {
    if (value.is_string()) {
        out += value.get_ref<const std::string&>();
        out += '\n';
    } else if (value.is_structured()) {
        for (const Json& inner : value) collect_strings(inner, out);
    }
}

// Values without strings in them are not parsed.
void collect_text(std::string_view json, std::string& out) {
    if (json.find('"') == std::string_view::npos) return;
    if (json.front() == '"') {
        if (const auto text = plain_string(json)) {
            out.append(*text) += '\n';
            return;
        }
    }
    const Json value = Json::parse(json, nullptr, false);
    if (!value.is_discarded()) collect_strings(value, out);
}

}  // namespace

std::optional<Millis> millis_of_date(std::string_view date) {
    if (date.size() != 10 || date[4] != '-' || date[7] != '-') return std::nullopt;
    const auto parsed = parse_instant(std::string(date) + "T00:00:00Z");
    if (!parsed) return std::nullopt;
    return *parsed;
}

std::int64_t effective_key(const domain::RecordState& state, const domain::KindTraits* traits) {
    const auto key = [](Millis at, bool date) {
        return std::clamp(at, -far, far) * 2 + (date ? 1 : 0);
    };
    if (traits != nullptr && !traits->effective.empty()) {
        const auto field = state.fields.find(traits->effective);
        if (field != state.fields.end()) {
            if (const auto text = plain_string(field->second)) {
                if (const auto date = millis_of_date(*text)) return key(*date, true);
                if (const auto instant = parse_instant(*text)) return key(*instant, false);
            }
        }
    }
    return key(state.created.at, false);
}

bool kept_for_lookup(const domain::FieldTraits& field) {
    return field.indexed || !field.refers.empty();
}

std::string rows_fingerprint(const domain::KindTraits* traits) {
    if (traits == nullptr) return {};
    std::string text = traits->effective;
    for (const auto& [name, field] : traits->fields) {
        if (!field.searched) text += "\n" + name;
    }
    return text + "\n.";
}

std::string fingerprint(const domain::KindTraits* traits) {
    std::string text = rows_fingerprint(traits);
    if (traits == nullptr) return text;
    for (const auto& [name, field] : traits->fields) {
        if (kept_for_lookup(field)) text += "\n" + name + (field.refers.empty() ? "" : " r");
    }
    return text;
}

std::vector<std::string_view> elements(std::string_view array) {
    std::vector<std::string_view> found;
    if (array.size() < 3 || array.front() != '[') return found;
    std::size_t begin = 1, depth = 0;
    bool in_string = false;
    for (std::size_t i = 1; i + 1 < array.size(); ++i) {
        const char c = array[i];
        if (in_string) {
            if (c == '\\') {
                ++i;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            ++depth;
        } else if (c == ']' || c == '}') {
            --depth;
        } else if (c == ',' && depth == 0) {
            found.push_back(array.substr(begin, i - begin));
            begin = i + 1;
        }
    }
    found.push_back(array.substr(begin, array.size() - 1 - begin));
    return found;
}

std::string lookup_key(std::string_view value) {
    if (value.size() <= longest_key) return std::string(value);
    return "#" + hex(blake2b(value));  // no JSON text begins so
}

std::vector<std::string> lookup_keys(std::string_view value) {
    std::vector<std::string> keys;
    if (value.empty() || value == "null") return keys;
    if (value.front() != '[') {
        keys.push_back(lookup_key(value));
        return keys;
    }
    for (const std::string_view element : elements(value)) keys.push_back(lookup_key(element));
    return keys;
}

bool holds(const domain::RecordState& state, const std::string& field, std::string_view value) {
    const auto found = state.fields.find(field);
    if (found == state.fields.end()) return false;
    if (found->second == value) return true;
    const auto all = elements(found->second);
    return std::find(all.begin(), all.end(), value) != all.end();
}

// Under the tokenizer this is one word, and none that people write.
std::string kind_word(std::int64_t kind) {
    return "qkind" + std::to_string(kind) + "q";
}

std::string search_text(const domain::RecordState& state, const domain::KindTraits* traits,
                        std::int64_t kind) {
    std::string text;
    for (const auto& [name, value] : state.fields) {
        if (traits != nullptr) {
            const auto field = traits->fields.find(name);
            if (field != traits->fields.end() && !field->second.searched) continue;
        }
        collect_text(value, text);
    }
    return text + kind_word(kind);
}

}  // namespace dutybook::store
