// report
#include "base/file.h"
#include "cli/command.h"

#include <ostream>

namespace dutybook::cli {

namespace {

struct ReportOptions {
    std::string name, format = "html", out, language = "en";
    std::vector<std::string> parameters;
};

// Letters, digits and a few marks stay; the rest is escaped.
std::string in_query(std::string_view text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            out += c;
        } else {
            out += '%';
            out += digits[byte >> 4U];
            out += digits[byte & 15U];
        }
    }
    return out;
}

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
    std::string target = session.in_space("reports/" + in_query(options.name)) +
                         "?format=" + in_query(session.json() ? "json" : options.format) +
                         "&language=" + in_query(options.language);
    for (const std::string& parameter : options.parameters) {
        if (parameter.find('=') == std::string::npos) {
            return usage_error("a parameter is NAME=VALUE, not \"" + parameter + "\"");
        }
        target += "&parameter=" + in_query(parameter);
    }
    TRY_ASSIGN(const std::string text, session.text(target));
    if (options.out.empty() || options.out == "-") {
        session.out() << text;
        if (session.json()) session.out() << '\n';
        return done;
    }
    TRY(write_file_atomically(std::filesystem::absolute(options.out), text, 0644));
    session.err() << "wrote " << options.out << '\n';
    return done;
}

}  // namespace

void add_report_commands(Commands& commands) {
    auto& session = commands.session;
    auto options = std::make_shared<ReportOptions>();
    auto& app =
        command(commands, commands.root, "report", "Makes a report; without a name it lists them.",
                "report medical.mar_sheet month=2026-03 --out mar.html",
                [&session, options] { return make_report(session, *options); });
    app.add_option("name", options->name, "PLUGIN.REPORT");
    app.add_option("parameters", options->parameters, "NAME=VALUE");
    app.add_option("--format", options->format, "html, csv, svg, ics or json");
    app.add_option("--language", options->language, "of the reader: en, es");
    app.add_option("--out", options->out, "file; standard output without it");
}

}  // namespace dutybook::cli
