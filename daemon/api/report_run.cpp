#include "api/report_run.h"

#include "api/host_reports.h"
#include "api/open_findings.h"
#include "api/reader.h"
#include "api/reference.h"
#include "core/record_source.h"

#include <algorithm>

namespace dutybook::api {

namespace {

void add_note(MadeReport& made, const std::string& text) {
    if (!made.blocks.is_array()) return;
    made.blocks.push_back({{"type", "text"}, {"style", "note"}, {"text", text}});
}

void tell_hidden(MadeReport& made, std::uint64_t count) {
    if (count == 0) return;
    add_note(made, (made.language == "es" ? "Registros que su función no puede ver: "
                                          : "Records that your role may not see: ") +
                       std::to_string(count));
}

void tell_unfit(MadeReport& made, const std::set<std::string>& records) {
    constexpr std::size_t named = 3;
    if (records.empty()) return;
    std::string text = made.language == "es"
                           ? "Registros que no son como dice su clase y no se muestran: "
                           : "Records that are not what their kind says, left out: ";
    text += std::to_string(records.size()) + " (";
    std::size_t count = 0;
    for (const auto& id : records) {
        if (count == named) break;
        text += (count++ == 0 ? "" : ", ") + id;
    }
    add_note(made, text + (records.size() > named ? ", …)" : ")"));
}

// A block {"type": "findings"} is the daemon's to fill: what the rules found about the records that
// the report was given, on its days.
Result<void> fill_findings(const Call& call, core::SpaceService& space,
                           const std::set<std::string>& records, MadeReport& made) {
    const auto wanted = [](const Json& block) {
        return block.is_object() && block.value("type", "") == "findings";
    };
    if (!made.blocks.is_array() || std::none_of(made.blocks.begin(), made.blocks.end(), wanted)) {
        return {};
    }
    OpenFindingsQuery query;
    query.records = &records;
    query.from = made.parameters.value("from", "");
    query.to = made.parameters.value("to", "");
    query.language = made.language;
    TRY_ASSIGN(const OpenFindings found, open_findings(call, space, query));
    const bool spanish = made.language == "es";
    Json rows = Json::array();
    for (const auto& one : found.shown) rows.push_back({one.when, one.what, one.who});
    Json table = {{"type", "table"},
                  {"columns",
                   {{{"label", spanish ? "Fecha" : "Date"}},
                    {{"label", spanish ? "Qué se encontró" : "What was found"}},
                    {{"label", spanish ? "Quién" : "Who"}}}},
                  {"rows", std::move(rows)}};
    if (found.shown.empty()) {
        table = {{"type", "text"}, {"text", spanish ? "nada" : "nothing"}};
    }
    made.behind.insert(made.behind.end(), found.behind.begin(), found.behind.end());
    std::replace_if(made.blocks.begin(), made.blocks.end(), wanted, table);
    return {};
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

std::vector<Json*> texts_in(Json& value) {
    std::vector<Json*> out;
    if (value.is_string() && !value.get_ref<const std::string&>().empty()) out.push_back(&value);
    if (!value.is_array()) return out;
    for (Json& one : value) {
        if (one.is_string()) out.push_back(&one);
    }
    return out;
}

// Parameters that name records, with the kinds that they may be of: those that needs look up, and
// people by their usual names.
using References = std::map<std::string, std::set<std::string>>;

References references_of(const rules::ManifestReport& report, const domain::KindCatalog& kinds) {
    References out{{"person", {"core.person"}}, {"student", {"core.person"}}};
    const auto take = [&](const rules::Path& path, const std::string& kind) {
        if (path.name == report.needs.subject && path.whole_field()) {
            out[path.members.front()].insert(kind);
        }
    };
    for (const rules::Need& need : report.needs.needs) {
        if (need.id) take(*need.id, need.kind);
        const auto* const kind = kinds.find(need.kind);
        for (const rules::Condition& condition : need.where) {
            const auto* const path = std::get_if<rules::Path>(&condition.value);
            if (path == nullptr || kind == nullptr) continue;
            const auto field = kind->fields.find(condition.field);
            if (field != kind->fields.end() && !field->second.refers.empty()) {
                take(*path, field->second.refers);
            }
        }
    }
    return out;
}

// The id that is meant. What names no such record stays as it is: people may be known by a name
// alone.
Result<std::string> resolved(const Call& call, const std::string& text,
                             const std::set<std::string>& kinds) {
    const auto found = find_record_of(call, text, kinds);
    if (!found && text.starts_with('@')) return found.error();
    const bool meant = found && kinds.count(found->record.state.kind) != 0;
    return meant ? found->record.state.id : text;
}

Result<void> resolve_references(const Call& call, const rules::ManifestReport& report,
                                Json& parameters) {
    for (const auto& [name, kinds] : references_of(report, call.services.book->kinds())) {
        const auto found = parameters.find(name);
        if (found == parameters.end()) continue;
        for (Json* one : texts_in(*found)) {
            TRY_ASSIGN(*one, resolved(call, one->get<std::string>(), kinds));
        }
    }
    return {};
}

}  // namespace

Result<rules::ManifestReport> declared_report(const Services& services, const std::string& name) {
    if (const auto* const own = host_report(name)) return *own;
    const auto dot = name.find('.');
    const auto plugin = services.plugins->host().find(name.substr(0, dot));
    const rules::ManifestReport* const report =
        plugin && dot != std::string::npos ? plugin->package.manifest.report(name.substr(dot + 1))
                                           : nullptr;
    if (report != nullptr) return *report;
    return failure(Code::NotFound, "there is no report " + name, {},
                   "`dutybook report` lists them");
}

namespace {

// A report goes through its days one by one, in the plugin's time: who mistypes a year must not
// take the plugin away from everybody.
Result<void> check_period(const Json& parameters) {
    constexpr Millis most_days = 18'300, day = 24 * Millis{3'600'000};
    const auto midnight = [&](const char* name) {
        return parse_instant(parameters.value(name, Json()).is_string()
                                 ? parameters[name].get<std::string>() + "T00:00:00Z"
                                 : "");
    };
    const auto from = midnight("from"), to = midnight("to");
    if (!from || !to) return {};
    if (*to < *from) return malformed("the report's period ends before it begins", "/to");
    if (*to - *from <= most_days * day) return {};
    return malformed(
        "a report is made for at most fifty years: " + parameters["from"].get<std::string>() +
            " to " + parameters["to"].get<std::string>(),
        "/from");
}

}  // namespace

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
    if (errors.empty()) {
        TRY(check_period(parameters));
        return Result<Json>(boost::system::in_place_value, std::move(parameters));
    }
    Error error = errors.front();
    error.why = "a parameter of report " + name;
    return error;
}

Result<MadeReport> run_report(const Call& call, core::SpaceService& space, const std::string& name,
                              Json parameters, const std::string& language) {
    TRY_ASSIGN(const auto declared, declared_report(call.services, name));
    TRY(resolve_references(call, declared, parameters));
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
    made.landscape = declared.landscape;
    std::uint64_t hidden = 0;
    std::set<std::string> dated, unfit;
    if (host_report(name) != nullptr) {
        HostReport report{call, space, made.parameters, language};
        TRY_ASSIGN(made.blocks, make_host_report(name, report));
        made.privacy = report.privacy;
        made.behind = report.behind;
        tell_hidden(made, report.hidden);
        return made;
    }
    auto text = space.run([&](core::SpaceEngine& engine) -> Result<std::string> {
        const Reader reader = reader_of(call);
        TRY_ASSIGN(Reading reading, reading_of(call.services, space, reader));
        request.reader = reading.person;
        // A report that is made for a role shows that role all that it needs (a lunch aide the
        // allergies at the table), whatever class it comes from.
        const bool meant =
            std::any_of(declared.readers.begin(), declared.readers.end(),
                        [&](const std::string& role) { return reading.roles.count(role) != 0; });
        if (meant) reading.limited = false;
        core::IndexSource all(engine.facts(), engine.parts());
        Walls walls(call.services, space, reader, Walls::Hold::WallsAlone);
        ReaderSource source(all, call.services.book->kinds(), reading, engine.facts(), walls);
        TRY_ASSIGN(std::string blocks, call.services.plugins->host().report(request, source));
        hidden = source.hidden();
        made.behind.assign(walls.opened().begin(), walls.opened().end());
        dated = source.dated();
        unfit = source.unfit();
        return blocks;
    });
    if (!text) return std::move(text).error();
    // A worker that was taken over may send anything.
    const JsonLimits limits =
        plugin ? rules::answer_limits(plugin->package.manifest) : JsonLimits{};
    TRY_ASSIGN(made.blocks, parse_json(*text, limits));
    take_language(made, declared);
    TRY(fill_findings(call, space, dated, made));
    tell_hidden(made, hidden);
    tell_unfit(made, unfit);
    return made;
}

}  // namespace dutybook::api
