// Reports that plugins bring: made now, filed, and shown as they were filed.

#include "api/call.h"
#include "api/filed_reports.h"
#include "api/host_reports.h"
#include "api/reference.h"
#include "api/report_page.h"
#include "api/report_run.h"
#include "api/writing.h"
#include "core/plugins.h"
#include "formats/csv.h"
#include "formats/ics.h"
#include "formats/ledes.h"
#include "formats/plain.h"

namespace dutybook::api {

namespace {

Json text_or_null(const rules::Texts& texts) {
    const std::string text = rules::text_in(texts, "en");
    return text.empty() ? Json(nullptr) : Json(text);
}

Json report_json(const std::string& plugin, const rules::ManifestReport& report) {
    return {{"report", plugin + "." + report.name},
            {"title", text_or_null(report.title)},
            {"formats", report.formats},
            {"privacy", report.privacy},
            {"parameters", report.parameters}};
}

Result<Response> list_reports(Call& call) {
    Json items = Json::array();
    for (const auto& report : host_reports()) items.push_back(report_json("site", report));
    for (const auto& one : call.services.plugins->list()) {
        const auto plugin = call.services.plugins->host().find(one.status.id);
        if (!plugin) continue;
        for (const auto& report : plugin->package.manifest.reports) {
            items.push_back(report_json(one.status.id, report));
        }
    }
    return json_response({{"items", std::move(items)}, {"next", nullptr}});
}

Response text_response(std::string text, const std::string& type) {
    Response response;
    response.status = 200;
    response.content_type = type;
    response.body = std::move(text);
    return response;
}

Result<Response> render(Call& call, const MadeReport& made, const std::string& format) {
    TRY_ASSIGN(auto report, report_of(call.services, made.blocks, made.title, made.language));
    report.made_at = made.made_at;
    report.landscape = made.landscape;
    if (format == "html") {
        TRY_ASSIGN(std::string page, formats::render_html(report, charts(call.services)));
        return text_response(std::move(page), "text/html; charset=utf-8");
    }
    if (format == "csv") {
        return text_response(formats::render_csv(report), "text/csv; charset=utf-8");
    }
    if (format == "text") {
        constexpr std::size_t columns = 100;
        return text_response(formats::render_plain(report, columns), "text/plain; charset=utf-8");
    }
    if (format == "ics") {
        TRY_ASSIGN(std::string text, formats::render_ics(report, call.services.clock->now()));
        return text_response(std::move(text), "text/calendar; charset=utf-8");
    }
    if (format == "ledes") {
        TRY_ASSIGN(std::string text, formats::render_ledes(report));
        return text_response(std::move(text), "text/plain; charset=us-ascii");
    }
    if (format == "svg") {
        for (const Json& block : report.blocks) {
            if (block["type"] != "chart") continue;
            TRY_ASSIGN(std::string svg, charts(call.services).svg(block, made.language));
            return text_response(std::move(svg), "image/svg+xml");
        }
        return failure(Code::Conflict, "the report has no chart", {},
                       "ask for it as html, csv, text or json");
    }
    if (format == "json") {
        return json_response({{"title", made.title}, {"blocks", report.blocks}});
    }
    return malformed("no report is made as \"" + format +
                     "\": html, csv, text, svg, ics, ledes, json");
}

std::string or_else(const std::string& text, const std::string& otherwise) {
    return text.empty() ? otherwise : text;
}

Result<Response> make_report(Call& call) {
    TRY_ASSIGN(core::SpaceService* const space, call.space());
    const std::string& name = call.argument(1);
    TRY_ASSIGN(const auto declared, declared_report(call.services, name));
    TRY_ASSIGN(Json parameters, report_parameters(declared, name, call.queries("parameter")));
    TRY_ASSIGN(const MadeReport made,
               run_report(call, *space, name, std::move(parameters), call.language()));
    return render(call, made, or_else(call.query("format"), "html"));
}

Result<core::Written> write_one(core::SpaceService& space, core::WriteRequest request) {
    std::vector<core::WriteRequest> requests;
    requests.push_back(std::move(request));
    return std::move(space.write_and_wait(std::move(requests)).front());
}

// What a space's members may not all read leaves it only on purpose, and the space keeps a note of
// it (CORE-R07). Privileged work never leaves.
Result<void> note_disclosure(Call& call, core::SpaceService& from, core::SpaceService& to,
                             const MadeReport& made) {
    if (made.privacy == "ordinary") return {};
    const std::string purpose = call.body.value("purpose", "");
    if (made.privacy == "privileged") {
        return failure(Code::Rejected, "a privileged report stays in its space",
                       "the members of " + to.facts().name + " are not those of the matter");
    }
    if (purpose.empty()) {
        return failure(Code::Rejected, "the report was not filed: a disclosure needs a purpose",
                       "it shows " + made.privacy + " records to the members of " +
                           to.facts().name + " (CORE-R07)",
                       "say what it is needed for, with --purpose");
    }
    TRY_ASSIGN(core::WriteRequest note, call.write(core::Action::Create));
    note.kind = "core.disclosure";
    note.fields = {{"about", Json::array()},
                   {"to_party", to.facts().name},
                   {"at", made.made_at},
                   {"purpose", purpose},
                   {"what", "report " + made.name},
                   {"legal_basis", or_else(call.body.value("basis", ""), "school official")},
                   {"authorised_by", call.caller().by}};
    TRY(write_one(from, std::move(note)));
    return {};
}

Result<Response> file_report(Call& call) {
    TRY_ASSIGN(core::SpaceService* const space, call.space());
    const std::string& name = call.argument(1);
    TRY_ASSIGN(const auto declared, declared_report(call.services, name));
    std::vector<std::string> pairs;
    const Json given = call.body.value("parameters", Json::object());
    for (const auto& [member, value] : given.items()) {
        pairs.push_back(member + "=" +
                        (value.is_string() ? value.get<std::string>() : value.dump()));
    }
    TRY_ASSIGN(Json parameters, report_parameters(declared, name, pairs));
    const std::string language = or_else(call.body.value("language", ""), call.language());
    TRY_ASSIGN(const MadeReport made,
               run_report(call, *space, name, std::move(parameters), language));
    core::SpaceService* into = space;
    if (const std::string wanted = call.body.value("into", ""); !wanted.empty()) {
        into = call.services.book->space(wanted);
        if (into == nullptr) {
            return failure(Code::NotFound, "the space '" + wanted + "' is not here", {},
                           "see: dutybook space list");
        }
    }
    TRY_ASSIGN(core::WriteRequest request, call.write(core::Action::Create));
    request.kind = "core.report";
    TRY_ASSIGN(request.fields, filed_fields(made, request.caller.by));
    if (into != space) TRY(note_disclosure(call, *space, *into, made));
    TRY_ASSIGN(const core::Written written, write_one(*into, std::move(request)));
    return json_response(answer_text(call, *into, written), 201);
}

Result<Response> filed_report(Call& call) {
    TRY_ASSIGN(const Found found, find_record(call));
    if (found.record.state.kind != "core.report") {
        return failure(Code::NotFound, found.record.state.id + " is no filed report", {},
                       "see: dutybook list core.report");
    }
    Json fields = Json::object();
    for (const auto& [field, value] : found.record.state.fields) {
        fields[field] = Json::parse(value, nullptr, false);
    }
    MadeReport made;
    made.title = fields.value("title", "");
    made.language = or_else(fields.value("language", ""), "en");
    made.made_at = fields.value("made_at", "");
    if (const auto declared = declared_report(call.services, fields.value("name", ""))) {
        made.landscape = declared->landscape;  // the paper; what it says is as it was filed
    }
    TRY_ASSIGN(made.blocks, filed_blocks(fields));
    return render(call, made, or_else(call.query("format"), "html"));
}

}  // namespace

std::vector<Endpoint> report_routes() {
    return {
        {.path = "/v1/reports",
         .name = "listReports",
         .summary = "The reports that plugins and the daemon itself bring.",
         .list = true,
         .runs = Runs::Pool,
         .run = answering(list_reports)},
        {.path = "/v1/spaces/{space}/reports/{name}",
         .name = "makeReport",
         .summary = "Makes a report: parameter=NAME=VALUE, repeated.",
         .query = {{"parameter", Type::Text, "NAME=VALUE of a parameter", true},
                   {"format", Type::Text, "html, csv, text, svg, ics, ledes or json"},
                   {"language", Type::Text, "of the reader: en, es"}},
         .runs = Runs::Pool,
         .run = answering(make_report)},
        {.method = Method::Post,
         .path = "/v1/spaces/{space}/reports/{name}",
         .name = "fileReport",
         .summary = "Makes a report and freezes it as a record of core.report, which syncs.",
         .body = Body::Members,
         .members = {{"parameters", Type::Object},
                     {"language", Type::Text, false, false, "of the reader: en, es"},
                     {"into", Type::Text, false, false, "another space of this site, the district"},
                     {"purpose", Type::Text, false, false, "why it leaves the space"},
                     {"basis", Type::Text, false, false, "the law or consent that allows it"}},
         .status = 201,
         .answer = "record",
         .access = Access::Writer,
         .runs = Runs::Pool,
         .run = answering(file_report)},
        {.path = "/v1/spaces/{space}/filed/{record}",
         .name = "showFiledReport",
         .summary = "A filed report as it was on that day.",
         .query = {{"format", Type::Text, "html, csv, text, svg, ics, ledes or json"}},
         .runs = Runs::Pool,
         .run = answering(filed_report)},
    };
}

}  // namespace dutybook::api
