// plugin list new lint test install remove rollback enable disable config explain shadow doctor
#include "cli/command.h"
#include "cli/run.h"
#include "cli/values.h"

#include <ostream>

namespace dutybook::cli {

namespace {

void print_status(Session& session, const Json& plugin, Table& table) {
    if (session.json()) return print_json(session.out(), plugin);
    std::string off;
    for (const auto& space : plugin.value("off", Json::array())) {
        off += (off.empty() ? "" : ", ") + space.get<std::string>();
    }
    table.add({text_of(plugin, "id"), text_of(plugin, "version"), text_of(plugin, "state"),
               std::to_string(plugin.value("restarts", 0)), text_of(plugin, "origin"), off,
               text_of(plugin, "why")});
}

Result<int> list(Session& session) {
    TRY_ASSIGN(const Json answer, session.get("/v1/plugins"));
    Table table({"PLUGIN", "VERSION", "STATE", "RESTARTS", "FROM", "OFF IN", "WHY"});
    for (const auto& one : answer.value("items", Json::array())) print_status(session, one, table);
    if (!session.json() && !table.empty()) table.print(session.out());
    return done;
}

// The daemon reads the folder itself, so the path must not depend on where we stand.
std::string absolute(const std::string& folder) {
    std::error_code failed;
    const auto path = std::filesystem::canonical(folder, failed);
    return failed ? folder : path.string();
}

void print_shadow(Session& session, const Json& shadow) {
    session.out() << text_of(shadow, "text") << '\n';
    for (const auto& finding : shadow.value("samples", Json::array())) {
        session.out() << "  " << text_of(finding, "rule") << "  " << text_of(finding, "message")
                      << '\n';
    }
}

Result<int> install(Session& session, const std::string& folder, bool dry_run) {
    TRY_ASSIGN(const Json answer,
               session.post("/v1/plugins", {{"folder", absolute(folder)}, {"dry_run", dry_run}}));
    if (session.json()) {
        print_json(session.out(), answer);
        return done;
    }
    session.out() << (dry_run ? "would install " : "installed ") << text_of(answer, "id") << ' '
                  << text_of(answer, "version") << '\n';
    print_shadow(session, answer["shadow"]);
    return done;
}

Result<int> shadow(Session& session, const std::string& folder) {
    TRY_ASSIGN(const Json answer,
               session.post("/v1/plugins/shadow", {{"folder", absolute(folder)}}));
    session.json() ? print_json(session.out(), answer) : print_shadow(session, answer);
    return done;
}

Result<int> act(Session& session, const std::string& method, const std::string& target,
                const Json& body, const std::string& said) {
    TRY_ASSIGN(const Json answer, session.ask(method, target, body, {}));
    if (session.json()) {
        print_json(session.out(), answer);
    } else {
        session.out() << said << '\n';
    }
    return done;
}

// Settings are a record, so that all sites judge alike: one record for each plugin and space.
Result<int> configure(Session& session, const std::string& plugin,
                      const std::vector<std::string>& settings) {
    Json fields = Json::object();
    TRY_ASSIGN(const auto arguments, read_arguments(settings));
    for (const FieldArgument& argument : arguments) {
        const Json parsed = Json::parse(argument.value, nullptr, false);
        const bool typed = !parsed.is_discarded() && !parsed.is_null();
        fields[argument.field] = typed ? parsed : Json(argument.value);
    }
    const std::string id = "config-" + plugin;
    if (fields.empty()) {
        TRY_ASSIGN(const Json shown, session.get("/v1/plugins/" + plugin));
        session.out() << shown["settings"].dump(session.json() ? -1 : 2) << '\n';
        return done;
    }
    auto changed = session.ask("PATCH", session.in_space("records/" + id), fields, {{}, {}, true});
    if (!changed && exit_code(changed.error()) == failed) {
        fields["plugin"] = plugin;
        changed = session.post(session.in_space("records"),
                               {{"id", id}, {"kind", "core.plugin_config"}, {"fields", fields}});
    }
    if (!changed) return std::move(changed).error();
    if (session.json()) {
        print_json(session.out(), *changed);
    } else {
        print_record(session, *changed);
    }
    return done;
}

Result<int> explain(Session& session, const std::string& plugin) {
    TRY_ASSIGN(const Json shown, session.get("/v1/plugins/" + plugin));
    if (session.json()) {
        print_json(session.out(), shown);
        return done;
    }
    auto& out = session.out();
    out << text_of(shown, "id") << ' ' << text_of(shown, "version") << "  "
        << text_of(shown, "title") << "\n\nIt may look at these kinds, and at nothing else:\n";
    for (const auto& kind : shown["sees"]) out << "  " << kind.get<std::string>() << '\n';
    out << "\nRules:\n";
    for (const auto& rule : shown["rules"]) {
        out << "  " << text_of(rule, "rule") << "  " << text_of(rule, "title") << "\n    judges ";
        for (const auto& kind : rule["on"]) out << kind.get<std::string>() << ' ';
        out << "\n    asked beforehand: " << text_of(rule, "check")
            << "; of a record that is there: " << text_of(rule, "stored") << '\n';
        for (const auto& need : rule["needs"]) {
            out << "    looks at " << (need.value("list", false) ? "all " : "one ")
                << text_of(need, "kind") << " as \"" << text_of(need, "name") << "\"\n";
        }
        if (!text_of(rule, "source").empty())
            out << "    source: " << text_of(rule, "source") << '\n';
    }
    return done;
}

Result<int> doctor(Session& session) {
    TRY_ASSIGN(const Json answer, session.get("/v1/plugins"));
    int code = done;
    for (const auto& one : answer.value("items", Json::array())) {
        const std::string state = text_of(one, "state");
        const bool sick = state == "quarantined" || state == "broken" || state == "backoff";
        if (sick) code = needs_person;
        if (session.json()) {
            print_json(session.out(), one);
            continue;
        }
        session.out() << text_of(one, "id") << ": " << state;
        if (one["sandbox"].contains("seccomp")) {
            session.out() << ", seccomp on, Landlock ABI " << one["sandbox"].value("landlock", 0)
                          << ", " << one.value("memory", 0) / (1 << 20) << " MiB";
        }
        if (sick) {
            session.out() << "; " << text_of(one, "why")
                          << "; mend it and run `dutybook plugin enable " << text_of(one, "id")
                          << "`";
        }
        session.out() << '\n';
    }
    return code;
}

void add_offline(Commands& commands, CLI::App& plugins) {
    auto& session = commands.session;
    const Offline& offline = commands.offline;
    auto folder = std::make_shared<std::string>();
    auto& lint = command(commands, plugins, "lint", "Finds mistakes without running a rule.",
                         "plugin lint ./bus_duty", [&session, &offline, folder]() -> Result<int> {
                             return offline.lint(*folder, session.json(), session.out());
                         });
    lint.add_option("folder", *folder, "of the plugin")->required();

    auto test = std::make_shared<Offline::PluginTest>();
    auto& tests = command(commands, plugins, "test", "Runs the plugin's tests/*.json.",
                          "plugin test ./bus_duty --permute --coverage",
                          [&session, &offline, test]() -> Result<int> {
                              test->json = session.json();
                              return offline.test(*test, session.out());
                          });
    tests.add_option("folder", test->folder, "of the plugin")->required();
    tests.add_flag("--permute", test->permute, "try every order of arrival");
    tests.add_flag("--coverage", test->coverage, "name rules and codes that nothing exercised");
    tests.add_flag("--bless", test->bless, "write what came out as what is expected");
    tests.add_option("--only", test->only, "cases whose name or file holds this text");

    auto made = std::make_shared<Offline::NewPlugin>();
    auto& fresh = command(
        commands, plugins, "new", "Makes a runnable plugin with tests.",
        "plugin new bus_duty --from blank", [&session, &offline, made]() -> Result<int> {
            TRY(offline.make_plugin(*made));
            session.out() << "made " << made->name << "; now edit it and run `dutybook plugin test "
                          << made->name << "`\n";
            return done;
        });
    fresh.add_option("name", made->name, "folder to make; small letters, digits and _")->required();
    fresh.add_option("--from", made->from, "education, medical, legal or blank")
        ->default_val("blank");
    fresh.add_option("--runtime", made->runtime, "lua or native")->default_val("lua");
}

struct Target {
    std::string plugin, folder, space;
    bool dry_run = false;
    std::vector<std::string> settings;
};

void add_turns(Commands& commands, CLI::App& plugins) {
    auto& session = commands.session;
    for (const bool on : {true, false}) {
        auto target = std::make_shared<Target>();
        auto& app =
            command(commands, plugins, on ? "enable" : "disable",
                    on ? "Turns a plugin on, and lifts a quarantine."
                       : "Turns a plugin off; its records stay.",
                    on ? "plugin enable legal" : "plugin disable legal",
                    [&session, target, on]() -> Result<int> {
                        Json body = {{"on", on}};
                        const std::string& space = session.settings().space;
                        if (!space.empty()) body["space"] = space;
                        return act(session, "POST", "/v1/plugins/" + target->plugin + "/turn", body,
                                   target->plugin + (on ? " is on" : " is off"));
                    });
        app.add_option("plugin", target->plugin, "its id")->required();
    }
}

}  // namespace

void add_plugin_commands(Commands& commands) {
    auto& session = commands.session;
    auto& plugins = group(commands, "plugin", "Rules, kinds and reports of the fields.");
    command(commands, plugins, "list", "Lists the plugins and how they do.", "plugin list",
            [&session] { return list(session); });
    add_offline(commands, plugins);
    add_turns(commands, plugins);

    const auto with_folder = [&](const char* name, const char* what, const char* example,
                                 auto run) {
        auto target = std::make_shared<Target>();
        auto& app = command(commands, plugins, name, what, example,
                            [&session, target, run] { return run(session, *target); });
        app.add_option("folder", target->folder, "of the plugin")->required();
        app.add_flag("--dry-run", target->dry_run, "check and try only");
    };
    with_folder("install", "Checks, tests and tries a plugin, then swaps it in.",
                "plugin install ./bus_duty",
                [](Session& s, const Target& t) { return install(s, t.folder, t.dry_run); });
    with_folder("shadow", "Says what a plugin would newly find.", "plugin shadow ./bus_duty",
                [](Session& s, const Target& t) { return shadow(s, t.folder); });

    const auto with_plugin = [&](const char* name, const char* what, const char* example,
                                 auto run) {
        auto target = std::make_shared<Target>();
        auto& app = command(commands, plugins, name, what, example,
                            [&session, target, run] { return run(session, *target); });
        app.add_option("plugin", target->plugin, "its id")->required();
        return std::make_pair(&app, target);
    };
    with_plugin("remove", "Removes a plugin that was installed here.", "plugin remove bus_duty",
                [](Session& s, const Target& t) {
                    return act(s, "DELETE", "/v1/plugins/" + t.plugin, Json(),
                               "removed " + t.plugin);
                });
    with_plugin("rollback", "Goes back to the version before.", "plugin rollback bus_duty",
                [](Session& s, const Target& t) {
                    return act(s, "POST", "/v1/plugins/" + t.plugin + "/rollback", Json(),
                               t.plugin + " is what it was before");
                });
    with_plugin("explain", "Says what a plugin sees and does.", "plugin explain medical",
                [](Session& s, const Target& t) { return explain(s, t.plugin); });
    const auto config =
        with_plugin("config", "Changes settings in this space; without any it shows them.",
                    "plugin config bus_duty most_children=30",
                    [](Session& s, const Target& t) { return configure(s, t.plugin, t.settings); });
    config.first->add_option("settings", config.second->settings, "NAME=VALUE");
    command(commands, plugins, "doctor", "Says how each plugin does, and what to do.",
            "plugin doctor", [&session] { return doctor(session); });
}

}  // namespace dutybook::cli
