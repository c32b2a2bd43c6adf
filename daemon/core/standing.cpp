#include "core/standing.h"

#include "core/record_source.h"

#include <algorithm>

namespace dutybook::core {

namespace {

// The record's field that a JSON Pointer leads into; empty for the record as a whole.
std::string field_of(const std::string& path) {
    std::string field;
    for (std::size_t i = 1; i < path.size() && path[i] != '/'; ++i) {
        if (path[i] == '~' && i + 1 < path.size()) {
            field += path[++i] == '1' ? '/' : '~';
        } else {
            field += path[i];
        }
    }
    return field;
}

bool same_in_both(const std::string& field, const domain::RecordState& before,
                  const domain::RecordState& after) {
    if (field.empty()) return true;
    const auto then = before.fields.find(field);
    const auto now = after.fields.find(field);
    if (then == before.fields.end() || now == after.fields.end()) {
        return then == before.fields.end() && now == after.fields.end();
    }
    return then->second == now->second;
}

}  // namespace

Result<void> spare_what_stood(std::vector<rules::Finding>& findings,
                              const domain::RecordState& before, const domain::RecordState& after,
                              const std::string& space, rules::Evaluator& evaluator,
                              rules::RecordSource& source) {
    const auto rejects = [](const rules::Finding& finding) {
        return finding.severity == rules::Severity::Reject;
    };
    if (before.kind.empty() || std::none_of(findings.begin(), findings.end(), rejects)) return {};
    const auto subject = rule_record(before, domain::version_of(before), space);
    TRY_ASSIGN(const auto evaluation,
               evaluator.evaluate({&subject, 1}, rules::Purpose::Check, source));
    std::set<std::string> stood;
    for (const auto& finding : evaluation.findings()) stood.insert(finding.id);
    for (rules::Finding& finding : findings) {
        if (!rejects(finding) || stood.count(finding.id) == 0) continue;
        if (same_in_both(field_of(finding.path), before, after)) {
            finding.severity = rules::Severity::NeedsReview;
        }
    }
    return {};
}

}  // namespace dutybook::core
