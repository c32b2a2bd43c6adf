#include "store/git_pack.h"

#include "base/file.h"
#include "base/kept_file.h"
#include "store/git_layout.h"
#include "store/git_loose.h"

#include <git2/odb_backend.h>
#include <git2/sys/odb_backend.h>

#include <boost/uuid/detail/sha1.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <system_error>

namespace dutybook::store::git {
namespace {

constexpr std::size_t chunk = 256 * 1024;
constexpr const char* removal_file = "dutybook-remove";

struct FreeConfig {
    void operator()(git_config* config) const { git_config_free(config); }
};

// A repository in memory around an object database: what the packbuilder wants. The log's config
// says which objects are too large to be worth a search for deltas.
Result<Handle<git_repository>> wrap(const View& from, const fs::path& git_dir) {
    git_repository* raw = nullptr;
    int status = git_repository_wrap_odb(&raw, from.odb());
    if (status < 0) return git_failure(status, "cannot prepare a pack");
    Handle<git_repository> repository(raw);
    git_config* config = nullptr;
    status = git_config_open_ondisk(&config, (git_dir / "config").c_str());
    if (status < 0) return git_failure(status, "cannot read the log's config");
    const std::unique_ptr<git_config, FreeConfig> held(config);
    git_repository_set_config(repository.get(), config);
    return repository;
}

Result<View> view_of(git_odb_backend* backend) {
    git_odb* raw = nullptr;
    int status = git_odb_new(&raw);
    if (status == 0) status = git_odb_add_backend(raw, backend, 1);
    if (status < 0) return git_failure(status, "cannot open objects");
    return View(Handle<git_odb>(raw));
}

std::string digest_text(boost::uuids::detail::sha1& sha1) {
    boost::uuids::detail::sha1::digest_type words;
    sha1.get_digest(words);
    std::string out;
    for (const auto word : words)
        for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(word >> shift & 0xff);
    return out;
}

Result<std::string> tail(const fs::path& file, std::uint64_t from_end, std::size_t length) {
    std::ifstream in(file, std::ios::binary);
    std::string out(length, '\0');
    in.seekg(-static_cast<std::streamoff>(from_end), std::ios::end);
    in.read(out.data(), static_cast<std::streamsize>(length));
    if (!in) return failure(Code::Corrupt, file.filename().string() + " is cut off");
    return out;
}

}  // namespace

Result<std::vector<PackFiles>> list_packs(const fs::path& git_dir) {
    std::map<std::string, PackFiles> packs;
    std::error_code error;
    const auto folder = git_dir / "objects" / "pack";
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        const auto& file = at->path();
        if (file.extension() != ".pack" && file.extension() != ".idx") continue;
        auto& files = packs[file.stem().string()];
        files.pack = folder / (file.stem().string() + ".pack");
        files.index = folder / (file.stem().string() + ".idx");
        if (file.extension() == ".idx") {
            files.index_there = true;
        } else {
            std::error_code failed;
            const auto bytes = fs::file_size(file, failed);
            files.pack_there = true;
            files.bytes = failed ? 0 : bytes;
        }
    }
    if (error) return failure(Code::Io, "cannot list " + folder.string(), error.message());
    std::vector<PackFiles> out;
    out.reserve(packs.size());
    for (auto& [name, files] : packs) out.push_back(std::move(files));
    return out;
}

Result<void> check_trailer(const fs::path& file) {
    std::error_code error;
    auto rest = fs::file_size(file, error);
    if (error) return failure(Code::Io, "cannot read " + file.string(), error.message());
    if (rest < 20) return failure(Code::Corrupt, file.filename().string() + " is cut off");
    rest -= 20;
    std::ifstream in(file, std::ios::binary);
    boost::uuids::detail::sha1 sha1;
    std::string buffer(chunk, '\0');
    for (; rest > 0 && in;) {
        const auto count = std::min<std::uint64_t>(rest, buffer.size());
        in.read(buffer.data(), static_cast<std::streamsize>(count));
        sha1.process_bytes(buffer.data(), count);
        rest -= count;
    }
    if (!in) return failure(Code::Io, "cannot read " + file.string());
    TRY_ASSIGN(const auto expected, tail(file, 20, 20));
    if (digest_text(sha1) != expected)
        return failure(Code::Corrupt, file.filename().string() + " is not what was written");
    return {};
}

Result<void> check_index_of(const PackFiles& files) {
    TRY(check_trailer(files.index));
    TRY_ASSIGN(const auto named, tail(files.index, 40, 20));
    TRY_ASSIGN(const auto found, tail(files.pack, 20, 20));
    if (named != found)
        return failure(Code::Corrupt, files.index.filename().string() + " is of another pack");
    return {};
}

Result<View> open_pack(const fs::path& index) {
    git_odb_backend* backend = nullptr;
    const int status = git_odb_backend_one_pack(&backend, index.c_str());
    if (status < 0) return git_failure(status, "cannot open " + index.string());
    return view_of(backend);
}

Result<View> open_loose(const fs::path& git_dir) {
    return view_of(loose_backend(git_dir));
}

Result<std::vector<CommitId>> list_packed(const View& view) {
    std::vector<CommitId> out;
    const int status = git_odb_foreach(
        view.odb(),
        [](const git_oid* oid, void* list) {
            static_cast<std::vector<CommitId>*>(list)->push_back(to_id(*oid));
            return 0;
        },
        &out);
    if (status < 0) return git_failure(status, "cannot list objects");
    return out;
}

Result<void> check_object(const View& view, const CommitId& id) {
    TRY_ASSIGN(const auto info, view.info(id));
    TRY_ASSIGN(const auto bytes, view.read(id, info.type, Limits::segment_blob));
    if (hash_object(bytes, info.type) != id)
        return failure(Code::Corrupt, "object " + id + " is not what was written");
    return {};
}

