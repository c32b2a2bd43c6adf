#include "store/git_loose.h"

#include "base/file.h"

#include <zlib.h>

#include <array>
#include <charconv>
#include <cstring>
#include <system_error>

namespace dutybook::store::git {
namespace {

constexpr std::size_t longest_header = 32;  // "commit 12345678\0" and room to spare
// A deflated file is at most a little larger than what it holds.
constexpr std::size_t largest_file = Limits::segment_blob + Limits::segment_blob / 100 + 4096;

// An inflating stream over one file's bytes.
class Inflater {
public:
    explicit Inflater(std::string_view file) {
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(file.data()));
        stream_.avail_in = static_cast<uInt>(file.size());
        ready_ = inflateInit(&stream_) == Z_OK;
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    ~Inflater() { inflateEnd(&stream_); }

    // Fills as much of `out` as there is. Nothing if the stream is damaged.
    std::optional<std::size_t> read(void* out, std::size_t size) {
        if (!ready_) return std::nullopt;
        stream_.next_out = static_cast<Bytef*>(out);
        stream_.avail_out = static_cast<uInt>(size);
        const int status = inflate(&stream_, Z_SYNC_FLUSH);
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) return std::nullopt;
        ended_ = status == Z_STREAM_END;
        return size - stream_.avail_out;
    }
    // The stream ended, checksum and all, where the file ends.
    bool complete() {
        std::uint8_t more = 0;
        if (!ended_) {
            const auto rest = read(&more, 1);
            if (!rest || *rest != 0) return false;
        }
        return ended_ && stream_.avail_in == 0;
    }

private:
    z_stream stream_{};
    bool ready_ = false;
    bool ended_ = false;
};

struct Opened {
    ObjectInfo info;
    std::array<char, longest_header> head{};
    std::size_t body = 0, filled = 0;  // where the content begins in `head`, and what is in it
};

std::optional<Opened> open_stream(Inflater& stream) {
    Opened out;
    const auto filled = stream.read(out.head.data(), out.head.size());
    if (!filled) return std::nullopt;
    out.filled = *filled;
    const std::string_view text(out.head.data(), out.filled);
    const auto end = text.find('\0');
    const auto space = text.find(' ');
    if (end == std::string_view::npos || space > end) return std::nullopt;
    out.info.type = git_object_string2type(std::string(text.substr(0, space)).c_str());
    const auto* last = text.data() + end;
    const auto [stop, error] = std::from_chars(text.data() + space + 1, last, out.info.size);
    if (error != std::errc{} || stop != last || out.info.type == GIT_OBJECT_INVALID)
        return std::nullopt;
    out.body = end + 1;
    return out;
}

struct LooseBackend : git_odb_backend {
    fs::path git_dir;
};

int damaged(const git_oid* oid) {
    const auto text = "loose object " + to_id(*oid) + " is damaged";
    git_error_set_str(GIT_ERROR_ODB, text.c_str());
    return GIT_ERROR;
}

// GIT_ENOTFOUND lets libgit2 ask its other backends.
int file_of(std::string& bytes, git_odb_backend* backend, const git_oid* oid) {
    const auto file = loose_path(static_cast<LooseBackend*>(backend)->git_dir, to_id(*oid));
    auto held = read_file(file, largest_file);
    if (!held) {
        if (held.error().code == Code::NotFound) return GIT_ENOTFOUND;
        const auto text = "loose object " + to_id(*oid) + " cannot be read: " + held.error().text();
        git_error_set_str(GIT_ERROR_OS, text.c_str());
        return GIT_ERROR;
    }
    bytes = std::move(*held);
    return 0;
}

int read_header(std::size_t* size, git_object_t* type, git_odb_backend* backend,
                const git_oid* oid) {
    std::string bytes;
    if (const int status = file_of(bytes, backend, oid); status != 0) return status;
    Inflater stream(bytes);
    const auto opened = open_stream(stream);
    if (!opened) return damaged(oid);
    *size = opened->info.size;
    *type = opened->info.type;
    return 0;
}

int read_object(void** data, std::size_t* size, git_object_t* type, git_odb_backend* backend,
                const git_oid* oid) {
    std::string bytes;
    if (const int status = file_of(bytes, backend, oid); status != 0) return status;
    Inflater stream(bytes);
    const auto opened = open_stream(stream);
    if (!opened) return damaged(oid);
    const auto total = opened->info.size;
    const auto begun = opened->filled - opened->body;
    if (total > Limits::segment_blob || begun > total) return damaged(oid);
    auto* out = static_cast<char*>(git_odb_backend_data_alloc(backend, total + 1));
    if (out == nullptr) return GIT_ERROR;
    std::memcpy(out, opened->head.data() + opened->body, begun);
    const auto rest = stream.read(out + begun, total - begun);
    if (!rest || begun + *rest != total || !stream.complete()) {
        git_odb_backend_data_free(backend, out);
        return damaged(oid);
    }
    out[total] = '\0';
    *data = out;
    *size = total;
    *type = opened->info.type;
    return 0;
}

int exists(git_odb_backend* backend, const git_oid* oid) {
    std::error_code ignored;
    return fs::exists(loose_path(static_cast<LooseBackend*>(backend)->git_dir, to_id(*oid)),
                      ignored)
               ? 1
               : 0;
}

Result<std::string> deflated(std::string_view bytes, git_object_t type) {
    std::string plain = std::string(git_object_type2string(type)) + " " +
                        std::to_string(bytes.size()) + std::string(1, '\0');
    plain += bytes;
    auto size = compressBound(static_cast<uLong>(plain.size()));
    std::string out(size, '\0');
    // Segments are compressed already.
    const int status = compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                                 reinterpret_cast<const Bytef*>(plain.data()),
                                 static_cast<uLong>(plain.size()), Z_BEST_SPEED);
    if (status != Z_OK) return failure(Code::Internal, "cannot deflate an object");
    out.resize(size);
    return out;
}

}  // namespace

fs::path loose_path(const fs::path& git_dir, const CommitId& id) {
    return git_dir / "objects" / id.substr(0, 2) / id.substr(2);
}

Result<std::vector<CommitId>> list_loose(const fs::path& git_dir) {
    std::vector<CommitId> out;
    std::error_code error;
    for (fs::recursive_directory_iterator at(git_dir / "objects", error), end; !error && at != end;
         at.increment(error)) {
        const auto& file = at->path();
        auto id = file.parent_path().filename().string() + file.filename().string();
        // Whatever it is: a folder or a dangling link in its place is damage.
        if (is_commit_id(id) && loose_path(git_dir, id) == file) out.push_back(std::move(id));
    }
    if (error) return failure(Code::Io, "cannot list loose objects", error.message());
    return out;
}

Result<void> write_loose(const fs::path& git_dir, const CommitId& id, std::string_view bytes,
                         git_object_t type) {
    TRY_ASSIGN(const auto packed, deflated(bytes, type));
    const auto file = loose_path(git_dir, id);
    TRY(make_directories(file.parent_path()));
    return write_file_atomically(file, packed, 0444);
}

git_odb_backend* loose_backend(const fs::path& git_dir) {
    auto* backend = new LooseBackend{};
    git_odb_init_backend(backend, GIT_ODB_BACKEND_VERSION);
    backend->git_dir = git_dir;
    backend->read = read_object;
    backend->read_header = read_header;
    backend->exists = exists;
    backend->free = [](git_odb_backend* self) { delete static_cast<LooseBackend*>(self); };
    return backend;
}

}  // namespace dutybook::store::git
