#include "rules/near_names.h"
#include "rules/needs.h"

#include <algorithm>
#include <set>

namespace dutybook::rules {
namespace {

Error at(Error error, const std::string& pointer) {
    error.pointer = pointer;
    return error;
}

class Parser {
public:
    Parser(const Json& needs, const std::string& subject, bool clock, const std::string& pointer)
        : needs_(needs), subject_(subject), clock_(clock), pointer_(pointer) {}

    Result<std::vector<Need>> run() {
        for (const auto& [name, value] : needs_.items()) {
            const std::string place = pointer_to(pointer_, name);
            if (name == subject_ || name == "config" || name == "now") {
                return malformed("a need cannot be called \"" + name + "\"", place);
            }
            TRY_ASSIGN(Need need, parse(name, value, place));
            parsed_.emplace(name, std::move(need));
        }
        return ordered();
    }

private:
    Result<Need> parse(const std::string& name, const Json& value, const std::string& place) {
        Need need;
        need.name = name;
        need.kind = value.value("kind", "");
        need.list = !value.contains("id") || value.value("list", false);
        need.limit = value.value("limit", need.limit);
        need.field = value.value("field", "");
        if (value.contains("id")) {
            TRY_ASSIGN(need.id, path(value["id"], pointer_to(place, "id")));
            if (value.contains("where") || value.contains("field")) {
                return malformed("a need is looked up by id or by conditions, not by both", place);
            }
        }
        TRY(conditions(value, place, need));
        TRY_ASSIGN(need.from, moment(value, "from", place));
        TRY_ASSIGN(need.to, moment(value, "to", place));
        return need;
    }

    Result<void> conditions(const Json& value, const std::string& place, Need& need) {
        const auto where = value.find("where");
        if (where == value.end()) return {};
        for (const auto& [field, wanted] : where->items()) {
            const std::string here = pointer_to(pointer_to(place, "where"), field);
            if (wanted.is_object()) {
                need.where.push_back({field, wanted.value("const", Json())});
                continue;
            }
            TRY_ASSIGN(Path found, path(wanted, here));
            need.where.push_back({field, std::move(found)});
        }
        return {};
    }

    Result<Path> path(const Json& value, const std::string& place) {
        auto parsed = parse_path(value.get<std::string>());
        if (!parsed) return at(std::move(parsed).error(), place);
        TRY(known_name(*parsed, place));
        return std::move(*parsed);
    }

    Result<std::optional<Moment>> moment(const Json& value, const char* member,
                                         const std::string& parent) {
        const auto found = value.find(member);
        if (found == value.end()) return std::optional<Moment>();
        const std::string place = pointer_to(parent, member);
        auto parsed = parse_moment(found->get<std::string>());
        if (!parsed) return at(std::move(parsed).error(), place);
        if (parsed->base) {
            TRY(known_name(*parsed->base, place));
        } else if (!clock_) {
            return malformed("now is for rules with \"clock\": true and for reports", place);
        }
        return std::optional<Moment>(std::move(*parsed));
    }

    Result<void> known_name(const Path& used, const std::string& place) const {
        if (used.of_configuration() || used.name == subject_ || needs_.contains(used.name)) {
            return {};
        }
        std::vector<std::string> names{subject_, "config"};
        for (const auto& [name, value] : needs_.items()) names.push_back(name);
        Error error = malformed("there is no \"" + used.name + "\" here", place);
        error.fix = did_you_mean(used.name, names);
        return error;
    }

    // Takes away, again and again, what depends only on what was taken already.
    Result<std::vector<Need>> ordered() {
        std::vector<Need> order;
        std::set<std::string> done{subject_};
        while (!parsed_.empty()) {
            const auto ready = std::find_if(parsed_.begin(), parsed_.end(), [&](const auto& entry) {
                const auto names = entry.second.depends();
                return std::all_of(names.begin(), names.end(),
                                   [&](const std::string& name) { return done.contains(name); });
            });
            if (ready == parsed_.end()) {
                const std::string& name = parsed_.begin()->first;
                return malformed("the needs depend on each other in a circle, \"" + name + "\" too",
                                 pointer_to(pointer_, name));
            }
            done.insert(ready->first);
            order.push_back(std::move(parsed_.extract(ready).mapped()));
        }
        return order;
    }

    const Json& needs_;
    const std::string& subject_;
    const bool clock_;
    const std::string& pointer_;
    std::map<std::string, Need> parsed_;
};

}  // namespace

std::vector<std::string> Need::depends() const {
    std::set<std::string> names;
    const auto use = [&](const std::optional<Path>& path) {
        if (path && !path->of_configuration()) names.insert(path->name);
    };
    use(id);
    for (const Condition& condition : where) {
        if (const auto* path = std::get_if<Path>(&condition.value)) use(*path);
    }
    for (const auto* moment : {&from, &to}) {
        if (*moment) use((*moment)->base);
    }
    return {names.begin(), names.end()};
}

const Need* NeedSet::find(std::string_view name) const {
    const auto found = std::find_if(needs.begin(), needs.end(),
                                    [&](const Need& need) { return need.name == name; });
    return found == needs.end() ? nullptr : &*found;
}

Result<NeedSet> parse_needs(const Json& needs, std::string subject, std::vector<std::string> kinds,
                            bool clock, const std::string& pointer) {
    NeedSet set;
    set.subject = std::move(subject);
    set.kinds = std::move(kinds);
    TRY_ASSIGN(set.needs, Parser(needs, set.subject, clock, pointer).run());
    return set;
}

}  // namespace dutybook::rules
