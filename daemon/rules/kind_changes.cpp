#include "rules/kind_changes.h"

#include "rules/json_lines.h"

#include <algorithm>
#include <set>

namespace dutybook::rules {

namespace {

class Comparison {
public:
    std::vector<KindChange> run(const Json& before, const Json& next) {
        compare(before, next, "");
        return std::move(changes_);
    }

private:
    using Sort = KindChange::Sort;
    void tell(Sort sort, std::string what, std::string pointer) {
        changes_.push_back({sort, std::move(what), std::move(pointer)});
    }

    void compare(const Json& before, const Json& next, const std::string& at) {
        if (!before.is_object() || !next.is_object()) return;
        types(before, next, at);
        values(before, next, at);
        bounds(before, next, at);
        if (differs(before, next, "x-refers")) {
            tell(Sort::Never, another("x-refers"), pointer_to(at, "x-refers"));
        }
        if (merge_of(before) != merge_of(next)) {
            tell(Sort::Never, another("x-merge"),
                 next.contains("x-merge") ? pointer_to(at, "x-merge") : at);
        }
        for (const char* word : {"format", "pattern"}) {
            if (differs(before, next, word)) {
                tell(Sort::Narrower, another(word), pointer_to(at, word));
            }
        }
        required(before, next, at);
        if (before.contains("items") && next.contains("items")) {
            compare(before["items"], next["items"], pointer_to(at, "items"));
        }
        const Json was = before.value("properties", Json::object());
        const Json properties = next.value("properties", Json::object());
        for (const auto& [name, schema] : properties.items()) {
            const auto found = was.find(name);
            if (found == was.end()) continue;
            compare(*found, schema, pointer_to(pointer_to(at, "properties"), name));
        }
        if (!at.empty()) return;  // only the fields themselves can be cleared
        for (const auto& [name, schema] : was.items()) {
            if (properties.contains(name)) continue;
            tell(Sort::Gone, "the field \"" + name + "\" is gone", "/properties");
        }
    }

    static bool differs(const Json& before, const Json& next, const char* word) {
        return next.contains(word) && before.value(word, Json()) != next[word];
    }
    static std::string merge_of(const Json& schema) { return schema.value("x-merge", "register"); }
    static std::string another(const char* word) {
        return std::string("\"") + word + "\" is another one";
    }

    static std::set<std::string> types_of(const Json& schema) {
        const Json type = schema.value("type", Json());
        if (type.is_string()) return {type.get<std::string>()};
        if (type.is_array()) return type.get<std::set<std::string>>();
        return {};
    }
    void types(const Json& before, const Json& next, const std::string& at) {
        const auto was = types_of(before);
        auto now = types_of(next);
        if (now.empty() || now == was) return;
        if (now.count("number") != 0) now.insert("integer");
        if (was.empty() || !std::includes(now.begin(), now.end(), was.begin(), was.end())) {
            tell(Sort::Shown, "the type is another one", pointer_to(at, "type"));
        }
    }

    void values(const Json& before, const Json& next, const std::string& at) {
        const auto now = next.find("enum");
        if (now == next.end()) return;
        const auto was = before.find("enum");
        if (was == before.end()) {
            return tell(Sort::Shown, "it takes some values only now", pointer_to(at, "enum"));
        }
        for (const Json& value : *was) {
            if (std::find(now->begin(), now->end(), value) == now->end()) {
                tell(Sort::Shown, "it does not take " + canonical(value) + " any more",
                     pointer_to(at, "enum"));
            }
        }
    }

    void bounds(const Json& before, const Json& next, const std::string& at) {
        const auto check = [&](const char* word, bool lower) {
            const auto now = next.find(word);
            if (now == next.end() || !now->is_number()) return;
            const auto was = before.find(word);
            const bool wider =
                was != before.end() && was->is_number() && (lower ? *now <= *was : *now >= *was);
            if (wider) return;
            tell(Sort::Narrower, std::string("\"") + word + "\" is narrower", pointer_to(at, word));
        };
        for (const char* word : {"minimum", "exclusiveMinimum", "minLength", "minItems"}) {
            check(word, true);
        }
        for (const char* word : {"maximum", "exclusiveMaximum", "maxLength", "maxItems"}) {
            check(word, false);
        }
    }

    void required(const Json& before, const Json& next, const std::string& at) {
        const Json was = before.value("required", Json::array());
        const Json now = next.value("required", Json::array());
        for (std::size_t i = 0; i < now.size(); ++i) {
            if (std::find(was.begin(), was.end(), now[i]) != was.end()) continue;
            tell(Sort::Shown, canonical(now[i]) + " was not required",
                 pointer_to(pointer_to(at, "required"), i));
        }
    }

    std::vector<KindChange> changes_;
};

using Sort = KindChange::Sort;

std::int64_t version_of(const Json& schema) {
    const Json version = schema.value("x-version", Json());
    return version.is_number_integer() ? version.get<std::int64_t>() : 1;
}

std::string fix_of(Sort sort, bool not_raised) {
    if (sort == Sort::Never) {
        return "no migration can tell what an older record means; give it a field of another name, "
               "and rules that read both";
    }
    if (not_raised) return "raise its \"x-version\"";
    if (sort == Sort::Narrower) return "it holds for what is written from now on";
    return "migrate it: raise its \"x-version\", say \"migrates\": true of it in plugin.json, and "
           "set migrate[KIND]; or keep taking what was taken";
}

const KindSource* source_of(const PluginPackage& package, const std::string& kind) {
    for (const KindSource& source : package.kinds) {
        const Json document = Json::parse(source.text, nullptr, false);
        if (document.is_object() && document.value("x-kind", Json()) == kind) return &source;
    }
    return nullptr;
}

}  // namespace

std::vector<KindChange> narrowed(const Json& before, const Json& next) {
    return Comparison().run(before, next);
}

std::vector<Error> breaking_changes(const PluginPackage& before, const PluginPackage& next) {
    std::vector<Error> errors;
    for (const ManifestKind& kind : next.manifest.kinds) {
        const KindSource* const old_source = source_of(before, kind.kind);
        const KindSource* const new_source = source_of(next, kind.kind);
        if (old_source == nullptr || new_source == nullptr) continue;
        const Json was = Json::parse(old_source->text, nullptr, false);
        const Json now = Json::parse(new_source->text, nullptr, false);
        const bool raised = version_of(now) > version_of(was);
        for (const KindChange& change : narrowed(was, now)) {
            const bool migrated = raised && kind.migrates;
            if (migrated && (change.sort == Sort::Shown || change.sort == Sort::Gone)) continue;
            const bool warning = change.sort == Sort::Narrower || change.sort == Sort::Gone;
            Error error = failure(warning ? Code::Conflict : Code::Malformed,
                                  "records of version " + before.manifest.version +
                                      " may not fit kind " + kind.kind + ": " + change.what,
                                  {}, fix_of(change.sort, kind.migrates && !raised));
            error.pointer = change.pointer;
            errors.push_back(in_file(std::move(error), new_source->file, new_source->text));
        }
    }
    return errors;
}

}  // namespace dutybook::rules
