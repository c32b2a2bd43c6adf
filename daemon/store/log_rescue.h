#pragma once
// Finding the tips again: own ones from the journal's seals, others' from what can be read.

#include "store/log_survey.h"

namespace dutybook::store {

struct OwnSeals {
    std::vector<SealRow> rows;  // finished, oldest first within a writer
    std::map<VolumeName, CommitId> tips;
};
Result<OwnSeals> own_tips(Journal& journal);

// Commit, tree and blob of one segment are readable.
bool survey_segment(const Survey& survey, const CommitId& commit);

// For each volume expected, and for each whose commits were found: the highest commit up to which
// it is whole from its root; empty if not even its root is. Where a volume forks, the branch that
// leads to the expected tip is followed, else the lower commit id.
std::map<VolumeName, CommitId> rescue_tips(const Survey& survey, const git::Tips& expected,
                                           const std::string& space);

}  // namespace dutybook::store
