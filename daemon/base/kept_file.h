#pragma once
// Small files that nothing else could make again (settings, keys): written twice, so that one
// damaged or lost copy is found and put right.
//
//   FILE         the bytes
//   FILE.kept    "blake2b <hash of the bytes>\n", then the bytes
//
// The kept copy is written first and decides: whatever else stands in FILE is moved aside
// (FILE.damaged-<time>). To put a file there by hand, remove its kept copy.

#include "base/file.h"

#include <optional>
#include <vector>

namespace dutybook {

Result<void> write_kept(const fs::path& path, std::string_view bytes, unsigned mode = 0600);

// To PATH.damaged-<time>: what stands where a file of ours should be is never deleted.
Result<void> move_aside(const fs::path& path);

// A kept copy alone, of something else than one file. Nothing if it is missing or damaged.
Result<void> write_copy(const fs::path& path, std::string_view bytes);
std::optional<std::string> read_copy(const fs::path& path);

// What was found and put right, as far as it could be. Told by verify until the next start.
struct Healed {
    fs::path file;
    std::string what, how;
    bool lost = false;  // nothing here could make all of it again
};
// Nothing if both are whole, or neither is there. Code::Corrupt if both are damaged.
Result<std::optional<Healed>> heal_kept(const fs::path& path);

// Of this process, in order; any thread. Noting writes a line to the log.
void note_healed(Healed healed);
std::vector<Healed> healed_files();

}  // namespace dutybook
