#include "store/self_certified.h"

#include "domain/control.h"

namespace dutybook::store {
namespace {

Error forbidden(const SegmentHeader& header, const CommitId& id, const std::string& why) {
    const std::string log = VolumeName{header.writer, header.volume}.ref();
    return failure(Code::Forbidden,
                   "commit " + id + " of " + log + " is not by site " +
                       std::string(domain::site_of(header.writer)),
                   why,
                   "somebody wrote there who is not that site: ask who can write to the remote, "
                   "and have the log removed from it");
}

}  // namespace

Result<void> SelfCertifiedJudge::judge(const SegmentHeader& header, std::string_view commit_bytes,
                                       std::string_view signature, const CommitId& id) const {
    if (signature.empty()) return forbidden(header, id, "it is not signed");
    const auto key = signer_of(signature);
    if (!key) return forbidden(header, id, "its signature cannot be read");
    if (domain::site_id_of(*key) != domain::site_of(header.writer))
        return forbidden(header, id, "it is signed with the key of another site");
    if (!verify_signature(commit_bytes, signature, *key))
        return forbidden(header, id, "it was changed after it was signed");
    return {};
}

}  // namespace dutybook::store
