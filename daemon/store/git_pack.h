#pragma once
// Packs: made by libgit2's packbuilder, checked by reading every object back.
//
// A file is checked as a whole by the SHA-1 that git writes at its end, read as a file: mapping a
// truncated pack ends the process.

#include "store/git_objects.h"

namespace dutybook::store::git {

struct PackFiles {
    fs::path pack, index;
    bool pack_there = false, index_there = false;
    std::uint64_t bytes = 0;  // of the pack
};
// Every pack, or half of one, sorted by name.
Result<std::vector<PackFiles>> list_packs(const fs::path& git_dir);

// Code::Corrupt if the file does not end with the SHA-1 of what stands before, or if the index
// belongs to another pack.
Result<void> check_trailer(const fs::path& file);
Result<void> check_index_of(const PackFiles& files);

// A view of one pack alone, and of everything loose alone.
Result<View> open_pack(const fs::path& index);
Result<View> open_loose(const fs::path& git_dir);
// Everything in the packs of a view; for a damaged index whatever it says.
Result<std::vector<CommitId>> list_packed(const View& view);
// Reads and hashes one object of any type.
Result<void> check_object(const View& view, const CommitId& id);

// Writes one pack of exactly these objects into git_dir, synced with its directory, and returns
// its name ("pack-<40 hex>"). Memory: one object at a time.
Result<std::string> write_pack(const View& from, const std::vector<CommitId>& objects,
                               const fs::path& git_dir);
// Makes the index of a sound pack again, in `scratch`, and returns the new file.
Result<fs::path> index_again(const fs::path& pack, const fs::path& scratch);

// Removing packs that a new one replaces. The list is written first, so that a crash between two
// removals is finished at the next open instead of looking like damage.
Result<void> remove_files(const fs::path& git_dir, const std::vector<fs::path>& files);
Result<void> finish_removing(const fs::path& git_dir);
// Removes what a kill leaves while a pack is written: temporary files, and an index that came
// before its pack (if all it names can be read elsewhere; else its pack was lost).
Result<void> tidy_packs(const fs::path& git_dir);

}  // namespace dutybook::store::git
