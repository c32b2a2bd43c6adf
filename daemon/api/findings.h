#pragma once
// What the rules found, read from the stored verdicts.

#include "api/call.h"
#include "rules/finding.h"

namespace dutybook::api {

// The findings of one record at the version that it shows, as a JSON array's text.
Result<std::string> findings_of(store::IndexReader& reader, const store::StoredRecord& record);

// Findings of a space by id, each once, with the state that people's answers give them.
struct FindingQuery {
    std::string from;  // the first id, or what it begins with
    std::string rule;  // empty = all
    bool open = false;
    std::size_t limit = 100;
};
struct FindingPage {
    std::vector<rules::Finding> findings;
    bool more = false;
};
Result<FindingPage> find_findings(core::SpaceService& space, const FindingQuery& query);
// The place behind this id.
std::string behind(const std::string& finding);

// A finding for the reader: its message in the language, where the plugin has it.
Json finding_json(const Services& services, const rules::Finding& finding,
                  const std::string& language);
// The same for an array of findings.
void translate(const Services& services, Json& findings, const std::string& language);

// Records that a plugin should have judged and has not, with the reason where it is known:
// {"record","kind","plugin","why"}.
Result<std::vector<Json>> unchecked_records(core::SpaceService& space, const Services& services);

// For status: a digest over all findings, nothing while anything is unchecked; and how many
// records lack a verdict, or have one that is doubtful (`doubtful` of the engine).
struct FindingsSummary {
    std::optional<std::string> digest;
    std::uint64_t unchecked = 0;
};
Result<FindingsSummary> findings_summary(core::SpaceService& space,
                                         const rules::Evaluator& evaluator, std::uint64_t doubtful);

}  // namespace dutybook::api
