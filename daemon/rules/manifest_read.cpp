#include "base/file.h"
#include "rules/json_lines.h"
#include "rules/manifest.h"

#include <algorithm>
#include <array>
#include <set>

namespace dutybook::rules {
namespace {

// A setting cannot bear the name of a field that core.plugin_config has itself.
constexpr std::string_view reserved_setting = "plugin";

// Reads a document that is valid by the schema; what the schema cannot say is checked here.
class Reading {
public:
    explicit Reading(const Json& document) : document_(document) {}

    ManifestReader::Reading run() {
        head();
        kinds();
        each("rules", [&](const Json& rule, const std::string& place) { read_rule(rule, place); });
        each("completes",
             [&](const Json& value, const std::string& place) { read_completion(value, place); });
        each("reports",
             [&](const Json& value, const std::string& place) { read_report(value, place); });
        configuration();
        limits();
        return {std::move(manifest_), std::move(errors_)};
    }

private:
    template <class Take>
    void each(const char* member, const Take& take) {
        const auto list = document_.find(member);
        if (list == document_.end()) return;
        for (std::size_t i = 0; i < list->size(); ++i) {
            take((*list)[i], pointer_to(std::string("/") + member, i));
        }
    }

    static Texts texts(const Json& value, const char* member) {
        return value.value(member, Texts{});
    }

    void tell(std::string what, std::string pointer) {
        errors_.push_back(malformed(std::move(what), std::move(pointer)));
    }

    void once(std::set<std::string>& seen, const std::string& name, const std::string& place) {
        if (!seen.insert(name).second) tell("\"" + name + "\" is there twice", place);
    }

    void head() {
        manifest_.id = document_["id"];
        manifest_.version = document_["version"];
        manifest_.abi = document_["abi"];
        manifest_.native = document_["runtime"] == "native";
        manifest_.title = texts(document_, "title");
        manifest_.description = texts(document_, "description");
        manifest_.requires_plugins =
            document_.value("requires", std::map<std::string, std::string>{});
        if (manifest_.abi != plugin_abi) {
            tell("was written for version " + std::to_string(manifest_.abi) +
                     " of the plugin interface; this program offers " + std::to_string(plugin_abi),
                 "/abi");
        }
        if (manifest_.requires_plugins.contains(manifest_.id)) {
            tell("a plugin cannot require itself", pointer_to("/requires", manifest_.id));
        }
    }

    void kinds() {
        each("kinds", [&](const Json& value, const std::string& place) {
            ManifestKind kind{value["kind"], value["schema"], value.value("migrates", false)};
            if (!kind.kind.starts_with(manifest_.id + ".")) {
                tell("a kind of this plugin must begin with \"" + manifest_.id + ".\"",
                     pointer_to(place, "kind"));
            }
            once(kind_names_, kind.kind, pointer_to(place, "kind"));
            manifest_.kinds.push_back(std::move(kind));
        });
    }

    NeedSet needs(const Json& value, std::string subject, std::vector<std::string> of, bool clock,
                  const std::string& place) {
        const Json none = Json::object();
        const auto found = value.find("needs");
        auto parsed = parse_needs(found == value.end() ? none : *found, std::move(subject),
                                  std::move(of), clock, pointer_to(place, "needs"));
        if (parsed) return std::move(*parsed);
        errors_.push_back(std::move(parsed).error());
        return {};
    }

    void read_rule(const Json& value, const std::string& place) {
        ManifestRule rule;
        rule.id = value["id"];
        once(rule_names_, rule.id, pointer_to(place, "id"));
        rule.title = texts(value, "title");
        rule.clock = value.value("clock", false);
        rule.source = value.value("source", "");
        rule.messages = value["messages"].get<decltype(rule.messages)>();
        const Json& on = value["on"];
        rule.needs = needs(value, value.value("subject", "record"),
                           on.is_array() ? on.get<std::vector<std::string>>()
                                         : std::vector<std::string>{on.get<std::string>()},
                           rule.clock, place);
        severities(value["severity"], rule, pointer_to(place, "severity"));
        again(value, rule, place);
        manifest_.rules.push_back(std::move(rule));
    }

    void severities(const Json& value, ManifestRule& rule, const std::string& place) {
        const auto word = [](const Json& name) {
            return severity_from(name.get<std::string>()).value_or(Severity::Warn);
        };
        rule.check = word(value.is_object() ? value["check"] : value);
        rule.stored = word(value.is_object() ? value["stored"] : value);
        // It would refuse here what another site, with other records, had to accept.
        if (rule.check == Severity::Reject && !rule.needs.needs.empty()) {
            tell("a rule that needs other records cannot reject", place);
        }
    }

