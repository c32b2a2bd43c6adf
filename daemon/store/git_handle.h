#pragma once
// libgit2 with owners: handles that free themselves, errors as values, and the library's
// process-wide settings. Included by git_*.cpp and log_*.cpp alone.

#include "base/result.h"

#include <git2.h>
#include <git2/sys/repository.h>

#include <memory>
#include <string>

namespace dutybook::store::git {

struct Free {
    void operator()(git_repository* p) const { git_repository_free(p); }
    void operator()(git_odb* p) const { git_odb_free(p); }
    void operator()(git_odb_object* p) const { git_odb_object_free(p); }
    void operator()(git_reference* p) const { git_reference_free(p); }
    void operator()(git_packbuilder* p) const { git_packbuilder_free(p); }
    void operator()(git_indexer* p) const { git_indexer_free(p); }
};
template <class T>
using Handle = std::unique_ptr<T, Free>;

// Counts libgit2's users; the first sets the process-wide options: fsync of everything, no
// configuration of the user or the system, hashes verified, small pack windows and no cache (what
// is read is read from the disk). Hold one as long as anything of libgit2 is in use.
class Runtime {
public:
    Runtime();
    ~Runtime();
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;
};

// Call right after a libgit2 function returned `status` < 0: its text is per thread and is
// overwritten by the next call. A full disk is Code::Full, a missing object Code::NotFound, what
// libgit2 cannot parse Code::Corrupt, else Code::Io.
Error git_failure(int status, std::string what);

}  // namespace dutybook::store::git
