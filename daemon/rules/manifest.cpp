#include "rules/manifest.h"

#include "base/printable.h"
#include "rules/json_lines.h"
#include "rules/near_names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

namespace dutybook::rules {
namespace {

template <class List, class Member>
auto named(const List& list, Member member, std::string_view name) -> decltype(list.data()) {
    const auto found = std::find_if(list.begin(), list.end(),
                                    [&](const auto& item) { return item.*member == name; });
    return found == list.end() ? nullptr : &*found;
}

std::string shown(const Json& value) {
    return value.is_string() ? value.get<std::string>() : canonical(value);
}

}  // namespace

std::string text_in(const Texts& texts, std::string_view language) {
    const std::array<std::string_view, 3> wanted{language, language.substr(0, language.find('-')),
                                                 "en"};
    for (const std::string_view name : wanted) {
        if (const auto found = texts.find(name); found != texts.end()) return found->second;
    }
    return texts.empty() ? std::string() : texts.begin()->second;
}

Severity ManifestRule::severity_for(Purpose purpose) const {
    if (purpose == Purpose::Check) return check;
    if (purpose == Purpose::LocalWrite && check == Severity::Reject) return check;
    return stored == Severity::Reject ? Severity::NeedsReview : stored;
}

const ManifestRule* Manifest::rule(std::string_view name) const {
    return named(rules, &ManifestRule::id, name);
}

const ManifestReport* Manifest::report(std::string_view name) const {
    return named(reports, &ManifestReport::name, name);
}

std::vector<std::string> Manifest::migrated_kinds() const {
    std::vector<std::string> all;
    for (const ManifestKind& one : kinds) {
        if (one.migrates) all.push_back(one.kind);
    }
    return all;
}

std::vector<std::string> Manifest::sees() const {
    std::set<std::string> all;
    const auto add = [&](const NeedSet& set) {
        all.insert(set.kinds.begin(), set.kinds.end());
        for (const Need& need : set.needs) all.insert(need.kind);
    };
    for (const ManifestRule& one : rules) add(one.needs);
    for (const ManifestCompletion& one : completes) add(one.needs);
    for (const ManifestReport& one : reports) add(one.needs);
    return {all.begin(), all.end()};
}

Json Manifest::default_configuration() const {
    Json defaults = Json::object();
    const auto properties = configuration.find("properties");
    if (properties == configuration.end()) return defaults;
    for (const auto& [name, property] : properties->items()) {
        const auto value = property.find("default");
        if (value != property.end()) defaults[name] = *value;
    }
    return defaults;
}

Result<void> add_locale(Manifest& manifest, const std::string& language, std::string_view text,
                        const std::string& file) {
    TRY_ASSIGN(const Json document, parse_document(text, file));
    if (!document.is_object()) return in_file(malformed("must be an object of texts"), file, text);
    std::map<std::string, Texts*> known;
    for (ManifestRule& rule : manifest.rules) {
        for (auto& [code, texts] : rule.messages) known[rule.id + "." + code] = &texts;
    }
    for (const auto& [key, message] : document.items()) {
        const std::string place = pointer_to("", key);
        const auto found = known.find(key);
        if (found == known.end()) {
            std::vector<std::string> names;
            names.reserve(known.size());
            for (const auto& [name, texts] : known) names.push_back(name);
            Error error = malformed("\"" + key + "\" is no message of this plugin", place);
            error.fix = did_you_mean(key, names);
            return in_file(std::move(error), file, text);
        }
        if (!message.is_string()) return in_file(malformed("must be a text", place), file, text);
        (*found->second)[language] = message.get<std::string>();
    }
    return {};
}

int compare_versions(std::string_view a, std::string_view b) {
    const auto part = [](std::string_view& text) {
        int value = 0;
        const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
        text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
        if (text.starts_with('.')) text.remove_prefix(1);
        return value;
    };
    for (int i = 0; i < 3; ++i) {
        const int left = part(a), right = part(b);
        if (left != right) return left < right ? -1 : 1;
    }
    return 0;
}

std::string filled(std::string_view message, const Json& values) {
    // One value may stand in a message hundreds of times.
    constexpr std::size_t longest = 16'000;
    std::string text;
    while (!message.empty() && text.size() <= longest) {
        const std::size_t open = message.find('{');
        const std::size_t close = open == std::string_view::npos ? open : message.find('}', open);
        if (close == std::string_view::npos) break;
        text += message.substr(0, open);
        const std::string name(message.substr(open + 1, close - open - 1));
        const bool known = values.is_object() && values.contains(name);
        text += known ? shown(values[name]) : "{" + name + "}";
        message.remove_prefix(close + 1);
    }
    text += message;
    return beginning(text, longest);
}

}  // namespace dutybook::rules
