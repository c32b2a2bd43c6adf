// Reports that plugins bring.

#include "api/call.h"
#include "api/report_page.h"
#include "core/plugins.h"
#include "core/record_source.h"
#include "formats/csv.h"
#include "formats/ics.h"

namespace dutybook::api {

namespace {

Json text_or_null(const rules::Texts& texts) {
    const std::string text = rules::text_in(texts, "en");
    return text.empty() ? Json(nullptr) : Json(text);
}

Result<Response> list_reports(Call& call) {
    Json items = Json::array();
    for (const auto& one : call.services.plugins->list()) {
        const auto plugin = call.services.plugins->host().find(one.status.id);
        if (!plugin) continue;
        for (const auto& report : plugin->package.manifest.reports) {
            items.push_back({{"report", one.status.id + "." + report.name},
                             {"title", text_or_null(report.title)},
                             {"formats", report.formats},
                             {"parameters", report.parameters}});
        }
    }
    return json_response({{"items", std::move(items)}, {"next", nullptr}});
}

// "report=medical.mar_sheet month=2026-03": text from the query, typed by the report's schema.
Json parameters_of(const Call& call, const rules::ManifestReport& report) {
    Json parameters = Json::object();
    for (const std::string& pair : call.queries("parameter")) {
        const auto equals = pair.find('=');
        if (equals == std::string::npos) continue;
        const std::string name = pair.substr(0, equals);
        const std::string text = pair.substr(equals + 1);
        const Json schema =
            report.parameters.value("properties", Json::object()).value(name, Json::object());
        const Json type = schema.value("type", Json("string"));
        const Json parsed = Json::parse(text, nullptr, false);
        const bool typed = type != "string" && !parsed.is_discarded();
        parameters[name] = typed ? parsed : Json(text);
    }
    return parameters;
}

Response text_response(std::string text, const std::string& type) {
    Response response;
    response.status = 200;
    response.content_type = type;
    response.body = std::move(text);
    return response;
}

Result<Response> render(Call& call, const Json& blocks, const std::string& title,
                        const std::string& format, const std::string& language) {
    TRY_ASSIGN(const auto report, report_of(call.services, blocks, title, language));
    if (format == "html") {
        TRY_ASSIGN(std::string page, formats::render_html(report, charts(call.services)));
        return text_response(std::move(page), "text/html; charset=utf-8");
    }
    if (format == "csv")
        return text_response(formats::render_csv(report), "text/csv; charset=utf-8");
    if (format == "ics") {
        TRY_ASSIGN(std::string text, formats::render_ics(report, call.services.clock->now()));
        return text_response(std::move(text), "text/calendar; charset=utf-8");
    }
    if (format == "svg") {
        for (const Json& block : report.blocks) {
            if (block["type"] != "chart") continue;
            TRY_ASSIGN(std::string svg, charts(call.services).svg(block));
            return text_response(std::move(svg), "image/svg+xml");
        }
        return failure(Code::Conflict, "the report has no chart");
    }
    return json_response({{"title", title}, {"blocks", report.blocks}});
}

Result<Response> make_report(Call& call) {
    TRY_ASSIGN(core::SpaceService* const space, call.space());
    const std::string& name = call.argument(1);
    const auto dot = name.find('.');
    const auto plugin = call.services.plugins->host().find(name.substr(0, dot));
    const rules::ManifestReport* report =
        plugin && dot != std::string::npos ? plugin->package.manifest.report(name.substr(dot + 1))
                                           : nullptr;
    if (report == nullptr) {
        return failure(Code::NotFound, "there is no report " + name, {},
                       "`dutybook report` lists them");
    }
    const std::string language = call.query("language").empty() ? "en" : call.query("language");
    const std::string format = call.query("format").empty() ? "html" : call.query("format");
    rules::PluginHost::ReportRequest request;
    request.space = space->facts().name;
    request.name = name;
    request.language = language;
    request.parameters = parameters_of(call, *report);
    TRY_ASSIGN(const auto schema, rules::Schema::compile(report->parameters));
    const auto errors = schema.validate(request.parameters);
    if (!errors.empty()) {
        Error error = errors.front();
        error.why = "a parameter of report " + name;
        return error;
    }
    auto text = space->run([&](core::SpaceEngine& engine) {
        core::IndexSource source(engine.facts(), engine.parts());
        return call.services.plugins->host().report(request, source);
    });
    if (!text) return std::move(text).error();
    const Json blocks = Json::parse(*text, nullptr, false);
    return render(call, blocks, rules::text_in(report->title, language), format, language);
}

}  // namespace

std::vector<Endpoint> report_routes() {
    return {
        {.path = "/v1/reports",
         .name = "listReports",
         .summary = "The reports that plugins bring.",
         .list = true,
         .runs = Runs::Pool,
         .run = answering(list_reports)},
        {.path = "/v1/spaces/{space}/reports/{name}",
         .name = "makeReport",
         .summary = "Makes a report: parameter=NAME=VALUE, repeated.",
         .query = {{"parameter", Type::Text, "NAME=VALUE of a parameter", true},
                   {"format", Type::Text, "html, csv, svg, ics or json"},
                   {"language", Type::Text, "of the reader: en, es"}},
         .runs = Runs::Pool,
         .run = answering(make_report)},
    };
}

}  // namespace dutybook::api
