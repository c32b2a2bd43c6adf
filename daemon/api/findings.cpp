#include "api/findings.h"

#include "domain/digest.h"

#include <map>
#include <set>

namespace dutybook::api {

namespace {

constexpr std::size_t page = 500;
constexpr const char* answer_kind = "core.finding_answer";

template <class Visit>
Result<void> each_verdict(store::IndexReader& reader, Visit visit) {
    std::string after;
    for (;;) {
        TRY_ASSIGN(const auto verdicts, reader.verdicts(after, page));
        for (const auto& verdict : verdicts) TRY(visit(verdict));
        if (verdicts.size() < page) return {};
        after = verdicts.back().record;
    }
}

template <class Visit>
Result<void> each_record(store::IndexReader& reader, const std::string& kind, Visit visit) {
    store::Query query;
    query.kind = kind;
    query.limit = page;
    do {
        TRY_ASSIGN(const auto records, reader.list(query));
        for (const auto& record : records.records) visit(record);
        query.after = records.next;
    } while (!query.after.empty());
    return {};
}

std::string text_field(const domain::RecordState& state, const char* field) {
    const auto found = state.fields.find(field);
    if (found == state.fields.end()) return {};
    const Json value = Json::parse(found->second, nullptr, false);
    return value.is_string() ? value.get<std::string>() : std::string();
}

// The latest answer to each finding. Answers are final records; among several, and from several
// sites, the newest effective one counts (the list's order, which is the same everywhere).
Result<std::map<std::string, rules::FindingState>> answers(store::IndexReader& reader) {
    std::map<std::string, rules::FindingState> out;
    TRY(each_record(reader, answer_kind, [&](const store::StoredRecord& record) {
        if (record.state.status == domain::Status::Retracted) return;
        const auto state = rules::finding_state_from(text_field(record.state, "answer"));
        if (state) out.try_emplace(text_field(record.state, "finding"), *state);
    }));
    return out;
}

}  // namespace

Result<std::string> findings_of(store::IndexReader& reader, const store::StoredRecord& record) {
    // verdicts() pages by record id, and ids are printable ASCII: nothing lies between the id and
    // its predecessor below but longer forms of that predecessor's own prefix.
    std::string before = record.state.id;
    before.back() = static_cast<char>(before.back() - 1);
    before += '\x7f';
    TRY_ASSIGN(const auto verdicts, reader.verdicts(before, 1));
    std::vector<rules::Finding> findings;
    for (const auto& verdict : verdicts) {
        if (verdict.record != record.state.id || verdict.version != record.version) continue;
        TRY_ASSIGN(auto some, rules::read_findings(verdict.findings));
        findings.insert(findings.end(), some.begin(), some.end());
    }
    if (findings.empty()) return std::string("[]");
    Json json = Json::array();
    for (const auto& finding : rules::merged(rules::as_stored(std::move(findings))))
        json.push_back(rules::to_json(finding));
    return canonical(json);
}

void translate(const Services& services, Json& findings, const std::string& language) {
    if (services.plugins == nullptr || language.starts_with("en")) return;
    for (Json& json : findings) {
        if (!json.contains("code")) continue;
        rules::Finding finding;
        finding.rule = json.value("rule", "");
        finding.code = json.value("code", "");
        finding.message = json.value("message", "");
        finding.values = json.value("values", Json::object());
        json["message"] = services.plugins->host().message(finding, language);
    }
}

std::string translated(const Services& services, std::string_view findings,
                       const std::string& language) {
    Json json = Json::parse(findings, nullptr, false);
    if (!json.is_array()) return std::string(findings);
    translate(services, json, language);
    return canonical(json);
}

Json finding_json(const Services& services, const rules::Finding& finding,
                  const std::string& language) {
    Json json = Json::array({rules::to_json(finding)});
    translate(services, json, language);
    return json[0];
}

Result<std::vector<rules::Finding>> all_findings(core::SpaceService& space) {
    std::vector<rules::Finding> findings;
    TRY(each_verdict(space.reader(), [&](const store::Verdict& verdict) -> Result<void> {
        if (verdict.findings == "[]") return {};
        TRY_ASSIGN(auto some, rules::read_findings(verdict.findings));
        findings.insert(findings.end(), some.begin(), some.end());
        return {};
    }));
    findings = rules::merged(rules::as_stored(std::move(findings)));
    if (findings.empty()) return findings;
    TRY_ASSIGN(const auto answered, answers(space.reader()));
    for (auto& finding : findings) {
        const auto found = answered.find(finding.id);
        if (found != answered.end()) finding.state = found->second;
    }
    return findings;
}

Result<std::vector<Json>> unchecked_records(core::SpaceService& space, const Services& services) {
    std::set<std::pair<std::string, std::string>> judged;
    TRY(each_verdict(space.reader(), [&](const store::Verdict& verdict) -> Result<void> {
        judged.emplace(verdict.record + "@" + verdict.version, verdict.plugin_digest);
        return {};
    }));
    std::map<std::pair<std::string, std::string>, std::string> whys;
    if (services.plugins != nullptr) {
        for (const auto& one : services.plugins->host().unchecked(space.facts().name)) {
            whys[{one.record, one.plugin}] = one.why;
        }
    }
    std::vector<Json> all;
    for (const auto& plugin : services.evaluator->plugins(space.facts().name)) {
        for (const auto& kind : plugin.kinds) {
            TRY(each_record(space.reader(), kind, [&](const store::StoredRecord& record) {
                const auto& id = record.state.id;
                if (judged.count({id + "@" + record.version, plugin.digest}) != 0) return;
                const auto why = whys.find({id, plugin.id});
                all.push_back({{"record", id},
                               {"kind", kind},
                               {"plugin", plugin.id},
                               {"why", why == whys.end() ? "waits for its turn" : why->second}});
            }));
        }
    }
    return all;
}

Result<FindingsSummary> findings_summary(core::SpaceService& space,
                                         const rules::Evaluator& evaluator) {
    // (record, plugin) of verdicts that fit what is shown.
    std::set<std::pair<std::string, std::string>> judged;
    TRY(each_verdict(space.reader(), [&](const store::Verdict& verdict) -> Result<void> {
        judged.emplace(verdict.record + "@" + verdict.version, verdict.plugin_digest);
        return {};
    }));
    FindingsSummary summary;
    std::set<std::string> unchecked;
    for (const auto& plugin : evaluator.plugins(space.facts().name)) {
        for (const auto& kind : plugin.kinds) {
            TRY(each_record(space.reader(), kind, [&](const store::StoredRecord& record) {
                if (judged.count({record.state.id + "@" + record.version, plugin.digest}) == 0)
                    unchecked.insert(record.state.id);
            }));
        }
    }
    summary.unchecked = unchecked.size();
    if (!unchecked.empty()) return summary;
    domain::Digest digest;
    TRY_ASSIGN(const auto findings, all_findings(space));
    for (const auto& finding : findings) digest.add(rules::hash_of(finding));
    summary.digest = digest.text();
    return summary;
}

}  // namespace dutybook::api
