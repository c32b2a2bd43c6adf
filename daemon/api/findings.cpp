#include "api/findings.h"

#include <algorithm>
#include <map>

namespace dutybook::api {

namespace {

constexpr std::size_t page = 500;
constexpr const char* answer_kind = "core.finding_answer";

std::string text_field(const domain::RecordState& state, const char* field) {
    const auto found = state.fields.find(field);
    if (found == state.fields.end()) return {};
    const Json value = Json::parse(found->second, nullptr, false);
    return value.is_string() ? value.get<std::string>() : std::string();
}

// The latest answer to a finding. Answers are final records; among several, and from several
// sites, the newest effective one counts (the list's order, which is the same everywhere).
Result<rules::FindingState> state_of(store::IndexReader& reader, const std::string& finding) {
    store::Query query;
    query.kind = answer_kind;
    query.where = {{"finding", canonical(Json(finding))}};
    query.limit = page;
    do {
        TRY_ASSIGN(const auto answers, reader.list(query));
        for (const auto& record : answers.records) {
            if (record.state.status == domain::Status::Retracted) continue;
            const auto state = rules::finding_state_from(text_field(record.state, "answer"));
            if (state) return *state;
        }
        query.after = answers.next;
    } while (!query.after.empty());
    return rules::FindingState::Open;
}

// What the verdicts of these records say of one finding; nothing if one has just changed.
Result<std::optional<rules::Finding>> told(store::IndexReader& reader, const std::string& id,
                                           const std::vector<std::string>& records) {
    std::vector<rules::Finding> all;
    for (const std::string& record : records) {
        TRY_ASSIGN(const auto verdicts, reader.verdicts_of(record));
        for (const auto& verdict : verdicts) {
            TRY_ASSIGN(auto findings, rules::read_findings(verdict.findings));
            for (auto& finding : findings) {
                if (finding.id == id) all.push_back(std::move(finding));
            }
        }
    }
    if (all.empty()) return std::optional<rules::Finding>{};
    return std::optional(rules::merged(rules::as_stored(std::move(all))).front());
}

// Ids of a kind's records that lack a verdict of one of the digests.
template <class Function>
Result<void> each_unjudged(store::IndexReader& reader, const std::string& kind,
                           const std::vector<std::string>& digests, const Function& function) {
    std::string after;
    do {
        TRY_ASSIGN(const auto some, reader.unjudged(kind, digests, after, 10'000));
        for (const std::string& id : some.records) function(id);
        after = some.next;
    } while (!after.empty());
    return {};
}

}  // namespace

Result<std::string> findings_of(store::IndexReader& reader, const store::StoredRecord& record) {
    TRY_ASSIGN(const auto verdicts, reader.verdicts_of(record.state.id));
    std::vector<rules::Finding> findings;
    for (const auto& verdict : verdicts) {
        if (verdict.version != record.version) continue;
        TRY_ASSIGN(auto some, rules::read_findings(verdict.findings));
        findings.insert(findings.end(), some.begin(), some.end());
    }
    if (findings.empty()) return std::string("[]");
    Json json = Json::array();
    for (const auto& finding : rules::merged(rules::as_stored(std::move(findings))))
        json.push_back(rules::to_json(finding));
    return canonical(json);
}

Result<FindingPage> find_findings(core::SpaceService& space, const FindingQuery& query) {
    FindingPage out;
    store::IndexReader& reader = space.reader();
    std::string from = query.from;
    while (true) {
        TRY_ASSIGN(const auto places, reader.findings(from, query.rule, page));
        for (auto place = places.begin(); place != places.end();) {
            const std::string& id = place->id;
            std::vector<std::string> records;
            for (; place != places.end() && place->id == id; ++place) {
                records.push_back(place->record);
            }
            TRY_ASSIGN(auto finding, told(reader, id, records));
            if (!finding) continue;
            TRY_ASSIGN(finding->state, state_of(reader, id));
            if (query.open && finding->state != rules::FindingState::Open) continue;
            if (out.findings.size() == query.limit) {
                out.more = true;
                return out;
            }
            out.findings.push_back(std::move(*finding));
        }
        if (places.empty()) return out;
        from = behind(places.back().id);
    }
}

std::string behind(const std::string& finding) {
    return finding + "!";  // below all letters and digits
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

Json finding_json(const Services& services, const rules::Finding& finding,
                  const std::string& language) {
    Json json = Json::array({rules::to_json(finding)});
    translate(services, json, language);
    return json[0];
}

Result<std::vector<Json>> unchecked_records(core::SpaceService& space, const Services& services) {
    std::map<std::pair<std::string, std::string>, std::string> whys;
    if (services.plugins != nullptr) {
        for (const auto& one : services.plugins->host().unchecked(space.facts().name)) {
            whys[{one.record, one.plugin}] = one.why;
        }
    }
    std::vector<Json> all;
    for (const auto& plugin : services.evaluator->plugins(space.facts().name)) {
        for (const auto& kind : plugin.kinds) {
            const std::vector<std::string> digests = {plugin.digest};
            TRY(each_unjudged(space.reader(), kind, digests, [&](const std::string& id) {
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
                                         const rules::Evaluator& evaluator,
                                         std::uint64_t doubtful) {
    FindingsSummary summary;
    TRY_ASSIGN(const store::Judged judged, space.reader().judged());
    std::map<std::string, std::vector<std::string>> digests;  // by kind, of plugins that lack some
    std::map<std::string, std::uint64_t> fewest;
    for (const auto& plugin : evaluator.plugins(space.facts().name)) {
        for (const auto& kind : plugin.kinds) {
            const auto living = judged.living.find(kind);
            if (living == judged.living.end()) continue;
            const auto found = judged.verdicts.find({kind, plugin.digest});
            const std::uint64_t verdicts = found == judged.verdicts.end() ? 0 : found->second;
            if (verdicts >= living->second) continue;
            digests[kind].push_back(plugin.digest);
            const auto [least, first] = fewest.try_emplace(kind, verdicts);
            if (!first) least->second = std::min(least->second, verdicts);
        }
    }
    for (const auto& [kind, lacking] : digests) {
        // Of two plugins that lack some it matters whether it is the same ones; of none, not.
        if (lacking.size() == 1 || fewest[kind] == 0) {
            summary.unchecked += judged.living.at(kind) - fewest[kind];
            continue;
        }
        TRY(each_unjudged(space.reader(), kind, lacking,
                          [&](const std::string&) { ++summary.unchecked; }));
    }
    // What lacks a verdict is mostly among what is to be judged.
    summary.unchecked = std::max(summary.unchecked, doubtful);
    if (summary.unchecked == 0) summary.digest = judged.findings_digest;
    return summary;
}

}  // namespace dutybook::api
