#include "care/backup.h"

#include "base/json.h"
#include "base/sealed_file.h"
#include "care/backup_entry.h"
#include "care/snapshot.h"
#include "core/identity.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <set>

namespace dutybook::care {

namespace {

constexpr const char* kind = "backup";
constexpr std::size_t piece = 1 << 20;
constexpr std::size_t longest_line = 16 * 1024;

void tell(const BackupProgress& progress, const char* step, std::uint64_t done, std::uint64_t all) {
    if (progress) progress(step, done, all);
}

class Packing {
public:
    Packing(SealedFileWriter& out, const BackupProgress& progress, std::uint64_t all)
        : out_(out), progress_(progress), all_(all) {}

    Result<void> put(const SnapshotFile& file) {
        Json entry = {{"mode", file.mode}, {"path", file.path}, {"size", file.size}};
        if (file.directory) entry = {{"directory", true}, {"path", file.path}};
        TRY(out_.write(canonical(entry) + "\n"));
        if (file.directory) return {};
        std::ifstream in(file.source, std::ios::binary);
        std::string bytes(piece, '\0');
        std::uint64_t left = file.size;
        while (left > 0) {
            in.read(bytes.data(),
                    static_cast<std::streamsize>(std::min<std::uint64_t>(piece, left)));
            const auto count = static_cast<std::uint64_t>(in.gcount());
            if (count == 0) {
                return failure(Code::Io, "cannot read " + file.path, "the disk gave no bytes",
                               "run: dutybook verify");
            }
            TRY(out_.write(std::string_view(bytes).substr(0, count)));
            left -= count;
            done_ += count;
            tell(progress_, "backup", done_, all_);
        }
        return {};
    }

private:
    SealedFileWriter& out_;
    const BackupProgress& progress_;
    const std::uint64_t all_;
    std::uint64_t done_ = 0;
};

class Unpacking {
public:
    Unpacking(SealedFileReader& in, const fs::path& folder, const BackupProgress& progress)
        : in_(in), folder_(folder), progress_(progress) {}

    Result<std::uint64_t> run() {
        for (std::uint64_t files = 0;; ++files) {
            TRY_ASSIGN(const std::string line, in_.read_line(longest_line));
            TRY_ASSIGN(const BackupEntry entry, read_backup_entry(line));
            if (entry.path.empty()) {
                if (entry.files != files) return damaged_backup("it lacks files");
                TRY_ASSIGN(const std::string more, in_.read(1));
                if (!more.empty()) return damaged_backup("bytes follow its end");
                return files;
            }
            if (auto made = make(entry); !made) {
                Error error = made.error();
                if (error.code == Code::Corrupt) error.why += " (in " + entry.path.string() + ")";
                return error;
            }
        }
    }

private:
    Result<void> make(const BackupEntry& entry) {
        const fs::path path = folder_ / entry.path;
        if (entry.directory) return make_directories(path);
        TRY(make_directories(path.parent_path()));
        const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0) return failure(Code::Io, "cannot make " + path.string(), std::strerror(errno));
        auto written = fill(fd, entry);
        if (written && (::fchmod(fd, entry.mode) != 0 || ::fsync(fd) != 0)) {
            written = failure(Code::Io, "cannot write " + path.string(), std::strerror(errno));
        }
        ::close(fd);
        TRY(std::move(written));
        return sync_directory(path.parent_path());
    }

    Result<void> fill(int fd, const BackupEntry& entry) {
        for (std::uint64_t left = entry.size; left > 0;) {
            TRY_ASSIGN(const std::string bytes, in_.read(std::min<std::uint64_t>(piece, left)));
            if (bytes.empty()) return damaged_backup("it ends too early");
            for (std::size_t done = 0; done < bytes.size();) {
                const ssize_t count = ::write(fd, bytes.data() + done, bytes.size() - done);
                if (count < 0 && errno == EINTR) continue;
                if (count < 0) {
                    const Code code = errno == ENOSPC ? Code::Full : Code::Io;
                    return failure(code, "cannot write " + (folder_ / entry.path).string(),
                                   std::strerror(errno),
                                   code == Code::Full ? "make room on the disk" : "");
                }
                done += static_cast<std::size_t>(count);
            }
            left -= bytes.size();
            tell(progress_, "restore", in_.at(), in_.size());
        }
        return {};
    }

    SealedFileReader& in_;
    const fs::path& folder_;
    const BackupProgress& progress_;
};

// A folder that goes away unless it is put into place.
struct Making {
    fs::path folder;
    ~Making() {
        std::error_code ignored;
        if (!folder.empty()) fs::remove_all(folder, ignored);
    }
};

Result<void> check_free(const fs::path& store) {
    std::error_code failed;
    if (!fs::exists(store, failed)) return {};
    if (fs::is_directory(store, failed) && fs::is_empty(store, failed)) return {};
    return failure(Code::Exists, store.string() + " is there already and not empty", "",
                   "move it aside (never delete it first), or name another with --dir");
}

}  // namespace

Result<BackupDone> make_backup(const BackupRequest& request) {
    TRY(core::read_site(request.store));
    tell(request.progress, "snapshot", 0, 1);
    TRY_ASSIGN(const Snapshot snapshot, Snapshot::take(request.store));
    TRY_ASSIGN(auto out,
               SealedFileWriter::create(request.file, kind, request.passphrase, request.cost));
    std::uint64_t all = 0;
    for (const auto& file : snapshot.files()) all += file.size;
    Packing packing(out, request.progress, all);
    for (const auto& file : snapshot.files()) TRY(packing.put(file));
    TRY(out.write(canonical({{"files", snapshot.files().size()}}) + "\n"));
    TRY(out.finish());
    return BackupDone{snapshot.files().size(), out.bytes()};
}

Result<BackupDone> restore_backup(const RestoreRequest& request) {
    fs::path store = fs::absolute(request.store).lexically_normal();
    if (!store.has_filename()) store = store.parent_path();  // "store/"
    TRY(check_free(store));
    TRY_ASSIGN(auto in, SealedFileReader::open(request.file, kind, request.passphrase));
    TRY(make_directories(store.parent_path()));
    std::string name = store.string() + ".restoring-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
        return failure(Code::Io, "cannot make " + name, std::strerror(errno));
    }
    Making making{name};
    TRY_ASSIGN(const std::uint64_t files, Unpacking(in, making.folder, request.progress).run());
    // No place is this one's: the first start finds a store that was restored, and opens new
    // writers, so that no log forks.
    TRY_ASSIGN(core::SiteFile site, core::read_site(making.folder));
    site.place = {};
    TRY(core::write_site(making.folder, site));
    std::error_code failed;
    fs::remove(store, failed);  // an empty folder
    fs::rename(making.folder, store, failed);
    if (failed) {
        return failure(Code::Io, "cannot put " + store.string() + " in place", failed.message());
    }
    making.folder.clear();
    TRY(sync_directory(store.parent_path()));
    return BackupDone{files, in.size()};
}

}  // namespace dutybook::care
