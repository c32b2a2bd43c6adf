// plugin list install remove rollback enable disable config explain shadow doctor: the daemon's
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

// "-" is the only space.
Result<std::string> space_named(Session& session, const std::string& space) {
    if (space != "-") return space;
    if (!session.settings().space.empty()) return session.settings().space;
    TRY_ASSIGN(const Json status, session.get("/v1/status"));
    const Json spaces = status.value("spaces", Json::array());
    if (spaces.size() == 1) return text_of(spaces[0], "name");
    return usage_error("there are several spaces", "name one: --space NAME");
}

Result<int> install(Session& session, const std::string& folder, const std::string& into,
                    bool dry_run) {
    Json body = {{"folder", absolute(folder)}, {"dry_run", dry_run}};
    if (!into.empty()) {
        TRY_ASSIGN(body["space"], space_named(session, into));
    }
    TRY_ASSIGN(const Json answer, session.post("/v1/plugins", body));
    if (session.json()) {
        print_json(session.out(), answer);
        return done;
    }
    session.out() << (dry_run ? "would install " : "installed ") << text_of(answer, "id") << ' '
                  << text_of(answer, "version");
    if (!text_of(answer, "space").empty()) {
        session.out() << " in space " << text_of(answer, "space")
                      << "; its other sites have it after their next sync";
    }
    session.out() << '\n';
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
                      const std::vector<std::string>& settings, bool elsewhere) {
    Json fields = Json::object();
    TRY_ASSIGN(const auto arguments, read_arguments(settings));
    for (const FieldArgument& argument : arguments) {
        const Json parsed = Json::parse(argument.value, nullptr, false);
        const bool typed = !parsed.is_discarded() && !parsed.is_null();
        fields[argument.field] = typed ? parsed : Json(argument.value);
    }
    const std::string id = "config-" + plugin;
    if (fields.empty()) return show_settings(session, plugin);
    const auto taken = session.post("/v1/plugins/" + plugin + "/settings", {{"settings", fields}});
    if (!taken) {
        Error error = taken.error();
        if (error.code != Code::NotFound) return error;
        if (!elsewhere) {
            error.fix += std::string(error.fix.empty() ? "" : " ") +
                         "where only other sites of the space have it, add --elsewhere";
            return error;
        }
        session.err() << "warning: plugin " << plugin
                      << " is not here, so nobody looked at whether it has such settings\n";
    }
    // Not the other way round: "config-note" is also the beginning of "config-notes".
    Json first = fields;
    first["plugin"] = plugin;
    auto changed = session.post(session.in_space("records"),
                                {{"id", id}, {"kind", "core.plugin_config"}, {"fields", first}});
    if (!changed && changed.error().code == Code::Exists) {
        changed = session.ask("PATCH", session.in_space("records/" + id), fields, {{}, {}, true});
    }
    if (!changed) return std::move(changed).error();
    if (session.json()) {
        print_json(session.out(), *changed);
    } else {
        print_record(session, *changed);
    }
    return done;
}

// How many records have an older shape; notes it in what the daemon said of the plugin. Only an
// administrator at the socket may ask.
Result<std::string> old_shape(Session& session, Json& plugin) {
    if (!plugin.value("migrates", false)) return std::string();
    const std::string id = text_of(plugin, "id");
    auto seen = session.post("/v1/plugins/" + id + "/migrate", {{"dry_run", true}});
    if (!seen) {
        return "; its records were not looked at for an older shape: " + seen.error().text();
    }
    plugin["migration"] = *seen;
    const auto old = seen->value("old", std::uint64_t{0});
    const auto stuck = seen->value("failed", std::uint64_t{0});
    if (old + stuck == 0) return std::string();
    return "; " + std::to_string(old + stuck) +
           " records have an older shape; run `dutybook plugin migrate " + id + "`" +
           (stuck > 0 ? " (" + std::to_string(stuck) + " need a person)" : "");
}

// A native plugin's worker says "abi", that of one in Lua "lua".
std::string landlock_words(const Json& sandbox) {
    const int landlock = sandbox.value("landlock", 0);
    if (landlock > 0) return "Landlock ABI " + std::to_string(landlock);
    return sandbox.contains("abi")
               ? "no Landlock in this kernel (while it was loaded it could read this user's files; "
                 "Linux 5.13 or newer with lsm=landlock prevents that)"
               : "no Landlock in this kernel (only native plugins need it)";
}

Result<int> doctor(Session& session) {
    TRY_ASSIGN(const Json answer, session.get("/v1/plugins"));
    int code = done;
    for (Json one : answer.value("items", Json::array())) {
        TRY_ASSIGN(const std::string old, old_shape(session, one));
        const std::string state = text_of(one, "state");
        const bool sick = state == "quarantined" || state == "broken" || state == "backoff" ||
                          one.contains("waiting");
        if (sick || !old.empty()) code = needs_person;
        if (session.json()) {
            print_json(session.out(), one);
            continue;
        }
        session.out() << text_of(one, "id") << ": " << state;
        if (one.value("sandbox", Json::object()).contains("seccomp")) {
            session.out() << ", seccomp on, " << landlock_words(one["sandbox"]) << ", "
                          << one.value("memory", 0) / (1 << 20) << " MiB";
        }
        if (one.contains("waiting")) {
            session.out() << "; " << text_of(one["waiting"], "version") << " that came with space "
                          << text_of(one["waiting"], "space")
                          << " is not used: " << text_of(one["waiting"], "why");
        } else if (sick) {
            session.out() << "; " << text_of(one, "why")
                          << "; mend it and run `dutybook plugin enable " << text_of(one, "id")
                          << "`";
        }
        session.out() << old << '\n';
    }
    return code;
}

struct Target {
    std::string plugin, folder, space;
    bool dry_run = false, elsewhere = false;
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
    add_turns(commands, plugins);

    const auto with_folder = [&](const char* name, const char* what, const char* example,
                                 auto run) {
        auto target = std::make_shared<Target>();
        auto& app = command(commands, plugins, name, what, example,
                            [&session, target, run] { return run(session, *target); });
        app.add_option("folder", target->folder, "of the plugin")->required();
        app.add_flag("--dry-run", target->dry_run, "check and try only");
        if (std::string_view(name) == "install") {
            app.add_option("--into-space,--space", target->space,
                           "put it into this space (without a name: the only one), for every "
                           "site of it; Lua only");
        }
    };
    with_folder("install", "Checks, tests and tries a plugin, then swaps it in.",
                "plugin install ./bus_duty", [](Session& s, const Target& t) {
                    return install(s, t.folder, t.space, t.dry_run);
                });
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
    add_explain_command(commands, plugins);
    add_migrate_command(commands, plugins);
    const auto config =
        with_plugin("config", "Changes settings in this space; without any it shows them.",
                    "plugin config bus_duty most_children=30", [](Session& s, const Target& t) {
                        return configure(s, t.plugin, t.settings, t.elsewhere);
                    });
    config.first->add_option("settings", config.second->settings, "NAME=VALUE");
    config.first->add_flag("--elsewhere", config.second->elsewhere,
                           "also for a plugin that only other sites of the space have");
    command(commands, plugins, "doctor", "Says how each plugin does, and what to do.",
            "plugin doctor", [&session] { return doctor(session); });
}

}  // namespace dutybook::cli
