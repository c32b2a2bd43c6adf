#include "api/host_reports.h"

#include "api/findings.h"
#include "api/reference.h"
#include "api/shapes.h"
#include "core/circle.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>

namespace dutybook::api {

namespace {

constexpr std::string_view prefix = "site.";
constexpr const char* clock_rule = "CORE-R14";

Json json_of(const std::map<std::string, std::string>& fields, const std::string& field) {
    const auto found = fields.find(field);
    return found == fields.end() ? Json() : Json::parse(found->second, nullptr, false);
}

std::string plain(const Json& value) {
    if (value.is_null()) return "";
    return value.is_string() ? value.get<std::string>() : canonical(value);
}

std::ptrdiff_t rank_of(const std::string& privacy) {
    constexpr std::array<std::string_view, 5> classes{"ordinary", "hr", "education", "health",
                                                      "privileged"};
    return std::find(classes.begin(), classes.end(), privacy) - classes.begin();
}

// What both reports need to put records into words.
class Words {
public:
    explicit Words(HostReport& report)
        : report_(report),
          spanish_(report.language.starts_with("es")),
          walls_(*report.call.services.book, report.space, report.reading.person) {
        const auto* circle = report.call.services.book->circle(report.space.facts().name);
        if (circle != nullptr) members_ = circle->membership();
    }

    std::string text(const char* english, const char* spanish) const {
        return spanish_ ? spanish : english;
    }

    std::string site(const std::string& id) const {
        const auto* const member = members_ ? members_->find(id) : nullptr;
        return member != nullptr && !member->name.empty() ? member->name : id.substr(0, 8);
    }

    // "2026-05-04 08:00" on the site's wall.
    std::string moment(Millis at) const {
        if (at == 0) return text("never", "nunca");
        std::string out = format_in_zone(at, report_.call.services.book->site().zone);
        out[10] = ' ';
        return out.substr(0, 16);
    }

    std::string kind(const std::string& kind) const {
        const Json labels = described(kind).value("labels", Json::object());
        return labels.value(spanish_ ? "es" : "en", labels.value("en", kind));
    }

    std::string field(const std::string& kind, const std::string& name) const {
        for (const Json& one : described(kind).value("fields", Json::array())) {
            if (one.value("name", "") != name) continue;
            const Json labels = one.value("labels", Json::object());
            return labels.value(spanish_ ? "es" : "en", labels.value("en", name));
        }
        return name;
    }

    // "Shift 2026-05-04 08:00 (sh-1), North, p-rosa"
    std::string record(const domain::RecordState& state) const {
        const auto* const traits = report_.call.services.book->kinds().find(state.kind);
        std::string out = kind(state.kind);
        if (const std::string title = title_of(state); !title.empty()) out += " \"" + title + '"';
        if (traits != nullptr && !traits->effective.empty()) {
            std::string when = plain(json_of(state.fields, traits->effective));
            if (const auto at = parse_instant(when)) when = moment(*at);
            if (!when.empty()) out += " " + when;
        }
        out += " (" + state.id + "), " + site(std::string(origin(state)));
        return state.created.by.empty() ? out : out + ", " + state.created.by;
    }

    static std::string_view origin(const domain::RecordState& state) {
        return domain::site_of(state.created.identity().writer);
    }

    Result<bool> hides_some(const rules::Finding& finding) { return walls_.hides_some(finding); }
    void tell_opened() const {
        report_.behind.assign(walls_.opened().begin(), walls_.opened().end());
    }

    // Behind a wall, or of a class that the reader's roles do not open.
    Result<bool> hides(const domain::RecordState& state) {
        const auto* const traits = report_.call.services.book->kinds().find(state.kind);
        const std::string privacy = traits != nullptr ? traits->privacy : "unknown";
        TRY_ASSIGN(const bool behind_wall, walls_.hides(state));
        const bool hidden = behind_wall || !report_.reading.opens(privacy);
        if (hidden && hidden_.insert(state.id).second) ++report_.hidden;
        if (!hidden && rank_of(privacy) > rank_of(report_.privacy)) report_.privacy = privacy;
        return hidden;
    }

private:
    // Asked for once a kind: thousands of records are of a few.
    const Json& described(const std::string& kind) const {
        const auto [at, is_new] = described_.try_emplace(kind);
        if (is_new) at->second = report_.call.services.book->kinds().describe(kind);
        return at->second;
    }

