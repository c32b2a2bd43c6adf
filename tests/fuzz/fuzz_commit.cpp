// A foreign commit with its signature, and a foreign tree. Only one spelling of each is accepted,
// so whatever is read must be written again byte for byte.

#include "fuzz/target.h"
#include "store/git_commit.h"
#include "store/ssh_signature.h"

using namespace dutybook;

namespace {

void check_signature(std::string_view signature, std::string_view signed_bytes) {
    const auto key = store::signer_of(signature);
    if (key) (void)store::verify_signature(signed_bytes, signature, *key);
    (void)store::verify_signature(signed_bytes, signature, {});
}

}  // namespace

DUTYBOOK_FUZZ_TARGET(commit) {
    check_signature(bytes, "tree");
    (void)store::git::blob_of_tree(bytes);
    const auto commit = store::git::read_commit(bytes);
    if (!commit) return;
    if (commit->signature.empty()) {
        fuzz::must(commit->unsigned_bytes == bytes, "an unsigned commit is its own bytes");
        return;
    }
    fuzz::must(store::git::with_signature(commit->unsigned_bytes, commit->signature) == bytes,
               "a commit has one spelling");
    check_signature(commit->signature, commit->unsigned_bytes);
}
