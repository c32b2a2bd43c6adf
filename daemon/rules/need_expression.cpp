#include "rules/need_expression.h"

#include <algorithm>

namespace dutybook::rules {
namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

bool word(std::string_view text) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    };
    return !text.empty() && std::all_of(text.begin(), text.end(), good);
}

void collect(const Json& value, std::size_t depth, const Path& path, std::vector<Json>& found) {
    if (value.is_null()) return;
    if (value.is_array()) {
        for (const Json& element : value) collect(element, depth, path, found);
        return;
    }
    if (depth == path.members.size()) {
        found.push_back(value);
        return;
    }
    if (!value.is_object()) return;
    const auto member = value.find(path.members[depth]);
    if (member != value.end()) collect(*member, depth + 1, path, found);
}

std::optional<Json> envelope(const std::string& member, const RuleRecord& record) {
    if (member == "_id") return record.id;
    if (member == "_kind") return record.kind;
    if (member == "_space") return record.space;
    if (member == "_status") return domain::name_of(record.status);
    if (member == "_by") return record.by;
    if (member == "_created") return format_utc(record.created_at);
    if (member == "_changed") return format_utc(record.changed_at);
    return std::nullopt;
}

bool known_envelope(const std::string& member) {
    return envelope(member, RuleRecord{}).has_value();
}

}  // namespace

std::string Path::text() const {
    std::string text = name;
    for (const std::string& member : members) text += "." + member;
    return text;
}

Result<Path> parse_path(std::string_view text) {
    Path path;
    std::string_view rest = trimmed(text);
    const Error wrong = malformed("\"" + std::string(text) +
                                  "\" is no path (write NAME.FIELD, for example dose.order)");
    while (true) {
        const std::size_t dot = rest.find('.');
        const std::string_view part = rest.substr(0, dot);
        if (!word(part)) return wrong;
        if (path.name.empty()) {
            path.name = part;
        } else {
            path.members.emplace_back(part);
        }
        if (dot == std::string_view::npos) break;
        rest.remove_prefix(dot + 1);
    }
    if (path.members.empty()) return wrong;
    if (path.members.front().starts_with('_') && !path.of_configuration() &&
        (path.members.size() > 1 || !known_envelope(path.members.front()))) {
        return malformed("\"" + std::string(text) +
                         "\" is not there (_id, _kind, _space, _status, _by, _created, _changed)");
    }
    return path;
}

Result<Moment> parse_moment(std::string_view text) {
    const std::size_t sign = text.find_first_of("+-");
    const std::string_view base = trimmed(text.substr(0, sign));
    Moment moment;
    if (base != "now") {
        TRY_ASSIGN(moment.base, parse_path(base));
    }
    if (sign == std::string_view::npos) {
        moment.moved = Duration{};
        return moment;
    }
    moment.back = text[sign] == '-';
    const std::string_view moved = trimmed(text.substr(sign + 1));
    if (moved.starts_with("config.")) {
        TRY_ASSIGN(moment.moved, parse_path(moved));
    } else {
        TRY_ASSIGN(moment.moved, parse_duration(moved));
    }
    return moment;
}

std::vector<Json> values_at(const Path& path, const RuleRecord& record) {
    if (const auto value = envelope(path.members.front(), record)) return {*value};
    const auto field = record.fields.find(path.members.front());
    if (field == record.fields.end()) return {};
    const Json value = Json::parse(field->second, nullptr, false);
    std::vector<Json> found;
    if (!value.is_discarded()) collect(value, 1, path, found);
    return found;
}

std::vector<Json> values_at(const Path& path, const Json& configuration) {
    std::vector<Json> found;
    collect(configuration, 0, path, found);
    return found;
}

std::optional<Duration> duration_of(const Moment& moment, const Json& configuration) {
    Duration duration;
    if (const auto* fixed = std::get_if<Duration>(&moment.moved)) {
        duration = *fixed;
    } else {
        const auto values = values_at(std::get<Path>(moment.moved), configuration);
        if (values.size() != 1 || !values.front().is_string()) return std::nullopt;
        const auto parsed = parse_duration(values.front().get<std::string>());
        if (!parsed) return std::nullopt;
        duration = *parsed;
    }
    return moment.back ? -duration : duration;
}

}  // namespace dutybook::rules
