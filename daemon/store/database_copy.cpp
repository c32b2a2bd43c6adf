#include "store/database_copy.h"

#include "store/sqlite_sums.h"

#include <sqlite3.h>

namespace dutybook::store {

Result<void> copy_database(const std::string& from, const std::string& to) {
    TRY_ASSIGN(const auto source, Database::open(from, Database::Mode::Read));
    TRY_ASSIGN(const auto target, Database::open(to, Database::Mode::Create));
    TRY(source->number("PRAGMA user_version"));  // reads the header, which says whether it has sums
    copy_page_sums(*source, *target);
    sqlite3_backup* const copy =
        sqlite3_backup_init(target->handle(), "main", source->handle(), "main");
    // All pages in one step: a step holds one reading transaction, and in WAL mode no writer waits.
    if (copy != nullptr) sqlite3_backup_step(copy, -1);
    const int status = copy != nullptr ? sqlite3_backup_finish(copy) : SQLITE_ERROR;
    if (status == SQLITE_OK) return {};
    const bool full = (status & 0xff) == SQLITE_FULL;
    return failure(full ? Code::Full : Code::Io, "cannot copy " + from, sqlite3_errstr(status),
                   full ? "make room on the disk of " + to : "run: dutybook verify");
}

}  // namespace dutybook::store
