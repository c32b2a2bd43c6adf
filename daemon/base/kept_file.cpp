#include "base/kept_file.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"

#include <mutex>

namespace dutybook {

namespace {

constexpr std::string_view mark = "blake2b ";
constexpr std::size_t hash_size = 64;  // in hex
constexpr std::size_t largest_copy = 64u << 20;

fs::path kept_path(const fs::path& path) {
    return path.string() + ".kept";
}

std::string with_hash(std::string_view bytes) {
    return std::string(mark) + hex(blake2b(bytes)) + "\n" + std::string(bytes);
}

// The bytes of a kept copy, if it is whole.
std::optional<std::string> bytes_of(const Result<std::string>& kept) {
    const std::size_t begin = mark.size() + hash_size + 1;
    if (!kept || kept->size() < begin) return std::nullopt;
    std::string bytes = kept->substr(begin);
    if (with_hash(bytes) != *kept) return std::nullopt;
    return bytes;
}

struct Noted {
    std::mutex mutex;
    std::vector<Healed> all;
};
Noted& noted() {
    static Noted one;
    return one;
}

}  // namespace

Result<void> move_aside(const fs::path& path) {
    std::string stamp = format_utc(SystemClock().now());
    std::erase_if(stamp, [](char c) { return c == '-' || c == ':' || c == '.'; });
    std::error_code failed;
    fs::rename(path, path.string() + ".damaged-" + stamp, failed);
    if (!failed) return {};
    return failure(Code::Io, "cannot move " + path.string() + " aside", failed.message());
}

Result<void> write_copy(const fs::path& path, std::string_view bytes) {
    return write_file_atomically(path, with_hash(bytes));
}

std::optional<std::string> read_copy(const fs::path& path) {
    return bytes_of(read_file(path, largest_copy));
}

Result<void> write_kept(const fs::path& path, std::string_view bytes, unsigned mode) {
    TRY(write_copy(kept_path(path), bytes));
    return write_file_atomically(path, bytes, mode);
}

Result<std::optional<Healed>> heal_kept(const fs::path& path) {
    const auto kept_text = read_file(kept_path(path));
    const auto kept = bytes_of(kept_text);
    const auto held = read_file(path);
    const bool kept_there = kept_text || kept_text.error().code != Code::NotFound;
    const bool there = held || held.error().code != Code::NotFound;
    if (!there && !kept_there) return std::optional<Healed>{};
    if (kept) {
        if (held && *held == *kept) return std::optional<Healed>{};
        if (there) TRY(move_aside(path));
        TRY(write_file_atomically(path, *kept));
        return std::optional<Healed>(
            {path, there ? "was not what was written" : "was missing", "made again from its copy"});
    }
    if (!held) {
        return failure(Code::Corrupt, path.string() + " is damaged", "its copy is damaged too",
                       "restore the store from a backup");
    }
    std::error_code ignored;
    if (fs::is_directory(kept_path(path), ignored)) TRY(move_aside(kept_path(path)));
    TRY(write_copy(kept_path(path), *held));
    if (!kept_there) {
        // Of an older version, or put there by hand: nothing is known to be wrong.
        log_info("store", "a kept copy was made", {{"file", path.string()}});
        return std::optional<Healed>{};
    }
    return std::optional<Healed>(
        {kept_path(path), "was not what was written", "made again from the file"});
}

void note_healed(Healed healed) {
    log_warning("store", healed.lost ? "lost" : "healed",
                {{"file", healed.file.string()}, {"what", healed.what}, {"how", healed.how}});
    const std::lock_guard lock(noted().mutex);
    noted().all.push_back(std::move(healed));
}

std::vector<Healed> healed_files() {
    const std::lock_guard lock(noted().mutex);
    return noted().all;
}

}  // namespace dutybook
