#include "store/log_slice.h"

#include "store/git_loose.h"
#include "store/git_pack.h"

namespace dutybook::store {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t digits = 8;  // of the hash in a name: enough to spread

bool falls_into(const std::string& hash, std::uint64_t part, std::uint64_t parts) {
    return std::stoull(hash.substr(0, digits), nullptr, 16) % parts == part;
}

// "pack-<40 hex>"
std::string hash_of(const fs::path& pack) {
    return pack.stem().string().substr(5);
}

Result<void> check_pack(const git::PackFiles& files) {
    if (!files.pack_there || !files.index_there) {
        return failure(Code::Corrupt, files.pack_there ? "its index is missing"
                                                       : "the pack of an index is missing");
    }
    TRY(git::check_trailer(files.pack));
    TRY(git::check_index_of(files));
    TRY_ASSIGN(const auto view, git::open_pack(files.index));
    TRY_ASSIGN(const auto objects, git::list_packed(view));
    for (const auto& id : objects) TRY(git::check_object(view, id));
    return {};
}

}  // namespace

Result<std::vector<Damage>> verify_slice(const fs::path& git_dir, std::uint64_t part,
                                         std::uint64_t parts) {
    const git::Runtime runtime;
    std::vector<Damage> damages;
    const auto note = [&](const fs::path& file, const Error& error) {
        damages.push_back({file.lexically_relative(git_dir).generic_string(),
                           error.text(),
                           {},
                           false,
                           "run verify, then repair"});
    };
    TRY_ASSIGN(const auto packs, git::list_packs(git_dir));
    for (const auto& files : packs) {
        if (!falls_into(hash_of(files.pack), part, parts)) continue;
        const auto sound = check_pack(files);
        const bool replaced = !fs::exists(files.pack) && !fs::exists(files.index);
        if (!sound && !replaced) note(files.pack, sound.error());
    }
    TRY_ASSIGN(const auto view, git::open_loose(git_dir));
    TRY_ASSIGN(const auto loose, git::list_loose(git_dir));
    for (const auto& id : loose) {
        if (!falls_into(id, part, parts)) continue;
        const auto sound = git::check_object(view, id);
        const auto file = git::loose_path(git_dir, id);
        if (!sound && fs::exists(file)) note(file, sound.error());
    }
    return damages;
}

}  // namespace dutybook::store
