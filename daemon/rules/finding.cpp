#include "rules/finding.h"

#include "rules/evaluator.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace dutybook::rules {
namespace {

constexpr std::array<std::string_view, 5> severity_names{"info", "warn", "needs_review", "deny",
                                                         "reject"};
constexpr std::array<std::string_view, 4> state_names{"open", "accepted", "corrected", "dismissed"};
constexpr std::array<std::string_view, 4> verdict_names{"allow", "warn", "deny", "reject"};

template <class Enum, std::size_t size>
std::optional<Enum> named(const std::array<std::string_view, size>& names, std::string_view name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return static_cast<Enum>(found - names.begin());
}

Json instant_or_null(const std::optional<Millis>& instant) {
    return instant ? Json(format_utc(*instant)) : Json(nullptr);
}

Json stored_form(const Finding& finding) {
    Json json = to_json(finding);
    json["as_of"] = finding.as_of ? Json(*finding.as_of) : Json(nullptr);
    json["passes_at"] = finding.passes_at ? Json(*finding.passes_at) : Json(nullptr);
    return json;
}

std::optional<Millis> millis_or_none(const Json& json) {
    if (json.is_null()) return std::nullopt;
    return json.get<Millis>();
}

// Throws nlohmann's exceptions; read_findings turns them into an Error.
std::optional<Finding> stored_finding(const Json& json) {
    Finding finding;
    finding.id = json.at("finding").get<std::string>();
    finding.rule = json.at("rule").get<std::string>();
    finding.code = json.at("code").get<std::string>();
    const auto severity = severity_from(json.at("severity").get<std::string>());
    const auto state = finding_state_from(json.at("state").get<std::string>());
    if (!severity || !state) return std::nullopt;
    finding.severity = *severity;
    finding.state = *state;
    finding.records = json.at("records").get<std::vector<std::string>>();
    finding.path = json.at("path").get<std::string>();
    finding.message = json.at("message").get<std::string>();
    finding.values = json.at("values");
    finding.steps = json.at("steps").get<std::vector<std::string>>();
    finding.as_of = millis_or_none(json.at("as_of"));
    finding.source = json.at("source").get<std::string>();
    finding.passes_at = millis_or_none(json.at("passes_at"));
    return finding;
}

}  // namespace

std::string_view name_of(Severity severity) {
    return severity_names[static_cast<std::size_t>(severity)];
}
std::optional<Severity> severity_from(std::string_view name) {
    return named<Severity>(severity_names, name);
}
std::string_view name_of(FindingState state) {
    return state_names[static_cast<std::size_t>(state)];
}
std::optional<FindingState> finding_state_from(std::string_view name) {
    return named<FindingState>(state_names, name);
}
std::string_view name_of(VerdictWord verdict) {
    return verdict_names[static_cast<std::size_t>(verdict)];
}

std::string finding_id(std::string_view rule, std::string_view code,
                       std::span<const std::string> records) {
    std::vector<std::string> set(records.begin(), records.end());
    std::sort(set.begin(), set.end());
    set.erase(std::unique(set.begin(), set.end()), set.end());
    const Json named_by = Json::array({rule, code, set});
    const Hash hash = blake2b("dutybook.finding.1", canonical(named_by));
    return "f" + base32(hash).substr(0, 25);
}

Json to_json(const Finding& finding) {
    return Json{{"finding", finding.id},
                {"rule", finding.rule},
                {"code", finding.code},
                {"values", finding.values},
                {"severity", name_of(finding.severity)},
                {"records", finding.records},
                {"path", finding.path},
                {"message", finding.message},
                {"steps", finding.steps},
                {"as_of", instant_or_null(finding.as_of)},
                {"source", finding.source},
                {"state", name_of(finding.state)}};
}

std::string write_findings(std::span<const Finding> findings) {
    Json array = Json::array();
    for (const Finding& finding : findings) array.push_back(stored_form(finding));
    return canonical(array);
}

Result<std::vector<Finding>> read_findings(std::string_view text) {
    const Error damaged =
        failure(Code::Corrupt, "the stored findings cannot be read",
                "they were written by another version or are damaged", "run 'dutybook rebuild'");
    try {
        const Json array = Json::parse(text);
        if (!array.is_array()) return damaged;
        std::vector<Finding> findings;
        for (const Json& member : array) {
            auto finding = stored_finding(member);
            if (!finding) return damaged;
            findings.push_back(std::move(*finding));
        }
        return findings;
    } catch (const Json::exception&) {
        return damaged;
    }
}

VerdictWord verdict_of(std::span<const Finding> findings) {
    Severity strongest = Severity::Info;
    for (const Finding& finding : findings) strongest = std::max(strongest, finding.severity);
    switch (strongest) {
        case Severity::Reject:
            return VerdictWord::Reject;
        case Severity::Deny:
            return VerdictWord::Deny;
        case Severity::NeedsReview:
        case Severity::Warn:
            return VerdictWord::Warn;
        case Severity::Info:
            break;
    }
    return VerdictWord::Allow;
}

std::optional<Millis> latest_limit(std::span<const Finding> findings) {
    std::optional<Millis> out;
    for (const Finding& finding : findings) {
        if (finding.passes_at) out = std::max(out.value_or(*finding.passes_at), *finding.passes_at);
    }
    return out;
}

std::vector<Finding> as_stored(std::vector<Finding> findings) {
    for (Finding& finding : findings) {
        if (finding.severity == Severity::Reject) finding.severity = Severity::NeedsReview;
    }
    return findings;
}

std::vector<Finding> merged(std::vector<Finding> findings) {
    std::sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
        return std::tie(a.id, b.severity, a.records, a.path, a.message, a.steps) <
               std::tie(b.id, a.severity, b.records, b.path, b.message, b.steps);
    });
    const auto same = [](const Finding& a, const Finding& b) { return a.id == b.id; };
    findings.erase(std::unique(findings.begin(), findings.end(), same), findings.end());
    return findings;
}

Hash hash_of(const Finding& finding) {
    const Json digested = Json::array({finding.id, finding.rule, finding.code,
                                       name_of(finding.severity), finding.records, finding.path,
                                       finding.message, finding.steps, finding.source});
    return blake2b("dutybook.finding.digest.1", canonical(digested));
}

std::vector<Finding> Evaluation::findings() const {
    std::vector<Finding> all;
    for (const Judgement& judgement : judgements) {
        all.insert(all.end(), judgement.findings.begin(), judgement.findings.end());
    }
    return merged(std::move(all));
}

}  // namespace dutybook::rules
