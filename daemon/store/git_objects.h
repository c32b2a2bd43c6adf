#pragma once
// Objects of one repository directory, read and written through libgit2's object database alone
// (not its repository type, which refuses to open when HEAD or config is damaged).
//
// A view sees what was on the disk when it was opened (libgit2 looks again when an object is
// missing) and belongs to one thread at a time.

#include "store/git_handle.h"
#include "store/segment.h"

#include <filesystem>
#include <mutex>

namespace dutybook::store::git {

namespace fs = std::filesystem;

Result<git_oid> to_oid(const CommitId& id);
CommitId to_id(const git_oid& oid);
CommitId hash_object(std::string_view bytes, git_object_t type);

struct ObjectInfo {
    git_object_t type = GIT_OBJECT_INVALID;
    std::size_t size = 0;
};

class View {
public:
    // Packs and loose objects of `git_dir`, and behind them those of `behind` if it is given (the
    // alternates file of a repository is not believed).
    static Result<View> open(const fs::path& git_dir, const fs::path& behind = {});
    explicit View(Handle<git_odb> odb) : odb_(std::move(odb)) {}

    // From the object's header, nothing is inflated. Code::NotFound, Code::Corrupt.
    Result<ObjectInfo> info(const CommitId& id) const;
    // Looks at the size first; hashes what it read. Code::NotFound, TooLarge, Corrupt, Malformed
    // (another type).
    Result<std::string> read(const CommitId& id, git_object_t type, std::size_t limit) const;
    git_odb* odb() const { return odb_.get(); }

private:
    Handle<git_odb> odb_;
};

// Writes a loose object, synced with its directories, unless a readable one is there. What stands
// unreadable in its place is moved to `aside` first, and noted (base/kept_file.h).
Result<CommitId> put_object(const fs::path& git_dir, std::string_view bytes, git_object_t type,
                            const fs::path& aside);
// Renames a file below git_dir to the same place below `aside`, both directories synced.
Result<void> move_aside(const fs::path& git_dir, const fs::path& file, const fs::path& aside);

// Views kept open between reads: opening one costs more than most reads.
class ViewPool {
public:
    explicit ViewPool(fs::path git_dir) : git_dir_(std::move(git_dir)) {}

    class Lease {
    public:
        Lease(ViewPool& pool, std::unique_ptr<View> view, std::uint64_t generation)
            : pool_(&pool), view_(std::move(view)), generation_(generation) {}
        Lease(Lease&&) = default;
        Lease& operator=(Lease&&) = delete;
        ~Lease() {
            if (view_) pool_->give_back(std::move(view_), generation_);
        }
        const View& operator*() const { return *view_; }
        const View* operator->() const { return view_.get(); }

    private:
        ViewPool* pool_;
        std::unique_ptr<View> view_;
        std::uint64_t generation_;
    };

    Result<Lease> borrow();
    void renew();  // after packs were replaced: views opened before are not lent again

private:
    void give_back(std::unique_ptr<View> view, std::uint64_t generation);

    const fs::path git_dir_;
    std::mutex mutex_;  // guards what follows
    std::vector<std::unique_ptr<View>> idle_;
    std::uint64_t generation_ = 0;
};

}  // namespace dutybook::store::git
