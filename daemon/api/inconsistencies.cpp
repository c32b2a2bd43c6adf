// site.inconsistencies.

#include "api/findings.h"
#include "api/host_words.h"
#include "core/plugins.h"

#include <algorithm>
#include <limits>

namespace dutybook::api {

namespace {

// The field that the finding is about, of each record that has it: side by side.
std::string value_at(const rules::Finding& finding, const domain::RecordState& state,
                     const Words& words) {
    const std::string name = finding.path.substr(0, finding.path.find('/', 1));
    if (name.size() < 2) return "";
    const std::string value = plain(value_of(state.fields, name.substr(1)));
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
    return plain(value_of(answers->records.front().state.fields, "reason"));
}

// What the rules found, rule by rule: the whole list of a year is read by nobody.
class Inconsistencies {
public:
    explicit Inconsistencies(HostReport& report)
        : report_(report),
          words_(report),
          rule_(report.parameters.value("rule", "")),
          answered_(report.parameters.value("answered", false)) {}

    Result<Json> blocks() {
        FindingQuery query;
        query.rule = rule_;
        query.open = !answered_;
        query.limit = std::numeric_limits<std::size_t>::max();
        TRY_ASSIGN(const FindingPage page, find_findings(report_.space, query));
        for (const auto& finding : page.findings) TRY(take(finding));
        std::vector<Group*> groups;
        for (auto& [rule, group] : groups_) groups.push_back(&group);
        std::stable_sort(groups.begin(), groups.end(), [](const Group* a, const Group* b) {
            return a->severity != b->severity ? a->severity > b->severity
                                              : a->rows.size() > b->rows.size();
        });
        Json blocks = Json::array();
        if (rule_.empty()) add_summary(blocks, groups);
        add_newest(blocks, groups);
        words_.tell_opened();
        return Result<Json>(boost::system::in_place_value, std::move(blocks));
    }

private:
    struct Row {
        Millis since = 0;
        Json cells;
    };
    struct Group {
        std::string rule;
        rules::Severity severity = rules::Severity::Info;  // the highest of its findings
        std::vector<Row> rows;
    };

    Result<void> take(const rules::Finding& finding) {
        TRY_ASSIGN(const Seen seen, records_of(finding, report_, words_));
        if (seen.hidden) return {};
        std::string first, others;
        for (const auto& state : seen.states) {
            const std::string line = words_.record(state) + value_at(finding, state, words_);
            if (first.empty()) {
                first = line;
            } else {
                others += (others.empty() ? "" : "\n") + line;
            }
        }
        Json cells = {finding.rule,
                      severity_text(finding.severity),
                      report_.call.services.plugins->host().message(finding, report_.language),
                      first,
                      others,
                      words_.moment(seen.since),
                      seen.sites};
        if (answered_) {
            cells.push_back(std::string(rules::name_of(finding.state)));
            cells.push_back(answer_of(finding, report_));
        }
        Group& group = groups_[finding.rule];
        group.rule = finding.rule;
        group.severity = std::max(group.severity, finding.severity);
        group.rows.push_back({seen.since, std::move(cells)});
        return {};
    }

    std::string severity_text(rules::Severity severity) const {
        switch (severity) {
            case rules::Severity::Info:
                return words_.text("information", "información");
            case rules::Severity::Warn:
                return words_.text("warning", "aviso");
            case rules::Severity::NeedsReview:
                return words_.text("needs review", "por revisar");
            case rules::Severity::Deny:
            case rules::Severity::Reject:
                break;
        }
        return words_.text("not allowed", "no permitido");
    }

    std::string title_of_rule(const std::string& rule) const {
        const auto& host = report_.call.services.plugins->host();
        for (const auto& status : host.statuses()) {
            const auto plugin = host.find(status.id);
            const auto* const known = plugin ? plugin->package.manifest.rule(rule) : nullptr;
            if (known != nullptr) return rules::text_in(known->title, report_.language);
        }
        return {};
    }

    void add_summary(Json& blocks, const std::vector<Group*>& groups) const {
        Json rows = Json::array();
        for (const Group* group : groups) {
            Millis newest = 0;
            for (const Row& row : group->rows) newest = std::max(newest, row.since);
            rows.push_back({group->rule, title_of_rule(group->rule), severity_text(group->severity),
                            group->rows.size(), words_.moment(newest)});
        }
        add_table(blocks, report_.space.facts().name,
                  {words_.text("Rule", "Regla"), words_.text("What it says", "Qué dice"),
                   words_.text("Severity", "Gravedad"), words_.text("Number", "Número"),
                   words_.text("Newest", "El más nuevo")},
                  std::move(rows), words_);
    }

    // The newest of each rule that a person must look at; of one rule that was asked for, all.
    void add_newest(Json& blocks, const std::vector<Group*>& groups) const {
        constexpr std::size_t of_each = 3, of_one = 2000;
        const bool one = !rule_.empty();
        Json rows = Json::array();
        std::size_t more = 0;
        for (Group* group : groups) {
            if (!one && group->severity < rules::Severity::NeedsReview) continue;
            std::stable_sort(group->rows.begin(), group->rows.end(),
                             [](const Row& a, const Row& b) { return a.since > b.since; });
            const std::size_t shown = std::min(group->rows.size(), one ? of_one : of_each);
            for (std::size_t i = 0; i < shown; ++i) rows.push_back(group->rows[i].cells);
            more += group->rows.size() - shown;
        }
        std::vector<std::string> labels{words_.text("Rule", "Regla"),
                                        words_.text("Severity", "Gravedad"),
                                        words_.text("What was found", "Qué se encontró"),
                                        words_.text("Record", "Registro"),
                                        words_.text("Beside", "Junto a"),
                                        words_.text("Since", "Desde"),
                                        words_.text("Site", "Sede")};
        if (answered_) {
            labels.emplace_back(words_.text("State", "Estado"));
            labels.emplace_back(words_.text("Reason", "Motivo"));
        }
        add_table(blocks,
                  one ? rule_ + " " + title_of_rule(rule_)
                      : words_.text("The newest to look at", "Lo más nuevo por revisar"),
                  labels, std::move(rows), words_);
        if (more == 0) return;
        blocks.push_back({{"type", "text"},
                          {"style", "note"},
                          {"text", std::to_string(more) +
                                       words_.text(" more: name a rule, rule=CORE-R01",
                                                   " más: indique una regla, rule=CORE-R01")}});
    }

    HostReport& report_;
    Words words_;
    const std::string rule_;
    const bool answered_;
    std::map<std::string, Group> groups_;
};

}  // namespace

Result<Json> make_inconsistencies(HostReport& report) {
    return Inconsistencies(report).blocks();
}

}  // namespace dutybook::api
