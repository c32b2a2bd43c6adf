#pragma once
// Who may write a log, as the log alone can tell: a writer's id begins with its site's, and a
// site's id is the hash of its signing key. A commit therefore carries all that is needed to find
// out whether its writer signed it, and nobody can write under the name of another site.
//
// Whether that site belongs to the space is not decided here.

#include "store/ssh_signature.h"

namespace dutybook::store {

class SelfCertifiedJudge final : public SegmentJudge {
public:
    // Code::Forbidden, with site and log, for a commit that is unsigned, changed after it was
    // signed, or signed with another site's key.
    Result<void> judge(const SegmentHeader& header, std::string_view commit_bytes,
                       std::string_view signature, const CommitId& id) const override;
};

}  // namespace dutybook::store
