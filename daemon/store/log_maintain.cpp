// Consolidation. Stock git is not used here: what it would drop as unreachable may be evidence.
//
// Loose objects and the smallest packs become one pack. Packs are taken in by size, as long as the
// next one is less than twice what was gathered (git calls that geometric), so an object is
// written about log2(n) times in its life and the number of packs stays below about 20.

#include "store/git_loose.h"
#include "store/git_pack.h"
#include "store/log_git.h"

#include <algorithm>
#include <set>

namespace dutybook::store {

using git::View;

namespace {

constexpr std::size_t enough_loose = 48;  // fewer stay loose until the packs call for it
constexpr std::size_t enough_packs = 4;

struct Source {
    std::vector<git::fs::path> files;  // to remove afterwards; the index before its pack
    std::vector<CommitId> objects;
    std::uint64_t bytes = 0;
};

// A pack that is damaged anywhere stays as it is, for repair.
std::optional<Source> sound_pack(const git::PackFiles& files) {
    if (!files.pack_there || !files.index_there || !git::check_index_of(files)) return std::nullopt;
    const auto view = git::open_pack(files.index);
    if (!view) return std::nullopt;
    const auto objects = git::list_packed(*view);
    if (!objects) return std::nullopt;
    for (const auto& id : *objects)
        if (!git::check_object(*view, id)) return std::nullopt;
    return Source{{files.index, files.pack}, *objects, files.bytes};
}

Result<Source> loose_objects(const git::fs::path& path) {
    Source out;
    TRY_ASSIGN(const auto view, git::open_loose(path));
    TRY_ASSIGN(const auto objects, git::list_loose(path));
    for (const auto& id : objects) {
        if (!git::check_object(view, id)) continue;
        std::error_code ignored;
        const auto file = git::loose_path(path, id);
        out.bytes += git::fs::file_size(file, ignored);
        out.objects.push_back(id);
        out.files.push_back(file);
    }
    return out;
}

// The smallest packs that are worth putting together with `bytes` of loose objects.
std::vector<git::PackFiles> choose(std::vector<git::PackFiles> packs, std::uint64_t bytes) {
    std::ranges::sort(packs, {}, &git::PackFiles::bytes);
    std::size_t count = 0;
    for (; count < packs.size(); ++count) {
        const bool crowded = packs.size() - count > enough_packs;
        if (!crowded && packs[count].bytes > 2 * bytes) break;
        bytes += packs[count].bytes;
    }
    packs.resize(count);
    return packs;
}

Result<void> check_pack_holds(const git::fs::path& index, const std::set<CommitId>& objects) {
    TRY_ASSIGN(const auto view, git::open_pack(index));
    for (const auto& id : objects) TRY(git::check_object(view, id));
    return {};
}

}  // namespace

Result<void> GitLog::maintain() {
    const std::lock_guard lock(writing_);
    TRY_ASSIGN(const auto packs, git::list_packs(path_));
    TRY_ASSIGN(auto loose, loose_objects(path_));
    if (loose.objects.size() < enough_loose && packs.size() <= enough_packs) return {};
    std::set<CommitId> objects(loose.objects.begin(), loose.objects.end());
    std::vector<git::fs::path> replaced;
    for (const auto& files : choose(packs, loose.bytes))
        if (const auto source = sound_pack(files)) {
            objects.insert(source->objects.begin(), source->objects.end());
            replaced.insert(replaced.end(), source->files.begin(), source->files.end());
        }
    replaced.insert(replaced.end(), loose.files.begin(), loose.files.end());
    if (objects.empty()) return {};
    TRY_ASSIGN(const auto view, View::open(path_));
    TRY_ASSIGN(const auto name, git::write_pack(view, {objects.begin(), objects.end()}, path_));
    const auto made = path_ / "objects" / "pack" / (name + ".idx");
    TRY(check_pack_holds(made, objects));
    // The same objects give the same pack: then it is among the old ones and stays.
    std::erase_if(replaced, [&](const auto& file) { return file.stem() == made.stem(); });
    pool_.renew();
    TRY(git::remove_files(path_, replaced));
    pool_.renew();
    return {};
}

}  // namespace dutybook::store
