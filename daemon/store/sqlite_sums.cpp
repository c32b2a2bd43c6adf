#include "store/sqlite_sums.h"

#include "base/crypto.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>

namespace dutybook::store {
namespace {

constexpr int sum_bytes = 8;
constexpr int header_bytes = 100;
constexpr int reserved_at = 20;     // in the file's header
constexpr int smallest_page = 512;  // also the least that is written as a page
constexpr int op_has = 0x64620001, op_copy = 0x64620002, op_check = 0x64620003,
              op_ignore = 0x64620004;  // of xFileControl; SQLite's own are small numbers

// The operating system's file lies behind it.
struct SummedFile {
    sqlite3_file base;
    bool sums, ignored;
};
SummedFile& summed(sqlite3_file* file) {
    return *reinterpret_cast<SummedFile*>(file);
}
sqlite3_file* real(sqlite3_file* file) {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(SummedFile));
}
const sqlite3_io_methods& methods(sqlite3_file* file) {
    return *real(file)->pMethods;
}
sqlite3_vfs* system_vfs = nullptr;

bool is_page(int size, sqlite3_int64 at) {
    return size >= smallest_page && (size & (size - 1)) == 0 && at % size == 0;
}

// With its place: a page that was written to another's is found as well.
std::array<char, sum_bytes> sum_of(const char* page, int size, sqlite3_int64 at) {
    std::string bytes(page, static_cast<std::size_t>(size - sum_bytes));
    bytes += std::to_string(at);
    const Hash hash = blake2b("dutybook.page", bytes);
    std::array<char, sum_bytes> out{};
    std::memcpy(out.data(), hash.data(), out.size());
    return out;
}

bool sound(const char* page, int size, sqlite3_int64 at) {
    const auto sum = sum_of(page, size, at);
    if (std::memcmp(page + size - sum_bytes, sum.data(), sum.size()) == 0) return true;
    // Never written: a free page, passed over when the file grew.
    return std::all_of(page, page + size, [](char byte) { return byte == 0; });
}

int close(sqlite3_file* file) {
    return methods(file).xClose(real(file));
}
int read(sqlite3_file* file, void* out, int size, sqlite3_int64 at) {
    const int status = methods(file).xRead(real(file), out, size, at);
    if (status != SQLITE_OK) return status;
    const auto* const bytes = static_cast<const char*>(out);
    auto& self = summed(file);
    if (at == 0 && size >= header_bytes) self.sums = bytes[reserved_at] == sum_bytes;
    if (!self.sums || self.ignored || !is_page(size, at) || sound(bytes, size, at)) return status;
    return SQLITE_IOERR_DATA;
}
int write(sqlite3_file* file, const void* in, int size, sqlite3_int64 at) {
    const auto* const bytes = static_cast<const char*>(in);
    auto& self = summed(file);
    if (at == 0 && size >= header_bytes) self.sums = bytes[reserved_at] == sum_bytes;
    if (!self.sums || !is_page(size, at)) return methods(file).xWrite(real(file), in, size, at);
    std::string page(bytes, static_cast<std::size_t>(size));
    const auto sum = sum_of(bytes, size, at);
    page.replace(page.size() - sum.size(), sum.size(), sum.data(), sum.size());
    return methods(file).xWrite(real(file), page.data(), size, at);
}

// The number of the first page that is not what was written, 0 if all are.
int find_damaged(sqlite3_file* file, sqlite3_int64& damaged) {
    std::array<unsigned char, header_bytes> header{};
    sqlite3_int64 size = 0;
    damaged = 0;
    int status = methods(file).xFileSize(real(file), &size);
    if (status != SQLITE_OK || size < header_bytes) return status;
    status = methods(file).xRead(real(file), header.data(), header_bytes, 0);
    if (status != SQLITE_OK) return status;
    // 1 stands for 65536.
    int page_size = header[16] << 8 | header[17];
    if (page_size == 1) page_size = 65536;
    if (!is_page(page_size, 0) || header[reserved_at] != sum_bytes || size % page_size != 0) {
        damaged = 1;
        return SQLITE_OK;
    }
    std::string page(static_cast<std::size_t>(page_size), '\0');
    for (sqlite3_int64 at = 0; at < size; at += page_size) {
        status = methods(file).xRead(real(file), page.data(), page_size, at);
        if (status != SQLITE_OK) return status;
        if (sound(page.data(), page_size, at)) continue;
        damaged = at / page_size + 1;
        return SQLITE_OK;
    }
    return SQLITE_OK;
}

int file_control(sqlite3_file* file, int op, void* argument) {
    auto& self = summed(file);
    switch (op) {
        case op_has:
            *static_cast<bool*>(argument) = self.sums;
            return SQLITE_OK;
        case op_copy:
            self.sums = true;
            return SQLITE_OK;
        case op_check:
            return find_damaged(file, *static_cast<sqlite3_int64*>(argument));
        case op_ignore:
            self.ignored = true;
            return SQLITE_OK;
        default:
            return methods(file).xFileControl(real(file), op, argument);
    }
}

// Version 2: with shared memory for the write-ahead log, without mapped pages, which nobody would
// compare.
constexpr sqlite3_io_methods summed_methods = {
    2,
    close,
    read,
    write,
    [](sqlite3_file* f, sqlite3_int64 size) { return methods(f).xTruncate(real(f), size); },
    [](sqlite3_file* f, int flags) { return methods(f).xSync(real(f), flags); },
    [](sqlite3_file* f, sqlite3_int64* size) { return methods(f).xFileSize(real(f), size); },
    [](sqlite3_file* f, int lock) { return methods(f).xLock(real(f), lock); },
    [](sqlite3_file* f, int lock) { return methods(f).xUnlock(real(f), lock); },
    [](sqlite3_file* f, int* out) { return methods(f).xCheckReservedLock(real(f), out); },
    file_control,
    [](sqlite3_file* f) { return methods(f).xSectorSize(real(f)); },
    [](sqlite3_file* f) { return methods(f).xDeviceCharacteristics(real(f)); },
    [](sqlite3_file* f, int region, int size, int extend, void volatile** out) {
        return methods(f).xShmMap(real(f), region, size, extend, out);
    },
    [](sqlite3_file* f, int offset, int n, int flags) {
        return methods(f).xShmLock(real(f), offset, n, flags);
    },
    [](sqlite3_file* f) { methods(f).xShmBarrier(real(f)); },
    [](sqlite3_file* f, int remove) { return methods(f).xShmUnmap(real(f), remove); },
    nullptr,
    nullptr,
};

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
    if ((flags & SQLITE_OPEN_MAIN_DB) == 0)
        return system_vfs->xOpen(system_vfs, name, file, flags, out);
    auto* const self = new (file) SummedFile{};
    const int status = system_vfs->xOpen(system_vfs, name, real(file), flags, out);
    // SQLite closes what has methods.
    if (real(file)->pMethods != nullptr) self->base.pMethods = &summed_methods;
    return status;
}

