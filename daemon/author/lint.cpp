#include "author/lint.h"

#include "author/cases.h"
#include "author/lua_mentions.h"

#include "rules/json_lines.h"
#include "rules/kind_changes.h"
#include "rules/near_names.h"

#include <algorithm>

namespace dutybook::author {

namespace {

using Declared = std::map<std::string, std::string>;  // name -> pointer

class Linter {
public:
    Linter(const LoadedPlugins& loaded, const Surroundings& surroundings)
        : loaded_(loaded),
          surroundings_(surroundings),
          package_(loaded.packages.front()),
          manifest_(package_.manifest) {}

    std::vector<Error> run() {
        check_needs();
        check_texts();
        check_kinds();
        check_tests();
        check_migrations();
        check_code();
        check_mentions();
        return std::move(errors_);
    }

private:
    void complain(const std::string& what, const std::string& pointer, const std::string& fix = {},
                  Code code = Code::Malformed) {
        Error error = failure(code, manifest_.id + "/plugin.json: " + what, {}, fix);
        error.pointer = pointer;
        const auto text = package_.files.find("plugin.json");
        if (text != package_.files.end()) error.line = rules::line_of(text->second, pointer);
        errors_.push_back(std::move(error));
    }

    void complain_of_code(const std::string& what) {
        errors_.push_back(code_error(manifest_, what));
    }

    // A plugin cannot require one that is built on it, and may read its records where it is used.
    bool built_on_this(const std::string& kind) const {
        const auto reader = rules::ManifestReader::open(surroundings_.schemas);
        if (!reader) return false;
        const std::string id = kind.substr(0, kind.find('.'));
        const auto folder = place_of(id, surroundings_);
        if (folder.empty()) return false;
        const rules::Manifest other = rules::read_package_folder(folder, *reader).package.manifest;
        const bool brings =
            std::any_of(other.kinds.begin(), other.kinds.end(),
                        [&](const rules::ManifestKind& one) { return one.kind == kind; });
        return brings && other.requires_plugins.count(manifest_.id) != 0;
    }

    void check_need_set(const rules::NeedSet& set, const std::string& pointer) {
        for (const rules::Need& need : set.needs) {
            const std::string at = pointer + "/needs/" + need.name;
            const auto* traits = loaded_.kinds->find(need.kind);
            if (traits == nullptr) {
                if (built_on_this(need.kind)) continue;
                complain("the need \"" + need.name + "\" names kind " + need.kind +
                             ", which nobody brings",
                         at + "/kind", "name its plugin under \"requires\"");
                continue;
            }
            const auto known = [&](const std::string& field, const std::string& place) {
                if (!field.empty() && traits->fields.count(field) == 0) {
                    complain("kind " + need.kind + " has no field \"" + field + "\"", at + place);
                }
            };
            known(need.field, "/field");
            for (const rules::Condition& condition : need.where) known(condition.field, "/where");
        }
        for (const std::string& kind : set.kinds) {
            if (loaded_.kinds->find(kind) == nullptr) {
                complain("kind " + kind + " is judged, and nobody brings it", pointer + "/on");
            }
        }
    }

    void check_needs() {
        for (std::size_t i = 0; i < manifest_.rules.size(); ++i) {
            check_need_set(manifest_.rules[i].needs, pointer_to("/rules", i));
        }
        for (std::size_t i = 0; i < manifest_.reports.size(); ++i) {
            check_need_set(manifest_.reports[i].needs, pointer_to("/reports", i));
        }
        for (std::size_t i = 0; i < manifest_.completes.size(); ++i) {
            check_need_set(manifest_.completes[i].needs, pointer_to("/completes", i));
        }
    }

    void check_texts() {
        for (std::size_t i = 0; i < manifest_.rules.size(); ++i) {
            const rules::ManifestRule& rule = manifest_.rules[i];
            for (const auto& [code, texts] : rule.messages) {
                if (texts.count("en") == 0) {
                    complain("message " + rule.id + "." + code + " has no English text",
                             pointer_to("/rules", i) + "/messages/" + code);
                }
            }
        }
    }

