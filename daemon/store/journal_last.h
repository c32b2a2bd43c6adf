#pragma once
// The last operation that was acknowledged, outside of SQLite. The damage of the very last
// transaction of a write-ahead log looks like its torn end; with this it is known what is missing.
//
// Beside the journal while it is open, journal.db.last (a clean stop removes it, since
// journal_mark.h then knows every byte):
//   <writer> <seq>
//   blake2b <hash of the line above>
// padded to one size and written in place after each transaction, never synced: a process that is
// killed leaves what it wrote last, a loss of power perhaps something older. So it is never ahead
// of what was acknowledged, and a journal that holds less has lost operations.

#include "domain/operation.h"

#include <optional>

namespace dutybook::store {

// The journal's meta key under which a start finds what was acknowledged and is not held:
// "<writer> <seq>". Core clears it once what could be put back is.
inline constexpr const char* acknowledged_key = "acknowledged-upto";

class LastAcknowledged {
public:
    // Nothing if there is none; Code::Corrupt if it is not what was written.
    static Result<std::optional<domain::OperationId>> read(const std::string& journal);
    // Durable; whatever stands in its place is replaced, a folder moved aside.
    static Result<LastAcknowledged> make(const std::string& journal, const domain::OperationId& id);
    static std::string path_of(const std::string& journal);

    // A failure is written to the log: the operation itself is durable already.
    void put(const domain::OperationId& id) const;

    LastAcknowledged(LastAcknowledged&& other) noexcept;
    LastAcknowledged& operator=(LastAcknowledged&& other) noexcept;
    ~LastAcknowledged();

private:
    LastAcknowledged(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
    std::string path_;
    int fd_ = -1;
};

}  // namespace dutybook::store
