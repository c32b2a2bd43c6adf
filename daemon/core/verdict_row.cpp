#include "core/verdict_row.h"

namespace dutybook::core {

store::Verdict verdict_row(const rules::Judgement& judgement) {
    const auto findings = rules::as_stored(judgement.findings);
    store::Verdict row{judgement.record, judgement.version, judgement.plugin_digest,
                       rules::write_findings(findings), judgement.reads};
    for (const rules::Finding& finding : findings) {
        row.found.push_back({finding.id, finding.rule, rules::hash_of(finding)});
    }
    return row;
}

}  // namespace dutybook::core
