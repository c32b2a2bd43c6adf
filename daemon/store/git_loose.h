#pragma once
// Loose objects, read and written without libgit2: its reader waits for ever for the rest of a
// loose object that is cut off, or damaged so that it seems to be (1.5.1), and its writer goes on
// after a failed fsync. The format is a zlib stream of "<type> <size>\0" and the bytes.

#include "store/git_objects.h"

#include <git2/sys/odb_backend.h>

namespace dutybook::store::git {

fs::path loose_path(const fs::path& git_dir, const CommitId& id);
// Everything in a loose object's place, by the id that its name says.
Result<std::vector<CommitId>> list_loose(const fs::path& git_dir);
// Durable when it returns. A crash may leave a temporary file beside it (tidy_folder).
Result<void> write_loose(const fs::path& git_dir, const CommitId& id, std::string_view bytes,
                         git_object_t type);
// A backend for git_odb_add_backend, which then owns it. Reading only.
git_odb_backend* loose_backend(const fs::path& git_dir);

}  // namespace dutybook::store::git