    // Against the version that this one takes the place of.
    void check_kinds() {
        const auto reader = rules::ManifestReader::open(surroundings_.schemas);
        if (!reader) return errors_.push_back(reader.error());
        const auto folder = place_of(manifest_.id, surroundings_);
        if (folder.empty()) return;
        const auto before = rules::read_package_folder(folder, *reader);
        if (!before.errors.empty()) return;  // what is broken was never in use
        for (Error& error : rules::breaking_changes(before.package, package_)) {
            errors_.push_back(std::move(error));
        }
    }

    void check_tests() {
        auto cases = read_cases(package_.files, manifest_.id, surroundings_.schemas);
        errors_.insert(errors_.end(), cases.errors.begin(), cases.errors.end());
    }

    // Who changes a person's records has shown what it does to them.
    void check_migrations() {
        const auto cases = read_cases(package_.files, manifest_.id, surroundings_.schemas).cases;
        for (std::size_t i = 0; i < manifest_.kinds.size(); ++i) {
            const rules::ManifestKind& kind = manifest_.kinds[i];
            if (!kind.migrates) continue;
            const std::string at = pointer_to("/kinds", i) + "/migrates";
            const bool tried = std::any_of(cases.begin(), cases.end(), [&](const TestCase& test) {
                return test.text.value("/do/migrate/kind"_json_pointer, "") == kind.kind;
            });
            if (!tried) {
                complain("kind " + kind.kind + " migrates, and no test case tries it", at,
                         R"(add one to tests/: "do": {"migrate": {"kind": )" +
                             canonical(kind.kind) + R"(, "fields": {...}}})");
            }
            if (loaded_.kinds->schema(kind.kind).value("x-version", Json(1)) == Json(1)) {
                complain(
                    "kind " + kind.kind + " migrates, and is of version 1: there is none older", at,
                    "raise its \"x-version\"");
            }
        }
    }

    // Where the code sets an entry of a table: the first line that names it.
    std::string place_in_code(const std::string& name) const {
        for (const auto& [file, text] : package_.files) {
            if (!file.ends_with(".lua")) continue;
            for (const std::string& written : {"\"" + name + "\"", "'" + name + "'", "." + name}) {
                const auto at = text.find(written);
                if (at == std::string::npos) continue;
                const auto before = std::string_view(text).substr(0, at);
                const auto line = 1 + std::count(before.begin(), before.end(), '\n');
                return file + ":" + std::to_string(line);
            }
        }
        return "rules.lua";
    }

    void compare(const std::string& what, const Declared& declared,
                 const std::vector<std::string>& got, const char* table) {
        const std::set<std::string> written(got.begin(), got.end());
        for (const auto& [name, pointer] : declared) {
            if (written.count(name) == 0) {
                complain(what + " " + name + " is declared, and no Lua file sets " + table + "[\"" +
                             name + "\"]",
                         pointer);
            }
        }
        for (const std::string& name : written) {
            if (declared.count(name) != 0) continue;
            complain_of_code(manifest_.id + "/" + place_in_code(name) + ": the code sets " + table +
                             "[\"" + name + "\"], which the manifest does not declare");
            errors_.back().code = Code::Conflict;
        }
    }