std::string path_of(Database& db) {
    const char* const name = sqlite3_db_filename(db.handle(), "main");
    return name != nullptr ? name : "the database";
}

Result<void> control(Database& db, int op, void* argument) {
    const int status = sqlite3_file_control(db.handle(), "main", op, argument);
    if (status == SQLITE_OK) return {};
    return failure(Code::Io, "cannot read or write " + path_of(db), sqlite3_errstr(status),
                   "check the disk and the file's permissions");
}

}  // namespace

void start_page_sums() {
    static std::once_flag once;
    std::call_once(once, [] {
        system_vfs = sqlite3_vfs_find(nullptr);
        static sqlite3_vfs vfs = *system_vfs;
        vfs.zName = "dutybook";
        vfs.szOsFile = system_vfs->szOsFile + static_cast<int>(sizeof(SummedFile));
        vfs.xOpen = open;
        sqlite3_vfs_register(&vfs, 1);
    });
}

Result<void> give_page_sums(Database& db) {
    int bytes = sum_bytes;
    return control(db, SQLITE_FCNTL_RESERVE_BYTES, &bytes);
}

bool has_page_sums(Database& db) {
    bool has = false;
    return control(db, op_has, &has) && has;
}

void copy_page_sums(Database& from, Database& to) {
    if (has_page_sums(from)) (void)control(to, op_copy, nullptr);
}

Result<void> check_page_sums(Database& db) {
    sqlite3_int64 damaged = 0;
    TRY(control(db, op_check, &damaged));
    if (damaged == 0) return {};
    return failure(Code::Corrupt, path_of(db) + " is damaged",
                   "page " + std::to_string(damaged) + " is not what was written");
}

void ignore_page_sums(Database& db) {
    (void)control(db, op_ignore, nullptr);
}

}  // namespace dutybook::store