    void again(const Json& value, ManifestRule& rule, const std::string& place) {
        if (!value.contains("again")) return;
        const std::string here = pointer_to(place, "again");
        if (!rule.clock) return tell("is for rules with \"clock\": true", here);
        auto moment = parse_moment(value["again"].get<std::string>());
        if (!moment) return tell(moment.error().what, here);
        const std::string name = moment->base ? moment->base->name : "now";
        if (name != rule.needs.subject && name != "config") {
            return tell("must begin with \"" + rule.needs.subject + ".\"", here);
        }
        rule.again = std::move(*moment);
    }

    void read_completion(const Json& value, const std::string& place) {
        ManifestCompletion completion;
        completion.kind = value["kind"];
        once(completed_, completion.kind, pointer_to(place, "kind"));
        if (!kind_names_.contains(completion.kind)) {
            tell("is no kind of this plugin", pointer_to(place, "kind"));
        }
        completion.needs =
            needs(value, value.value("subject", "record"), {completion.kind}, false, place);
        manifest_.completes.push_back(std::move(completion));
    }

    void read_report(const Json& value, const std::string& place) {
        ManifestReport report;
        report.name = value["name"];
        once(report_names_, report.name, pointer_to(place, "name"));
        report.title = texts(value, "title");
        report.description = texts(value, "description");
        report.parameters = value.value("parameters", Json{{"type", "object"}});
        check_schema(report.parameters, pointer_to(place, "parameters"));
        report.needs = needs(value, "parameters", {}, true, place);
        report.formats = value.value("formats", std::vector<std::string>{});
        for (const char* always : {"html", "json"}) {
            if (std::find(report.formats.begin(), report.formats.end(), always) ==
                report.formats.end()) {
                report.formats.emplace_back(always);
            }
        }
        report.landscape = value.value("landscape", false);
        report.privacy = value.value("privacy", "ordinary");
        report.readers = value.value("readers", std::vector<std::string>{});
        manifest_.reports.push_back(std::move(report));
    }

    std::optional<Schema> check_schema(const Json& schema, const std::string& place) {
        auto compiled = Schema::compile(schema);
        if (compiled) return std::move(*compiled);
        tell(compiled.error().text(), place + compiled.error().pointer);
        return std::nullopt;
    }

    void configuration() {
        manifest_.configuration = document_.value("configuration", Json{{"type", "object"}});
        const auto schema = check_schema(manifest_.configuration, "/configuration");
        const auto properties = manifest_.configuration.find("properties");
        if (!schema || properties == manifest_.configuration.end()) return;
        for (const auto& [name, property] : properties->items()) {
            const std::string place = pointer_to("/configuration/properties", name);
            if (name == reserved_setting) tell("a setting cannot be called \"plugin\"", place);
            if (!property.is_object() || !property.contains("default")) {
                tell("a setting needs a default", place);
            }
        }
        if (!errors_.empty()) return;
        for (Error& error : schema->validate(manifest_.default_configuration())) {
            tell("the defaults are not valid: " + error.pointer + " " + error.what,
                 "/configuration");
        }
    }

    void limits() {
        const Json value = document_.value("limits", Json::object());
        ManifestLimits& limits = manifest_.limits;
        limits.memory_mb = value.value("memory_mb", limits.memory_mb);
        limits.instructions = value.value("instructions", limits.instructions);
        limits.deadline_ms = value.value("deadline_ms", limits.deadline_ms);
        limits.output_kb = value.value("output_kb", limits.output_kb);
    }

    const Json& document_;
    Manifest manifest_;
    std::vector<Error> errors_;
    std::set<std::string> kind_names_, rule_names_, completed_, report_names_;
};

}  // namespace

Result<ManifestReader> ManifestReader::open(const std::filesystem::path& schemas) {
    const std::filesystem::path file = schemas / "plugin.schema.json";
    TRY_ASSIGN(const std::string text, read_file(file));
    TRY_ASSIGN(const Json document, parse_document(text, file.string()));
    auto schema = Schema::compile(document);
    if (!schema) return in_file(std::move(schema).error(), file.string(), text);
    return ManifestReader(std::move(*schema));
}

ManifestReader::Reading ManifestReader::read(std::string_view text, const std::string& file) const {
    Reading result;
    auto document = parse_document(text, file);
    if (!document) {
        result.errors.push_back(std::move(document).error());
        return result;
    }
    result.errors = schema_.validate(*document);
    if (result.errors.empty()) result = rules::Reading(*document).run();
    for (Error& error : result.errors) error = in_file(std::move(error), file, text);
    return result;
}

}  // namespace dutybook::rules
