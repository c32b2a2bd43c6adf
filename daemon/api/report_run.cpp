#include "api/report_run.h"

#include "core/record_source.h"

#include <algorithm>

namespace dutybook::api {

namespace {

std::string left_out(std::uint64_t count, const std::string& language) {
    const std::string number = std::to_string(count);
    return language == "es" ? "Registros que su función no puede ver: " + number
                            : "Records that your role may not see: " + number;
}

// A report for a family is written in the family's language, whatever its maker reads: its first
// block says so ("language").
void take_language(MadeReport& made, const rules::ManifestReport& declared) {
    if (!made.blocks.is_array() || made.blocks.empty()) return;
    const Json& first = made.blocks.front();
    if (!first.is_object() || !first.contains("language") || !first["language"].is_string()) return;
    made.language = first["language"];
    made.title = rules::text_in(declared.title, made.language);
}

}  // namespace

Result<rules::ManifestReport> declared_report(const Services& services, const std::string& name) {
    const auto dot = name.find('.');
    const auto plugin = services.plugins->host().find(name.substr(0, dot));
    const rules::ManifestReport* const report =
        plugin && dot != std::string::npos ? plugin->package.manifest.report(name.substr(dot + 1))
                                           : nullptr;
    if (report != nullptr) return *report;
    return failure(Code::NotFound, "there is no report " + name, {},
                   "`dutybook report` lists them");
}

Result<Json> report_parameters(const rules::ManifestReport& report, const std::string& name,
                               const std::vector<std::string>& pairs) {
    Json parameters = Json::object();
    const Json properties = report.parameters.value("properties", Json::object());
    for (const std::string& pair : pairs) {
        const auto equals = pair.find('=');
        if (equals == std::string::npos) continue;
        const std::string member = pair.substr(0, equals), text = pair.substr(equals + 1);
        const Json type = properties.value(member, Json::object()).value("type", Json("string"));
        const Json parsed = Json::parse(text, nullptr, false);
        const bool typed = type != "string" && !parsed.is_discarded();
        parameters[member] = typed ? parsed : Json(text);
    }
    TRY_ASSIGN(const auto schema, rules::Schema::compile(report.parameters));
    const auto errors = schema.validate(parameters);
    if (errors.empty()) return Result<Json>(boost::system::in_place_value, std::move(parameters));
    Error error = errors.front();
    error.why = "a parameter of report " + name;
    return error;
}

Result<MadeReport> run_report(const Call& call, core::SpaceService& space, const std::string& name,
                              Json parameters, const std::string& language) {
    TRY_ASSIGN(const auto declared, declared_report(call.services, name));
    const auto plugin = call.services.plugins->host().find(name.substr(0, name.find('.')));
    MadeReport made;
    made.name = name;
    made.title = rules::text_in(declared.title, language);
    made.privacy = declared.privacy;
    made.language = language;
    made.made_at = format_in_zone(call.services.clock->now(), call.services.book->site().zone);
    if (plugin) {
        const auto& package = plugin->package;
        made.plugin = package.manifest.id + " " + package.manifest.version + " " + package.digest;
    }
    rules::PluginHost::ReportRequest request;
    request.space = space.facts().name;
    request.name = name;
    request.language = language;
    request.parameters = parameters;
    made.parameters = std::move(parameters);
    std::uint64_t hidden = 0;
    auto text = space.run([&](core::SpaceEngine& engine) -> Result<std::string> {
        TRY_ASSIGN(Reading reading, reading_of(call, engine));
        request.reader = reading.person;
        // A report that is made for a role shows that role all that it needs (a lunch aide the
        // allergies at the table), whatever class it comes from.
        const bool meant =
            std::any_of(declared.readers.begin(), declared.readers.end(),
                        [&](const std::string& role) { return reading.roles.count(role) != 0; });
        if (meant) reading.limited = false;
        core::IndexSource all(engine.facts(), engine.parts());
        Walls walls(*call.services.book, space, reading.person);
        ReaderSource source(all, call.services.book->kinds(), reading, request.space, walls);
        TRY_ASSIGN(std::string blocks, call.services.plugins->host().report(request, source));
        hidden = source.hidden();
        made.behind.assign(walls.opened().begin(), walls.opened().end());
        return blocks;
    });
    if (!text) return std::move(text).error();
    // A worker that was taken over may send anything.
    const JsonLimits limits =
        plugin ? rules::answer_limits(plugin->package.manifest) : JsonLimits{};
    TRY_ASSIGN(made.blocks, parse_json(*text, limits));
    take_language(made, declared);
    if (hidden > 0 && made.blocks.is_array()) {
        made.blocks.push_back(
            {{"type", "text"}, {"style", "note"}, {"text", left_out(hidden, language)}});
    }
    return made;
}

}  // namespace dutybook::api
