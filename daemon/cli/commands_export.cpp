// export
#include "base/clock.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/output.h"
#include "formats/calendar.h"
#include "formats/fhir.h"
#include "formats/tables.h"
#include "formats/zip.h"

#include <algorithm>
#include <ostream>

namespace dutybook::cli {

namespace {

struct ExportOptions {
    std::string format, out, to, purpose, basis;
    std::vector<std::string> what;  // a kind, a report, NAME=VALUE
    std::string person, since, until;
};

// Every record of a kind, oldest first, of the person and the days that were asked for.
Result<formats::Records> records_of(Session& session, const std::string& kind,
                                    const ExportOptions& options, const char* person_field) {
    std::string target = "records?kind=" + kind;
    if (!options.since.empty()) target += "&since=" + percent_encode(options.since);
    if (!options.until.empty()) target += "&until=" + percent_encode(options.until);
    if (!options.person.empty() && *person_field != '\0') {
        target += "&where=" +
                  percent_encode(std::string(person_field) + ":" + Json(options.person).dump());
    }
    formats::Records records;
    TRY(session.items(session.in_space(target), 0,
                      [&](const Json& one) { records.push_back(one); }));
    std::reverse(records.begin(), records.end());
    return records;
}

Result<std::string> calendar(Session& session, const ExportOptions& options) {
    formats::Records all;
    for (const auto& [kind, field] :
         {std::pair{"core.duty", "assignee"}, std::pair{"core.meeting", "who"},
          std::pair{"core.shift", "person"}}) {
        TRY_ASSIGN(const auto records, records_of(session, kind, options, field));
        all.insert(all.end(), records.begin(), records.end());
    }
    return formats::render_calendar(all, SystemClock().now());
}

Result<std::string> bundle(Session& session, const ExportOptions& options) {
    formats::FhirInput input;
    TRY_ASSIGN(input.administrations,
               records_of(session, "medical.medication_administration", options, "person"));
    TRY_ASSIGN(input.immunizations, records_of(session, "medical.immunization", options, "person"));
    TRY(session.items(session.in_space("records?kind=medical.medication_order"), 0,
                      [&](const Json& one) {
                          input.orders[text_of(one, "id")] = one.value("fields", Json::object());
                      }));
    TRY(session.items(session.in_space("records?kind=core.person"), 0, [&](const Json& one) {
        const Json fields = one.value("fields", Json::object());
        input.names[text_of(one, "id")] =
            text_of(fields, "given") + " " + text_of(fields, "family");
    }));
    return formats::render_fhir(input, format_in_zone(SystemClock().now(), session.zone()));
}

// By NAME=VALUE, of a report that the daemon renders in the format.
Result<std::string> from_report(Session& session, const std::string& report,
                                const std::string& format, const ExportOptions& options) {
    std::string target =
        session.in_space("reports/" + percent_encode(report)) + "?format=" + format;
    for (const std::string& pair : options.what) {
        if (pair.find('=') != std::string::npos) target += "&parameter=" + percent_encode(pair);
    }
    return session.text(target);
}

Result<std::string> table_of_kind(Session& session, const std::string& kind,
                                  const ExportOptions& options) {
    TRY_ASSIGN(const Json described, session.get("/v1/kinds/" + percent_encode(kind)));
    std::vector<std::string> fields;
    for (const Json& field : described.value("fields", Json::array())) {
        fields.push_back(text_of(field, "name"));
    }
    TRY_ASSIGN(const auto records, records_of(session, kind, options, "person"));
    return formats::render_records_csv(records, fields);
}

Result<std::string> table(Session& session, const ExportOptions& options) {
    if (options.what.empty() || options.what.front().find('=') != std::string::npos) {
        return usage_error("what is to be exported?",
                           "name a kind or a report: export csv core.duty");
    }
    const std::string& name = options.what.front();
    bool report = false;
    TRY(session.items("/v1/reports", 0,
                      [&](const Json& one) { report = report || text_of(one, "report") == name; }));
    if (report) return from_report(session, name, "csv", options);
    return table_of_kind(session, name, options);
}

Result<int> oneroster(Session& session, const ExportOptions& options) {
    if (options.out.empty()) {
        return usage_error("OneRoster is several files", "give --out FOLDER or --out FILE.zip");
    }
    std::map<std::string, formats::Records> by_kind;
    for (const char* kind : {"roster.organization", "core.person", "roster.session",
                             "roster.course", "roster.class", "roster.enrollment"}) {
        TRY_ASSIGN(by_kind[kind], records_of(session, kind, {}, ""));
    }
    TRY_ASSIGN(const Json status, session.get("/v1/status"));
    const auto files =
        formats::render_oneroster(by_kind, text_of(status.value("site", Json::object()), "name"));
    const std::filesystem::path out = std::filesystem::absolute(options.out);
    if (out.extension() == ".zip") {
        TRY(formats::write_zip(out, files));
    } else {
        std::error_code failed;
        std::filesystem::create_directories(out, failed);
        for (const auto& [name, text] : files) TRY(write_file_atomically(out / name, text, 0644));
    }
    session.err() << "wrote " << files.size() << " files to " << options.out << '\n';
    return done;
}

// What leaves the circle of those who may read is written down (CORE-R07): to whom, what for.
Result<void> disclose(Session& session, const ExportOptions& options) {
    if (options.to.empty()) return {};
    const std::string& by = session.settings().by;
    if (options.purpose.empty() || options.basis.empty() || by.empty()) {
        return failure(Code::Rejected, "nothing was exported: a disclosure is written down",
                       "what leaves to " + options.to +
                           " has a purpose, a basis and a person "
                           "who allowed it (CORE-R07)",
                       "say --purpose, --basis and --by");
    }
    std::string what = "export " + options.format;
    for (const std::string& each : options.what) what += " " + each;
    Json about = Json::array();
    if (!options.person.empty()) about.push_back(options.person);
    const Json fields = {{"about", about},
                         {"to_party", options.to},
                         {"at", format_in_zone(SystemClock().now(), session.zone())},
                         {"purpose", options.purpose},
                         {"what", what},
                         {"legal_basis", options.basis},
                         {"authorised_by", by}};
    TRY(session.post(session.in_space("records"),
                     {{"kind", "core.disclosure"}, {"fields", fields}}));
    return {};
}

Result<int> run_export(Session& session, const ExportOptions& options) {
    TRY(disclose(session, options));
    if (options.format == "oneroster") return oneroster(session, options);
    std::string text;
    if (options.format == "ics") {
        TRY_ASSIGN(text, calendar(session, options));
    } else if (options.format == "fhir") {
        TRY_ASSIGN(text, bundle(session, options));
    } else if (options.format == "ledes") {
        TRY_ASSIGN(text, from_report(session, "legal.ledes_invoice", "ledes", options));
    } else if (options.format == "edfi") {
        TRY_ASSIGN(const auto events,
                   records_of(session, "education.attendance_event", options, "student"));
        text = formats::render_edfi_attendance(events);
    } else if (options.format == "csv") {
        TRY_ASSIGN(text, table(session, options));
    } else {
        return usage_error("no format is called " + options.format,
                           "csv, ics, ledes, fhir, edfi or oneroster");
    }
    return write_output(session, text, options.out);
}

}  // namespace

void add_export_commands(Commands& commands) {
    auto& session = commands.session;
    auto options = std::make_shared<ExportOptions>();
    auto& app = command(commands, commands.root, "export", "Writes records for other programs.",
                        "export ledes matter=m-2026-014 from=2026-05-01 to=2026-05-31 "
                        "--out may.ledes",
                        [&session, options] { return run_export(session, *options); });
    app.add_option("format", options->format, "csv, ics, ledes, fhir, edfi or oneroster")
        ->required();
    app.add_option("what", options->what,
                   "of csv: a kind or a report; of a report its parameters, NAME=VALUE");
    app.add_option("--out", options->out, "file; standard output without it");
    app.add_option("--person", options->person, "of this person alone");
    app.add_option("--since", options->since, "from this day or instant on");
    app.add_option("--until", options->until, "up to this day or instant");
    app.add_option("--to", options->to, "who receives it, if it leaves: writes a disclosure");
    app.add_option("--purpose", options->purpose, "what the receiver needs it for");
    app.add_option("--basis", options->basis, "the law or consent that allows it");
}

}  // namespace dutybook::cli