Result<std::string> write_pack(const View& from, const std::vector<CommitId>& objects,
                               const fs::path& git_dir) {
    TRY_ASSIGN(const auto repository, wrap(from, git_dir));
    git_packbuilder* raw = nullptr;
    int status = git_packbuilder_new(&raw, repository.get());
    if (status < 0) return git_failure(status, "cannot begin a pack");
    const Handle<git_packbuilder> builder(raw);
    git_packbuilder_set_threads(raw, 1);
    for (const auto& id : objects) {
        TRY_ASSIGN(const auto oid, to_oid(id));
        status = git_packbuilder_insert(raw, &oid, nullptr);
        if (status < 0) return git_failure(status, "cannot pack object " + id);
    }
    const auto folder = git_dir / "objects" / "pack";
    status = git_packbuilder_write(raw, folder.c_str(), 0, nullptr, nullptr);
    if (status < 0) return git_failure(status, "cannot write a pack");
    const auto name = "pack-" + std::string(git_packbuilder_name(raw));
    TRY(sync_file(folder / (name + ".pack")));
    TRY(sync_file(folder / (name + ".idx")));
    TRY(sync_directory(folder));
    return name;
}

Result<fs::path> index_again(const fs::path& pack, const fs::path& scratch) {
    TRY(make_directories(scratch));
    git_indexer* raw = nullptr;
    int status = git_indexer_new(&raw, scratch.c_str(), 0, nullptr, nullptr);
    if (status < 0) return git_failure(status, "cannot index " + pack.string());
    const Handle<git_indexer> indexer(raw);
    std::ifstream in(pack, std::ios::binary);
    std::string buffer(chunk, '\0');
    git_indexer_progress progress{};
    while (in) {
        in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
        const auto count = static_cast<std::size_t>(in.gcount());
        if (count == 0) break;
        status = git_indexer_append(raw, buffer.data(), count, &progress);
        if (status < 0) return git_failure(status, "cannot index " + pack.string());
    }
    status = git_indexer_commit(raw, &progress);
    if (status < 0) return git_failure(status, "cannot index " + pack.string());
    return scratch / ("pack-" + std::string(git_indexer_name(raw)) + ".idx");
}

Result<void> remove_files(const fs::path& git_dir, const std::vector<fs::path>& files) {
    std::string list;
    for (const auto& file : files) list += file.lexically_relative(git_dir).generic_string() + "\n";
    TRY(write_file_atomically(git_dir / removal_file, list));
    return finish_removing(git_dir);
}

Result<void> finish_removing(const fs::path& git_dir) {
    std::error_code error;
    if (!fs::exists(git_dir / removal_file, error)) return {};
    TRY_ASSIGN(const auto list, read_file(git_dir / removal_file));
    std::istringstream lines(list);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("objects/") || line.find("..") != std::string::npos) continue;
        fs::remove(git_dir / line, error);
        if (error) return failure(Code::Io, "cannot remove " + line, error.message());
    }
    TRY(sync_directory(git_dir / "objects" / "pack"));
    fs::remove(git_dir / removal_file, error);
    return {};
}

namespace {

// The ids in an index of version 2: 8 bytes of header, 256 counts, then 20 bytes each.
Result<std::vector<CommitId>> ids_of_index(const fs::path& index) {
    constexpr std::size_t counts = 8, ids = counts + 256 * 4;
    TRY_ASSIGN(const auto bytes, read_file(index));
    std::uint32_t total = 0;
    if (bytes.size() < ids) return failure(Code::Corrupt, index.string() + " is cut off");
    for (std::size_t at = ids - 4; at < ids; ++at)
        total = total << 8 | static_cast<std::uint8_t>(bytes[at]);
    if ((bytes.size() - ids) / 20 < total)
        return failure(Code::Corrupt, index.string() + " is cut off");
    std::vector<CommitId> out;
    git_oid oid{};
    for (std::size_t at = ids; out.size() < total; at += 20) {
        git_oid_fromraw(&oid, reinterpret_cast<const unsigned char*>(bytes.data()) + at);
        out.push_back(to_id(oid));
    }
    return out;
}

bool readable_elsewhere(const fs::path& git_dir, const fs::path& index) {
    const auto ids = ids_of_index(index);
    const auto view = View::open(git_dir);
    if (!ids || !view) return false;
    return std::ranges::all_of(*ids, [&](const auto& id) { return bool(check_object(*view, id)); });
}

}  // namespace

Result<void> tidy_packs(const fs::path& git_dir) {
    std::error_code error;
    std::vector<fs::path> remains, strange;
    for (const auto& entry : fs::directory_iterator(git_dir / "objects" / "pack", error)) {
        std::error_code ignored;
        const auto name = entry.path().filename().string();
        if (name.starts_with("pack_git2_") || name.starts_with("tmp_"))
            remains.push_back(entry.path());
        else if (!entry.is_regular_file(ignored) && !entry.is_directory(ignored))
            strange.push_back(entry.path());
    }
    // Whoever opens a named pipe waits without end.
    for (const auto& file : strange) {
        TRY(move_aside(git_dir, file, aside_folder(git_dir)));
        note_healed({file, "something else was in its place", "moved aside"});
    }
    TRY_ASSIGN(const auto packs, list_packs(git_dir));
    for (const auto& files : packs)
        if (!files.pack_there && readable_elsewhere(git_dir, files.index))
            remains.push_back(files.index);
    for (const auto& file : remains) fs::remove(file, error);
    return {};
}

}  // namespace dutybook::store::git
