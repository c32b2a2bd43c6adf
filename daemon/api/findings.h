#pragma once
// What the rules found, read from the stored verdicts.

#include "api/call.h"
#include "rules/finding.h"

namespace dutybook::api {

// The findings of one record at the version that it shows, as a JSON array's text.
Result<std::string> findings_of(store::IndexReader& reader, const store::StoredRecord& record);

// All findings of a space, each id once, with the state that people's answers give them.
Result<std::vector<rules::Finding>> all_findings(core::SpaceService& space);

// For status: a digest over all findings, nothing while anything is unchecked; and how many
// records lack a verdict.
struct FindingsSummary {
    std::optional<std::string> digest;
    std::uint64_t unchecked = 0;
};
Result<FindingsSummary> findings_summary(core::SpaceService& space,
                                         const rules::Evaluator& evaluator);

}  // namespace dutybook::api