    HostReport& report_;
    const bool spanish_;
    Walls walls_;
    std::shared_ptr<const domain::Membership> members_;
    std::set<std::string> hidden_;
    mutable std::map<std::string, Json> described_;
};

Json heading(const std::string& text) {
    return {{"type", "heading"}, {"level", 1}, {"text", text}};
}

Json table(const std::vector<std::string>& labels, Json rows) {
    Json columns = Json::array();
    for (const auto& label : labels) columns.push_back({{"label", label}});
    return {{"type", "table"}, {"columns", std::move(columns)}, {"rows", std::move(rows)}};
}

void add_table(Json& blocks, const std::string& title, const std::vector<std::string>& labels,
               Json rows, const Words& words) {
    blocks.push_back(heading(title));
    if (rows.empty()) {
        blocks.push_back({{"type", "text"}, {"text", words.text("none", "ninguno")}});
    } else {
        blocks.push_back(table(labels, std::move(rows)));
    }
}

// --- inconsistencies ---

struct Seen {  // the records of a finding, as far as they are here
    std::vector<domain::RecordState> states;
    bool hidden = false;
    Millis since = 0;  // when the last of them was written down: from then on it was there to see
    std::string sites;
};

Result<Seen> records_of(const rules::Finding& finding, HostReport& report, Words& words) {
    Seen seen;
    TRY_ASSIGN(seen.hidden, words.hides_some(finding));
    std::set<std::string> sites;
    for (const std::string& id : finding.records) {
        TRY_ASSIGN(auto record, report.space.reader().get(id));
        if (!record) continue;
        TRY_ASSIGN(const bool hidden, words.hides(record->state));
        seen.hidden = seen.hidden || hidden;
        seen.since = std::max(seen.since, record->state.created.at);
        sites.insert(words.site(std::string(Words::origin(record->state))));
        seen.states.push_back(std::move(record->state));
    }
    for (const auto& site : sites) seen.sites += (seen.sites.empty() ? "" : ", ") + site;
    return seen;
}

// The field that the finding is about, of each record that has it: side by side.
std::string value_at(const rules::Finding& finding, const domain::RecordState& state,
                     const Words& words) {
    const std::string name = finding.path.substr(0, finding.path.find('/', 1));
    if (name.size() < 2) return "";
    const std::string value = plain(json_of(state.fields, name.substr(1)));
    return value.empty() ? "" : "; " + words.field(state.kind, name.substr(1)) + ": " + value;
}

std::string answer_of(const rules::Finding& finding, HostReport& report) {
    if (finding.state == rules::FindingState::Open) return "";
    store::Query query;
    query.kind = "core.finding_answer";
    query.where = {{"finding", canonical(Json(finding.id))}};
    query.limit = 1;
    const auto answers = report.space.reader().list(query);
    if (!answers || answers->records.empty()) return "";
    return plain(json_of(answers->records.front().state.fields, "reason"));
}

Result<Json> inconsistencies(HostReport& report) {
    constexpr std::size_t rows_limit = 2000;
    Words words(report);
    FindingQuery query;
    query.rule = report.parameters.value("rule", "");
    query.open = report.parameters.value("answered", false) == false;
    query.limit = std::numeric_limits<std::size_t>::max();
    TRY_ASSIGN(FindingPage page, find_findings(report.space, query));
    std::stable_sort(page.findings.begin(), page.findings.end(), [](const auto& a, const auto& b) {
        return a.severity != b.severity ? a.severity > b.severity : a.rule < b.rule;
    });
    Json rows = Json::array();
    std::size_t more = 0;
    for (const auto& finding : page.findings) {
        TRY_ASSIGN(const Seen seen, records_of(finding, report, words));
        if (seen.hidden) continue;
        if (rows.size() == rows_limit) {
            ++more;
            continue;
        }
        std::string first, others;
        for (const auto& state : seen.states) {
            const std::string line = words.record(state) + value_at(finding, state, words);
            if (first.empty()) {
                first = line;
            } else {
                others += (others.empty() ? "" : "\n") + line;
            }
        }
        rows.push_back({finding.rule, std::string(rules::name_of(finding.severity)),
                        report.call.services.plugins->host().message(finding, report.language),
                        first, others, words.moment(seen.since), seen.sites,
                        std::string(rules::name_of(finding.state)), answer_of(finding, report)});
    }
    Json blocks = Json::array();
    add_table(
        blocks, report.space.facts().name,
        {words.text("Rule", "Regla"), words.text("Severity", "Gravedad"),
         words.text("What was found", "Qué se encontró"), words.text("Record", "Registro"),
         words.text("Beside", "Junto a"), words.text("Since", "Desde"), words.text("Site", "Sede"),
         words.text("State", "Estado"), words.text("Reason", "Motivo")},
        std::move(rows), words);
    if (more > 0) {
        blocks.push_back({{"type", "text"},
                          {"style", "note"},
                          {"text", std::to_string(more) + words.text(" more: name a rule",
                                                                     " más: indique una regla")}});
    }
    return Result<Json>(boost::system::in_place_value, std::move(blocks));
}

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
    return name == "site.sync" ? sync_and_merge(report) : inconsistencies(report);
}

}  // namespace dutybook::api
