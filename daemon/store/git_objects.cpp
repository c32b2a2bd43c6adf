#include "store/git_objects.h"

#include "base/file.h"
#include "base/kept_file.h"
#include "store/git_loose.h"

#include <git2/odb_backend.h>

#include <system_error>

namespace dutybook::store::git {
namespace {

constexpr std::size_t most_idle_views = 4;

}  // namespace

Result<git_oid> to_oid(const CommitId& id) {
    git_oid oid;
    if (!is_commit_id(id) || git_oid_fromstr(&oid, id.c_str()) != 0)
        return malformed("no object id: " + id.substr(0, 60));
    return oid;
}

CommitId to_id(const git_oid& oid) {
    CommitId id(40, '0');
    git_oid_fmt(id.data(), &oid);
    return id;
}

CommitId hash_object(std::string_view bytes, git_object_t type) {
    git_oid oid{};
    git_odb_hash(&oid, bytes.data(), bytes.size(), type);
    return to_id(oid);
}

namespace {

// Of two copies libgit2 reads the one of higher priority, and does not try the next if that one is
// damaged.
Result<void> add_folder(git_odb* odb, const fs::path& git_dir, int priority) {
    git_odb_backend* packs = nullptr;
    int status = git_odb_backend_pack(&packs, (git_dir / "objects").c_str());
    if (status == 0) status = git_odb_add_backend(odb, packs, priority);
    if (status == 0) status = git_odb_add_backend(odb, loose_backend(git_dir), priority - 1);
    if (status < 0) return git_failure(status, "cannot open the objects of " + git_dir.string());
    return {};
}

}  // namespace

Result<View> View::open(const fs::path& git_dir, const fs::path& behind) {
    git_odb* raw = nullptr;
    const int status = git_odb_new(&raw);
    if (status < 0) return git_failure(status, "cannot open the objects of " + git_dir.string());
    View view{Handle<git_odb>(raw)};
    TRY(add_folder(raw, git_dir, 4));
    if (!behind.empty()) TRY(add_folder(raw, behind, 2));
    return view;
}

Result<ObjectInfo> View::info(const CommitId& id) const {
    TRY_ASSIGN(const auto oid, to_oid(id));
    ObjectInfo out;
    const int status = git_odb_read_header(&out.size, &out.type, odb_.get(), &oid);
    if (status < 0) return git_failure(status, "object " + id + " cannot be read");
    return out;
}

Result<std::string> View::read(const CommitId& id, git_object_t type, std::size_t limit) const {
    TRY_ASSIGN(const auto found, info(id));
    if (found.type != type) return malformed("object " + id + " is of another type");
    if (found.size > limit)
        return failure(Code::TooLarge, "object " + id + " is too large",
                       std::to_string(found.size) + " bytes, at most " + std::to_string(limit));
    TRY_ASSIGN(const auto oid, to_oid(id));
    git_odb_object* object = nullptr;
    const int status = git_odb_read(&object, odb_.get(), &oid);
    if (status < 0) {
        auto error = git_failure(status, "object " + id + " cannot be read");
        // Its header was there: what cannot be inflated now is damaged, not missing.
        if (error.code != Code::Full && error.code != Code::TooLarge) error.code = Code::Corrupt;
        return error;
    }
    const Handle<git_odb_object> held(object);
    return std::string(static_cast<const char*>(git_odb_object_data(object)),
                       git_odb_object_size(object));
}

Result<void> move_aside(const fs::path& git_dir, const fs::path& file, const fs::path& aside) {
    const auto target = aside / file.lexically_relative(git_dir);
    TRY(make_directories(target.parent_path()));
    std::error_code error;
    fs::rename(file, target, error);
    if (error) return failure(Code::Io, "cannot move " + file.string() + " aside", error.message());
    TRY(sync_directory(target.parent_path()));
    return sync_directory(file.parent_path());
}

Result<CommitId> put_object(const fs::path& git_dir, std::string_view bytes, git_object_t type,
                            const fs::path& aside) {
    TRY_ASSIGN(const auto view, View::open(git_dir));
    const auto id = hash_object(bytes, type);
    if (const auto held = view.read(id, type, bytes.size()); held && *held == bytes) return id;
    const auto file = loose_path(git_dir, id);
    std::error_code ignored;
    const bool damaged = fs::exists(fs::symlink_status(file, ignored));
    if (damaged) TRY(move_aside(git_dir, file, aside));
    TRY(write_loose(git_dir, id, bytes, type));
    if (damaged) note_healed({file, "object " + id + " was damaged", "written again"});
    return id;
}

Result<ViewPool::Lease> ViewPool::borrow() {
    std::uint64_t generation = 0;
    {
        const std::lock_guard lock(mutex_);
        generation = generation_;
        if (!idle_.empty()) {
            auto view = std::move(idle_.back());
            idle_.pop_back();
            return Lease(*this, std::move(view), generation);
        }
    }
    TRY_ASSIGN(auto view, View::open(git_dir_));
    return Lease(*this, std::make_unique<View>(std::move(view)), generation);
}

void ViewPool::renew() {
    const std::lock_guard lock(mutex_);
    ++generation_;
    idle_.clear();
}

void ViewPool::give_back(std::unique_ptr<View> view, std::uint64_t generation) {
    const std::lock_guard lock(mutex_);
    if (generation == generation_ && idle_.size() < most_idle_views)
        idle_.push_back(std::move(view));
}

}  // namespace dutybook::store::git
