// kind list, kind show
#include "cli/command.h"

#include <ostream>

namespace dutybook::cli {

namespace {

Result<int> list_kinds(Session& session) {
    TRY_ASSIGN(const Json answer, session.get("/v1/kinds"));
    Table table({"KIND", "TITLE"});
    for (const auto& one : answer.value("items", Json::array())) {
        if (session.json()) print_json(session.out(), one);
        table.add({text_of(one, "kind"), text_of(one, "title")});
    }
    if (!session.json() && !table.empty()) table.print(session.out());
    return done;
}

// "text", "one of a, b", "date-time", "list of text" …
std::string type_text(const Json& schema) {
    if (!schema.is_object()) return "anything";
    if (const auto values = schema.find("enum"); values != schema.end()) {
        std::string out = "one of";
        for (const auto& value : *values) out += (out == "one of" ? " " : ", ") + one_line(value);
        return out;
    }
    if (schema.contains("format")) return text_of(schema, "format");
    const auto type = schema.find("type");
    if (type == schema.end()) return "anything";
    if (*type == "array") return "list of " + type_text(schema.value("items", Json()));
    if (*type == "string") return "text";
    return one_line(*type);
}

std::string remarks(const Json& traits) {
    std::string out;
    const auto add = [&out](const std::string& word) { out += (out.empty() ? "" : ", ") + word; };
    if (traits.value("required", false)) add("required");
    const auto merge = text_of(traits, "merge");
    if (merge == "set") add("set: += and -= of sites that are apart both count");
    if (merge == "counter") add("counter: what sites that are apart count, or set, adds up");
    if (const auto refers = text_of(traits, "refers"); !refers.empty()) add("refers to " + refers);
    if (traits.value("completed", false)) add("filled in by the rules");
    return out;
}

// In the reader's language; a field without a label there goes by its name.
std::string label_of(const Json& field, const std::string& language) {
    return text_of(field.value("labels", Json::object()), language.c_str());
}

void print_kind(Session& session, const Json& kind, const std::string& language) {
    auto& out = session.out();
    const std::string title = label_of(kind, language);
    out << text_of(kind, "kind") << "  " << (title.empty() ? text_of(kind, "title") : title)
        << '\n';
    Table table({"FIELD", "LABEL", "TYPE", ""});
    const Json fields = kind.value("fields", Json::object());
    const Json properties = kind.value("/schema/properties"_json_pointer, Json::object());
    for (const auto& [key, traits] : fields.items()) {
        const auto name = fields.is_array() ? text_of(traits, "name") : key;
        table.add({name, label_of(traits, language), type_text(properties.value(name, Json())),
                   remarks(traits)});
    }
    table.print(out);
    const Json example = kind.value("example", Json());
    if (!example.is_object()) return;
    out << "Example:\n  dutybook add " << text_of(kind, "kind");
    for (const auto& [name, value] : example.items()) {
        const bool text = value.is_string();
        out << ' ' << name << (text ? "=" : ":=") << '\'' << one_line(value) << '\'';
    }
    out << '\n';
}

}  // namespace

void add_kind_commands(Commands& commands) {
    auto& session = commands.session;
    auto& kinds = group(commands, "kind", "The kinds of records.");
    command(commands, kinds, "list", "Lists the kinds.", "kind list",
            [&session] { return list_kinds(session); });
    auto name = std::make_shared<std::string>();
    auto language = std::make_shared<std::string>("en");
    auto& show =
        command(commands, kinds, "show", "Fields, what is required, values, an example.",
                "kind show core.duty", [&session, name, language]() -> Result<int> {
                    TRY_ASSIGN(const Json kind, session.get("/v1/kinds/" + percent_encode(*name)));
                    if (session.json()) {
                        print_json(session.out(), kind);
                    } else {
                        print_kind(session, kind, *language);
                    }
                    return done;
                });
    show.add_option("kind", *name, "such as core.duty")->required();
    show.add_option("--language", *language, "of the labels: en, es");
}

}  // namespace dutybook::cli
