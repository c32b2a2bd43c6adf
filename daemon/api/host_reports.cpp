#include "api/host_reports.h"

#include "api/findings.h"
#include "api/host_words.h"
#include "api/shapes.h"

#include <algorithm>
#include <limits>

namespace dutybook::api {

namespace {

constexpr std::string_view prefix = "site.";
constexpr const char* clock_rule = "CORE-R14";

// --- sync and merge ---

Result<Json> remote_rows(HostReport& report, const Words& words) {
    TRY_ASSIGN(const auto remotes, report.call.services.sync->remotes(report.space.facts().name));
    Json rows = Json::array();
    for (const auto& one : remotes) {
        rows.push_back({one.config.name, without_password(one.config.url),
                        words.moment(one.last_attempt), words.moment(one.last_success),
                        one.undelivered, one.error});
    }
    return Result<Json>(boost::system::in_place_value, std::move(rows));
}

Result<Json> peer_rows(HostReport& report, const Words& words) {
    const auto peers = report.space.run([](core::SpaceEngine& it) { return it.peers(); });
    TRY_ASSIGN(const auto frontier, report.space.reader().frontier());
    std::map<std::string, std::uint64_t> held;  // site -> operations of it that are here
    for (const auto& [writer, entry] : frontier.entries()) {
        held[std::string(domain::site_of(writer))] += entry.seq;
    }
    const std::string own = report.space.facts().site;
    Json rows = Json::array();
    for (const auto& peer : peers) {
        rows.push_back({words.site(peer.site), words.moment(peer.last_heard), held[peer.site],
                        peer.holds_of_ours, held[own] - std::min(held[own], peer.holds_of_ours)});
    }
    return Result<Json>(boost::system::in_place_value, std::move(rows));
}

Result<Json> conflict_rows(HostReport& report, Words& words) {
    constexpr std::size_t page = 500;
    Json rows = Json::array();
    std::string after;
    while (true) {
        TRY_ASSIGN(const auto records, report.space.reader().conflicts(after, page));
        for (const auto& record : records) {
            TRY_ASSIGN(const bool hidden, words.hides(record.state));
            if (hidden) continue;
            for (const auto& conflict : record.state.conflicts) {
                std::string values;
                for (const auto& value : conflict.values) {
                    values += (values.empty() ? "" : "\n") +
                              plain(Json::parse(value.value, nullptr, false)) + " (" +
                              words.site(std::string(domain::site_of(value.operation.writer))) +
                              " " + words.moment(value.at) + ")";
                }
                rows.push_back({words.record(record.state),
                                words.field(record.state.kind, conflict.field), values});
            }
        }
        if (records.size() < page) break;
        after = records.back().state.id;
    }
    return Result<Json>(boost::system::in_place_value, std::move(rows));
}

Result<Json> clock_rows(HostReport& report, Words& words) {
    FindingQuery query;
    query.rule = clock_rule;
    query.open = true;
    query.limit = std::numeric_limits<std::size_t>::max();
    TRY_ASSIGN(const FindingPage page, find_findings(report.space, query));
    Json rows = Json::array();
    for (const auto& finding : page.findings) {
        TRY_ASSIGN(const Seen seen, records_of(finding, report, words));
        if (seen.hidden || seen.states.empty()) continue;
        rows.push_back({seen.sites, words.record(seen.states.front()),
                        report.call.services.plugins->host().message(finding, report.language)});
    }
    return Result<Json>(boost::system::in_place_value, std::move(rows));
}

Json alarm_rows(HostReport& report, const Words& words) {
    const auto alarms = report.space.run([](core::SpaceEngine& it) { return it.alarms(); });
    Json rows = Json::array();
    for (const auto& alarm : alarms) {
        rows.push_back({words.moment(alarm.since), alarm.kind, alarm.subject, alarm.message});
    }
    return rows;
}

Result<Json> sync_and_merge(HostReport& report) {
    Words words(report);
    Json blocks = Json::array();
    const auto T = [&](const char* en, const char* es) { return words.text(en, es); };
    TRY_ASSIGN(Json peers, peer_rows(report, words));
    add_table(blocks, T("Sites", "Sedes"),
              {T("Site", "Sede"), T("Last heard", "Último contacto"),
               T("Operations received", "Operaciones recibidas"),
               T("Of ours it holds", "Tiene de las nuestras"), T("It lacks", "Le faltan")},
              std::move(peers), words);
    TRY_ASSIGN(Json remotes, remote_rows(report, words));
    add_table(blocks, T("Remotes", "Remotos"),
              {T("Remote", "Remoto"), T("Address", "Dirección"), T("Last try", "Último intento"),
               T("Last success", "Último éxito"), T("Not delivered", "Sin entregar"),
               T("Error", "Error")},
              std::move(remotes), words);
    TRY_ASSIGN(Json conflicts, conflict_rows(report, words));
    add_table(blocks, T("Conflicts", "Conflictos"),
              {T("Record", "Registro"), T("Field", "Campo"), T("Values", "Valores")},
              std::move(conflicts), words);
    TRY_ASSIGN(Json clocks, clock_rows(report, words));
    add_table(blocks, T("Clock differences", "Diferencias de reloj"),
              {T("Site", "Sede"), T("Record", "Registro"), T("What was found", "Qué se encontró")},
              std::move(clocks), words);
    add_table(blocks, T("Refused or set aside", "Rechazado o apartado"),
              {T("Since", "Desde"), T("Kind", "Tipo"), T("Subject", "Sujeto"),
               T("What happened", "Qué pasó")},
              alarm_rows(report, words), words);
    words.tell_opened();
    return Result<Json>(boost::system::in_place_value, std::move(blocks));
}

rules::ManifestReport declared(const char* name, const char* english, const char* spanish,
                               Json properties) {
    rules::ManifestReport report;
    report.name = name;
    report.title = {{"en", english}, {"es", spanish}};
    report.parameters = {
        {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
    report.formats = {"html", "csv", "text", "json"};
    report.landscape = true;
    return report;
}

}  // namespace

const std::vector<rules::ManifestReport>& host_reports() {
    static const std::vector<rules::ManifestReport> all{
        declared("inconsistencies", "Inconsistencies found", "Incoherencias encontradas",
                 {{"rule", {{"type", "string"}, {"description", "of this rule alone"}}},
                  {"answered", {{"type", "boolean"}, {"description", "those answered too"}}}}),
        declared("sync", "Sync and merge", "Sincronización y fusión", Json::object())};
    return all;
}

const rules::ManifestReport* host_report(const std::string& name) {
    if (!name.starts_with(prefix)) return nullptr;
    for (const auto& one : host_reports()) {
        if (name.substr(prefix.size()) == one.name) return &one;
    }
    return nullptr;
}

Result<Json> make_host_report(const std::string& name, HostReport& report) {
    return name == "site.sync" ? sync_and_merge(report) : make_inconsistencies(report);
}

}  // namespace dutybook::api