    // Loads the code in a worker, as it will be loaded.
    void check_code() {
        if (package_.lua.empty() && !manifest_.native) return;
        BenchSpace space(loaded_, surroundings_);
        const auto plugin = space.host().find(manifest_.id);
        const auto started = plugin->slot->warm_up();
        if (!started) {
            errors_.push_back(code_error(manifest_, started.error().why));
            return;
        }
        if (manifest_.native) return;
        const Json ready = plugin->slot->status().sandbox;
        Declared judged, completes, reports, migrates;
        for (std::size_t i = 0; i < manifest_.rules.size(); ++i) {
            judged[manifest_.rules[i].id] = pointer_to("/rules", i);
        }
        for (std::size_t i = 0; i < manifest_.completes.size(); ++i) {
            completes[manifest_.completes[i].kind] = pointer_to("/completes", i);
        }
        for (std::size_t i = 0; i < manifest_.reports.size(); ++i) {
            reports[manifest_.reports[i].name] = pointer_to("/reports", i);
        }
        for (std::size_t i = 0; i < manifest_.kinds.size(); ++i) {
            if (manifest_.kinds[i].migrates) {
                migrates[manifest_.kinds[i].kind] = pointer_to("/kinds", i);
            }
        }
        // The worker's words: nothing in them is sure to be there, nor a text.
        const auto said = [&ready](const char* name) {
            std::vector<std::string> texts;
            const Json list = ready.is_object() ? ready.value(name, Json()) : Json();
            for (const Json& one : list)
                if (one.is_string()) texts.push_back(one.get<std::string>());
            return texts;
        };
        compare("rule", judged, said("rules"), "rules");
        compare("completion", completes, said("completes"), "complete");
        compare("report", reports, said("reports"), "reports");
        compare("migration", migrates, said("migrates"), "migrate");
        for (const std::string& text : said("undefined")) {
            const auto blank = text.find(' ');
            complain_of_code(manifest_.id + "/" + text.substr(0, blank) +
                             ": nobody sets the global \"" + text.substr(blank + 1) +
                             "\"; is it misspelt, or a parameter that is not handed on?");
        }
    }

    // A need that nobody declares is nil for ever; a code that no rule declares leaves its record
    // unchecked, though `code` may also be a word of the plugin's own.
    void check_mentions() {
        std::vector<std::string> codes, needs;
        const auto add_needs = [&needs](const rules::NeedSet& set) {
            for (const rules::Need& need : set.needs) needs.push_back(need.name);
        };
        for (const rules::ManifestRule& rule : manifest_.rules) {
            for (const auto& [code, texts] : rule.messages) codes.push_back(code);
            add_needs(rule.needs);
        }
        for (const auto& completion : manifest_.completes) add_needs(completion.needs);
        for (const auto& report : manifest_.reports) add_needs(report.needs);
        for (const auto& [file, text] : package_.lua) {
            const auto tell = [&, name = file](const Mention& mention, const std::string& what,
                                               const std::vector<std::string>& declared) {
                complain_of_code(manifest_.id + "/" + name + ":" + std::to_string(mention.line) +
                                 ": " + what + " \"" + mention.name +
                                 "\" is declared nowhere in plugin.json");
                errors_.back().fix = rules::did_you_mean(mention.name, declared);
            };
            for (const Mention& need : mentioned_needs(text)) {
                if (std::find(needs.begin(), needs.end(), need.name) == needs.end()) {
                    tell(need, "the need", needs);
                }
            }
            for (const Mention& code : mentioned_codes(text)) {
                if (std::none_of(codes.begin(), codes.end(), [&](const std::string& declared) {
                        return code.begins ? declared.starts_with(code.name)
                                           : declared == code.name;
                    })) {
                    tell(code, "the code", codes);
                    errors_.back().code = Code::Conflict;
                }
            }
        }
    }

    const LoadedPlugins& loaded_;
    const Surroundings& surroundings_;
    const rules::PluginPackage& package_;
    const rules::Manifest& manifest_;
    std::vector<Error> errors_;
};

}  // namespace

std::vector<Error> lint(const std::filesystem::path& folder, const Surroundings& surroundings) {
    const LoadedPlugins loaded = load_with_required(folder, surroundings);
    if (!loaded.errors.empty()) return loaded.errors;
    return Linter(loaded, surroundings).run();
}

bool is_warning(const Error& error) {
    return error.code == Code::Conflict;
}

}  // namespace dutybook::author
