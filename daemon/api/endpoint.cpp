#include "api/endpoint.h"

#include <algorithm>

namespace dutybook::api {

std::vector<Query> reason_query() {
    return {{"reason", Type::Text, "why; a final record changes only with one"}};
}

namespace {

// A client tells by "parameter" what was asked wrongly from what was to be written.
Error wrong_parameter(const std::string& name, const std::string& what, std::string fix = {}) {
    Error error = failure(Code::Malformed, what, {}, std::move(fix));
    error.detail = Json({{"parameter", name}}).dump();
    return error;
}

Result<std::string> decode(std::string_view text, const char* where) {
    auto decoded = percent_decode(text);
    if (!decoded) return malformed(std::string("the ") + where + " is not percent-encoded UTF-8");
    return std::move(*decoded);
}

bool is_parameter(std::string_view segment) {
    return !segment.empty() && segment.front() == '{';
}

bool fits(Type type, const Json& value) {
    switch (type) {
        case Type::Text:
        case Type::Instant:
            return value.is_string();
        case Type::Flag:
            return value.is_boolean();
        case Type::Number:
            return value.is_number();
        case Type::Object:
            return value.is_object();
        case Type::Any:
            break;
    }
    return true;
}

const char* word_for(Type type) {
    switch (type) {
        case Type::Text:
        case Type::Instant:
            return "a string";
        case Type::Flag:
            return "true or false";
        case Type::Number:
            return "a number";
        case Type::Object:
            return "an object";
        case Type::Any:
            break;
    }
    return "a value";
}

Result<void> check_text(const Query& query, const std::string& value) {
    const auto wrong = [&](const char* must) {
        const std::string name(query.name);
        return wrong_parameter(name, "the parameter " + name + " must be " + must);
    };
    if (query.type == Type::Flag && value != "1" && value != "0" && value != "true" &&
        value != "false" && !value.empty())
        return wrong("1 or 0");
    if (query.type == Type::Number &&
        (value.empty() || value.size() > 9 ||
         !std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; })))
        return wrong("a whole number of at most 9 digits");
    return {};
}

}  // namespace

Result<Target> parse_target(std::string_view target) {
    Target out;
    std::string_view query;
    if (const std::size_t mark = target.find('?'); mark != std::string_view::npos) {
        query = target.substr(mark + 1);
        target = target.substr(0, mark);
    }
    if (target.empty() || target.front() != '/') return malformed("the path must begin with /");
    while (!target.empty()) {
        target.remove_prefix(1);
        const std::size_t end = std::min(target.find('/'), target.size());
        TRY_ASSIGN(std::string segment, decode(target.substr(0, end), "path"));
        out.segments.push_back(std::move(segment));
        target.remove_prefix(end);
    }
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        std::string pair(query.substr(0, end));
        query.remove_prefix(std::min(end + 1, query.size()));
        if (pair.empty()) continue;
        std::replace(pair.begin(), pair.end(), '+', ' ');
        const std::size_t equals = std::min(pair.find('='), pair.size());
        TRY_ASSIGN(std::string name, decode(std::string_view(pair).substr(0, equals), "query"));
        TRY_ASSIGN(
            std::string value,
            decode(std::string_view(pair).substr(std::min(equals + 1, pair.size())), "query"));
        out.query.emplace_back(std::move(name), std::move(value));
    }
    return out;
}

