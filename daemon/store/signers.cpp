#include "store/signers.h"

#include "domain/control.h"
#include "store/git_refs.h"
#include "store/git_segment.h"

#include <algorithm>

namespace dutybook::store {

Result<std::map<std::string, LogOwner>> owners_of_logs(const std::filesystem::path& log_git) {
    std::map<std::string, LogOwner> owners;
    if (!std::filesystem::exists(log_git)) return owners;
    const git::Runtime runtime;
    TRY_ASSIGN(const auto refs, git::list_refs(log_git));
    TRY_ASSIGN(const auto view, git::View::open(log_git));
    for (const auto& [ref, file] : refs) {
        if (file.target.empty()) continue;
        const auto segment = git::read_segment(view, file.target);
        if (!segment) continue;
        const auto key = signer_of(segment->text.signature);
        if (!key) continue;
        auto& owner = owners[domain::site_id_of(*key)];
        owner.key = *key;
        const auto header = decode_header(segment->blob_bytes);
        if (!header) continue;
        owner.writers.insert(header->writer);
        owner.last_heard = std::max(owner.last_heard, header->time);
    }
    return owners;
}

}  // namespace dutybook::store
