// report
#include "cli/command.h"
#include "cli/output.h"

#include <ostream>

namespace dutybook::cli {

namespace {

struct ReportOptions {
    std::string name, format = "html", out, language = "en";
    std::vector<std::string> parameters;
    bool file = false;
    std::string filed, into, purpose, basis;
};

Result<int> list_reports(Session& session) {
    TRY_ASSIGN(const Json answer, session.get("/v1/reports"));
    Table table({"REPORT", "PARAMETERS", "TITLE"});
    for (const auto& one : answer.value("items", Json::array())) {
        if (session.json()) print_json(session.out(), one);
        std::string parameters;
        const Json properties = one["parameters"].value("properties", Json::object());
        for (const auto& [name, schema] : properties.items()) {
            parameters += (parameters.empty() ? "" : " ") + name;
        }
        table.add({text_of(one, "report"), parameters, text_of(one, "title")});
    }
    if (!session.json() && !table.empty()) table.print(session.out());
    return done;
}

Result<int> make_report(Session& session, const ReportOptions& options) {
    if (options.name.empty()) return list_reports(session);
    std::string target = session.in_space("reports/" + percent_encode(options.name)) +
                         "?format=" + percent_encode(session.json() ? "json" : options.format) +
                         "&language=" + percent_encode(options.language);
    for (const std::string& parameter : options.parameters) {
        if (parameter.find('=') == std::string::npos) {
            return usage_error("a parameter is NAME=VALUE, not \"" + parameter + "\"",
                               "`dutybook report` lists the parameters of each");
        }
        target += "&parameter=" + percent_encode(parameter);
    }
    TRY_ASSIGN(std::string text, session.text(target));
    if (session.json()) text += '\n';
    return write_output(session, text, options.out);
}

// Frozen as a record, which syncs.
Result<int> file_report(Session& session, const ReportOptions& options) {
    Json body = {{"parameters", Json::object()}, {"language", options.language}};
    for (const std::string& parameter : options.parameters) {
        const auto equals = parameter.find('=');
        if (equals == std::string::npos) {
            return usage_error("a parameter is NAME=VALUE, not \"" + parameter + "\"",
                               "`dutybook report` lists the parameters of each");
        }
        body["parameters"][parameter.substr(0, equals)] = parameter.substr(equals + 1);
    }
    if (!options.into.empty()) body["into"] = options.into;
    if (!options.purpose.empty()) body["purpose"] = options.purpose;
    if (!options.basis.empty()) body["basis"] = options.basis;
    TRY_ASSIGN(const Json record,
               session.post(session.in_space("reports/" + percent_encode(options.name)), body));
    if (session.json()) {
        print_json(session.out(), record);
    } else {
        session.out() << "filed " << text_of(record, "id") << " in " << text_of(record, "space")
                      << "; dutybook report --filed " << text_of(record, "id") << " shows it\n";
    }
    return done;
}

Result<int> show_filed(Session& session, const ReportOptions& options) {
    TRY_ASSIGN(std::string text,
               session.text(session.in_space("filed/" + percent_encode(options.filed)) +
                            "?format=" + (session.json() ? "json" : options.format)));
    if (session.json()) text += '\n';
    return write_output(session, text, options.out);
}

Result<int> report(Session& session, const ReportOptions& options) {
    if (!options.filed.empty()) return show_filed(session, options);
    if (!options.file) return make_report(session, options);
    if (options.name.empty())
        return usage_error("which report is to be filed?", "`dutybook report` lists them");
    return file_report(session, options);
}

}  // namespace

void add_report_commands(Commands& commands) {
    auto& session = commands.session;
    auto options = std::make_shared<ReportOptions>();
    auto& app =
        command(commands, commands.root, "report", "Makes a report; without a name it lists them.",
                "report medical.mar_sheet month=2026-03 --out mar.html",
                [&session, options] { return report(session, *options); });
    app.add_option("name", options->name, "PLUGIN.REPORT");
    app.add_option("parameters", options->parameters, "NAME=VALUE");
    app.add_option("--format", options->format, "html, csv, text, svg, ics, ledes or json");
    app.add_option("--language", options->language, "of the reader: en, es");
    app.add_option("--out", options->out, "file; standard output without it");
    app.add_flag("--file", options->file, "freeze it as a record, which syncs");
    app.add_option("--into", options->into, "with --file: another space, such as the district's");
    app.add_option("--purpose", options->purpose, "with --into: what it is needed for there");
    app.add_option("--basis", options->basis, "with --into: the law or consent that allows it");
    app.add_option("--filed", options->filed, "show a filed report: its record's id");
}

}  // namespace dutybook::cli
