#pragma once
// Refs as files. Not through libgit2's refdb: it refuses to write over the zero-length file that a
// crash or a full disk leaves, leaves lock files behind when it is killed, and opens nothing when
// HEAD or config is damaged. One writer at a time (the log's mutex).

#include "store/git_objects.h"

#include <map>

namespace dutybook::store::git {

struct RefFile {
    CommitId target;  // empty if the file holds no commit id
    fs::path file;
};
// Every file below refs/, by its full ref name; lock files are left out.
Result<std::map<std::string, RefFile>> list_refs(const fs::path& git_dir);

// refs/dutybook/evidence/<what>/<tip>: branches that do not count, outside of what travels. The
// name says where such a ref points. Empty: no such ref.
CommitId evidence_tip(std::string_view ref);

// Durable when it returns.
Result<void> write_ref(const fs::path& git_dir, const std::string& ref, const CommitId& target);
Result<void> delete_ref(const fs::path& git_dir, const std::string& ref);

// Removes stale locks and temporary files of writes that a crash cut off.
void tidy_folder(const fs::path& folder);
// What stock git's pack-refs put together becomes files again; leftovers go.
Result<void> tidy_refs(const fs::path& git_dir, const fs::path& aside);

}  // namespace dutybook::store::git
