// plugin explain: a plugin, a rule, or why a record was judged as it was.
#include "cli/command.h"

#include <ostream>

namespace dutybook::cli {

namespace {

void say_needs(std::ostream& out, const Json& rule) {
    for (const auto& need : rule.value("needs", Json::array())) {
        out << "    looks at \"" << text_of(need, "name") << "\": " << text_of(need, "words")
            << '\n';
    }
}

void say_rule(std::ostream& out, const Json& rule) {
    out << "  " << text_of(rule, "rule") << "  " << text_of(rule, "title") << "\n    judges";
    for (const auto& kind : rule["on"]) out << ' ' << kind.get<std::string>();
    out << "\n    asked beforehand: " << text_of(rule, "check")
        << "; of a record that is there: " << text_of(rule, "stored") << '\n';
    say_needs(out, rule);
    const Json messages = rule.value("messages", Json::object());
    for (const auto& [code, message] : messages.items()) {
        out << "    says (" << code << "): " << message.get<std::string>() << '\n';
    }
    if (!text_of(rule, "source").empty()) {
        out << "    source: " << text_of(rule, "source") << '\n';
    }
}

void say_settings(std::ostream& out, const Json& values) {
    if (values.empty()) return;
    out << "\nSettings:\n";
    for (const auto& one : values) {
        out << "  " << text_of(one, "name") << " = " << one["default"].dump();
        for (const auto& [space, value] : one["set"].items()) {
            out << ", in " << space << ' ' << value.dump();
        }
        if (const auto what = text_of(one, "description"); !what.empty())
            out << "  (" << what << ')';
        out << '\n';
    }
}

void say_plugin(std::ostream& out, const Json& shown) {
    out << text_of(shown, "id") << ' ' << text_of(shown, "version") << "  "
        << text_of(shown, "title") << "\n\nIt may look at these kinds, and at nothing else:\n";
    for (const auto& kind : shown["sees"]) out << "  " << kind.get<std::string>() << '\n';
    out << "\nRules:\n";
    for (const auto& rule : shown["rules"]) say_rule(out, rule);
    say_settings(out, shown.value("values", Json::array()));
}

void say_record(std::ostream& out, const Json& shown) {
    out << text_of(shown, "record") << "  " << text_of(shown, "kind") << "\n";
    if (shown["rules"].empty()) out << "no rule judges this kind\n";
    for (const auto& rule : shown["rules"]) {
        out << '\n'
            << text_of(rule, "rule") << "  " << text_of(rule, "title") << "  (plugin "
            << text_of(rule, "plugin") << ' ' << text_of(rule, "version") << ")\n";
        for (const auto& need : rule["looked_at"]) {
            out << "  looked at \"" << text_of(need, "name") << "\", " << text_of(need, "words")
                << ':';
            for (const auto& id : need["records"]) out << ' ' << id.get<std::string>();
            out << (need["records"].empty() ? " none\n" : "\n");
        }
        if (!text_of(rule, "unchecked").empty()) {
            out << "  says nothing: " << text_of(rule, "unchecked") << '\n';
        } else if (rule["findings"].empty()) {
            out << "  found nothing\n";
        }
        print_findings(out, rule["findings"]);
        if (!text_of(rule, "source").empty()) {
            out << "  source: " << text_of(rule, "source") << '\n';
        }
    }
}

using Say = void (*)(std::ostream&, const Json&);

// A plugin's id, else a rule's, else a record.
Result<int> explain(Session& session, const std::string& what) {
    const std::string word = percent_encode(what);
    const std::pair<std::string, Say> places[] = {
        {"/v1/plugins/" + word, say_plugin},
        {"/v1/rules/" + word,
         [](std::ostream& out, const Json& rule) {
             say_rule(out, rule);
             say_settings(out, rule.value("values", Json::array()));
         }},
        {session.in_space("records/" + word + "/verdict"), say_record}};
    for (const auto& [target, say] : places) {
        const auto shown = session.get(target);
        if (shown) {
            session.json() ? print_json(session.out(), *shown) : say(session.out(), *shown);
            return done;
        }
        const bool last = &target == &std::rbegin(places)->first;
        if (shown.error().code != Code::NotFound || last) return shown.error();
    }
    return failed;
}

}  // namespace

Result<int> show_settings(Session& session, const std::string& plugin) {
    TRY_ASSIGN(const Json shown, session.get("/v1/plugins/" + plugin));
    if (session.json()) {
        print_json(session.out(), shown["settings"]);
    } else if (shown["values"].empty()) {
        session.out() << plugin << " has no settings\n";
    } else {
        say_settings(session.out(), shown["values"]);
    }
    return done;
}

void add_explain_command(Commands& commands, CLI::App& plugins) {
    auto& session = commands.session;
    auto what = std::make_shared<std::string>();
    auto& app =
        command(commands, plugins, "explain",
                "What a plugin or a rule does, or why a record was judged as it was.",
                "plugin explain MED-R02", [&session, what] { return explain(session, *what); });
    app.add_option("what", *what, "a plugin, a rule, or a record")->required();
}

}  // namespace dutybook::cli
