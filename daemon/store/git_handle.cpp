#include "store/git_handle.h"

#include "store/git_allocator.h"
#include "store/segment.h"

#include <cerrno>

namespace dutybook::store::git {
namespace {

// For packs that libgit2 indexes itself (repair). Reads are bounded by the allocator.
constexpr std::size_t largest_object = 4 * Limits::segment_blob;

void set_options() {
    auto allocator = bounded_allocator();
    git_libgit2_opts(GIT_OPT_SET_ALLOCATOR, &allocator);
    git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
    git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1);
    git_libgit2_opts(GIT_OPT_ENABLE_CACHING, 0);
    git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECT_SIZE, largest_object);
    git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, std::size_t{4} << 20);
    git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, std::size_t{32} << 20);
    // The repositories are our own, in a directory that the daemon checks itself.
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    for (const auto level : {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM,
                             GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL})
        git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, static_cast<int>(level), "");
}

}  // namespace

Runtime::Runtime() {
    if (git_libgit2_init() == 1) set_options();
}

Runtime::~Runtime() {
    git_libgit2_shutdown();
}

Error git_failure(int status, std::string what) {
    const int number = errno;
    const git_error* last = git_error_last();
    std::string why = last != nullptr && last->message != nullptr ? last->message : "";
    const int sort = last != nullptr ? last->klass : GIT_ERROR_NONE;
    git_error_clear();
    if (why.empty()) why = "libgit2 error " + std::to_string(status);
    if (sort == GIT_ERROR_OS && (number == ENOSPC || number == EDQUOT))
        return failure(Code::Full, std::move(what), std::move(why), "make room on the disk");
    if (sort == GIT_ERROR_NOMEMORY)
        return failure(Code::TooLarge, std::move(what),
                       "it needs more memory than any object of a log");
    if (status == GIT_ENOTFOUND) return failure(Code::NotFound, std::move(what), std::move(why));
    if (status == GIT_ELOCKED) return failure(Code::Unavailable, std::move(what), std::move(why));
    if (status == GIT_EMISMATCH || sort == GIT_ERROR_ODB || sort == GIT_ERROR_ZLIB ||
        sort == GIT_ERROR_OBJECT || sort == GIT_ERROR_INDEXER)
        return failure(Code::Corrupt, std::move(what), std::move(why));
    return failure(Code::Io, std::move(what), std::move(why));
}

}  // namespace dutybook::store::git
