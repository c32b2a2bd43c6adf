#pragma once
// Room on the store's volume. A reserve file (DIR/reserve) is kept while there is plenty; when the
// volume runs full it is given back, so that what must go on (showing what is acknowledged, status,
// a clean stop, the next start) has room, while new writes are refused with Code::Full. When space
// returns the reserve is made again and writes are taken again, by itself.
//
// A thread `disk` looks each second; any thread may ask.

#include "base/file.h"

#include <functional>
#include <memory>

namespace dutybook::core {

class DiskRoom {
public:
    static constexpr std::uint64_t mib = 1 << 20;
    static constexpr std::uint64_t reserve_bytes = 8 * mib;
    static constexpr std::uint64_t full_below = 1 * mib;  // free, beside the reserve
    static constexpr std::uint64_t enough_from = reserve_bytes + 4 * mib;

    // `tell` is called on the thread `disk`: each second while it is full, and once when it is
    // over.
    DiskRoom(fs::path directory, std::function<void(bool full)> tell);
    DiskRoom(const DiskRoom&) = delete;
    DiskRoom& operator=(const DiskRoom&) = delete;
    ~DiskRoom();  // joins; the reserve stays

    bool full() const;
    // A write failed for want of room (a quota may leave statvfs content).
    void note_full();
    // What to answer while it is full.
    Error refusal() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace dutybook::core