Result<void> check_query(const Endpoint& endpoint, const Target& target) {
    for (std::size_t i = 0; i < target.query.size(); ++i) {
        const auto& [name, value] = target.query[i];
        const auto known = std::find_if(
            endpoint.query.begin(), endpoint.query.end(),
            [&, n = std::string_view(name)](const Query& query) { return query.name == n; });
        if (known == endpoint.query.end()) {
            std::string names;
            for (const Query& query : endpoint.query)
                names.append(names.empty() ? "" : ", ").append(query.name);
            return wrong_parameter(name, "there is no parameter " + name,
                                   names.empty() ? "this route takes none" : "known are: " + names);
        }
        TRY(check_text(*known, value));
        for (std::size_t j = 0; j < i && !known->repeatable; ++j) {
            if (target.query[j].first == name)
                return wrong_parameter(name, "the parameter " + name + " is given twice",
                                       "give it once");
        }
    }
    for (const Query& query : endpoint.query) {
        const bool given = std::any_of(target.query.begin(), target.query.end(),
                                       [&](const auto& pair) { return pair.first == query.name; });
        if (query.required && !given)
            return wrong_parameter(std::string(query.name),
                                   "the parameter " + std::string(query.name) + " is missing");
    }
    return {};
}

Result<void> check_members(const Endpoint& endpoint, const Json& body) {
    if (!body.is_object()) return malformed("the body must be a JSON object");
    for (const Member& member : endpoint.members) {
        const std::string name(member.name);
        const auto found = body.find(name);
        if (found == body.end()) {
            if (member.required) return malformed(name + " is missing", pointer_to("", name));
            continue;
        }
        if (member.nullable && found->is_null()) continue;
        if (!fits(member.type, *found))
            return malformed(name + " must be " + word_for(member.type), pointer_to("", name));
    }
    if (endpoint.body == Body::Record) return {};
    for (const auto& item : body.items()) {
        const bool known =
            std::any_of(endpoint.members.begin(), endpoint.members.end(),
                        [&](const Member& member) { return member.name == item.key(); });
        if (!known) {
            std::string names;
            for (const Member& member : endpoint.members)
                names.append(names.empty() ? "" : ", ").append(member.name);
            Error error = malformed("there is no member " + item.key(), pointer_to("", item.key()));
            error.fix = "known are: " + names;
            return error;
        }
    }
    return {};
}

namespace {

// Every list may be asked for pages, also one that is always short.
void declare_paging(Endpoint& endpoint) {
    endpoint.query.push_back({"limit", Type::Number, "at most so many (100; no more than 1000)"});
    endpoint.query.push_back({"cursor", Type::Text, "`next` of the page before"});
}

}  // namespace

void Router::add(std::vector<Endpoint> endpoints) {
    for (Endpoint& one : endpoints) {
        if (one.list && one.method == Method::Get) declare_paging(one);
        endpoints_.push_back(std::make_unique<Endpoint>(std::move(one)));
        Entry entry;
        entry.endpoint = endpoints_.back().get();
        std::string_view path = entry.endpoint->path;
        while (!path.empty()) {
            path.remove_prefix(1);
            const std::size_t end = std::min(path.find('/'), path.size());
            entry.segments.push_back(path.substr(0, end));
            path.remove_prefix(end);
        }
        if (by_length_.size() <= entry.segments.size())
            by_length_.resize(entry.segments.size() + 1);
        by_length_[entry.segments.size()].push_back(std::move(entry));
    }
}

Router::Match Router::match(Method method, const std::vector<std::string>& segments) const {
    Match match;
    if (segments.size() >= by_length_.size()) return match;
    for (const Entry& entry : by_length_[segments.size()]) {
        bool same = true;
        for (std::size_t i = 0; same && i < segments.size(); ++i) {
            same = is_parameter(entry.segments[i]) ? !segments[i].empty()
                                                   : entry.segments[i] == segments[i];
        }
        if (!same) continue;
        if (entry.endpoint->method != method) {
            match.allowed.append(match.allowed.empty() ? "" : ", ")
                .append(name_of(entry.endpoint->method));
            continue;
        }
        match.endpoint = entry.endpoint;
        for (std::size_t i = 0; i < segments.size(); ++i) {
            if (is_parameter(entry.segments[i])) match.arguments.push_back(segments[i]);
        }
        return match;
    }
    return match;
}

}  // namespace dutybook::api
