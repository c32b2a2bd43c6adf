#include "core/disk_room.h"

#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace dutybook::core {

struct DiskRoom::State {
    // Constant after construction.
    fs::path directory;
    std::function<void(bool)> tell;

    std::atomic<bool> full{false};
    std::mutex mutex;
    std::condition_variable wake;
    // By `mutex`.
    bool stopping = false;
    bool noted = false;  // a write failed since the last look

    std::thread thread;

    fs::path reserve() const { return directory / "reserve"; }

    std::optional<std::uint64_t> free_bytes() const {
        struct statvfs info {};
        if (::statvfs(directory.c_str(), &info) != 0) return std::nullopt;
        return std::uint64_t{info.f_bavail} * info.f_frsize;
    }

    bool is_file() const {
        std::error_code ignored;
        return fs::is_regular_file(fs::symlink_status(reserve(), ignored));
    }

    bool has_reserve() const {
        std::error_code failed;
        return is_file() && fs::file_size(reserve(), failed) >= reserve_bytes && !failed;
    }

    // Real blocks: a hole would reserve nothing.
    bool make_reserve() const {
        if (!is_file()) give_back();  // a link would lead to somebody else's file
        const int fd = ::open(reserve().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) return false;
        const bool made = ::posix_fallocate(fd, 0, static_cast<off_t>(reserve_bytes)) == 0;
        ::close(fd);
        if (!made) give_back();
        return made;
    }

    void give_back() const {
        std::error_code ignored;
        fs::remove(reserve(), ignored);
    }

    void look(bool failed_write) {
        const auto free = free_bytes();
        const bool was = full;
        if (failed_write || (free && *free < full_below)) {
            give_back();
            full = true;
        } else if (!has_reserve()) {
            if (free && *free >= enough_from && make_reserve()) full = false;
        } else {
            full = false;
        }
        if (was == full) return;
        if (full) {
            log_error("core", "the disk is full: writes are refused until there is room",
                      {{"store", directory.string()}});
        } else {
            log_info("core", "there is room on the disk again: writes are taken");
        }
    }

    void run() {
        bool told = false;
        std::unique_lock lock(mutex);
        while (!stopping) {
            wake.wait_for(lock, std::chrono::seconds(1), [this] { return stopping || noted; });
            if (stopping) return;
            const bool failed = std::exchange(noted, false);
            lock.unlock();
            look(failed);
            if (tell && (full || told)) tell(told = full);
            lock.lock();
        }
    }
};

DiskRoom::DiskRoom(fs::path directory, std::function<void(bool full)> tell)
    : state_(std::make_unique<State>()) {
    state_->directory = std::move(directory);
    state_->tell = std::move(tell);
    state_->look(false);
    state_->thread = std::thread([state = state_.get()] {
        ::pthread_setname_np(::pthread_self(), "disk");
        state->run();
    });
}

DiskRoom::~DiskRoom() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopping = true;
    }
    state_->wake.notify_one();
    state_->thread.join();
}

bool DiskRoom::full() const {
    return state_->full;
}

void DiskRoom::note_full() {
    state_->full = true;
    {
        const std::lock_guard lock(state_->mutex);
        state_->noted = true;
    }
    state_->wake.notify_one();
}

Error DiskRoom::refusal() const {
    return failure(Code::Full, "nothing can be written: the disk is full",
                   "the volume of " + state_->directory.string() + " has no room",
                   "make room there; writing goes on by itself then. What was acknowledged is safe "
                   "and can be read");
}

}  // namespace dutybook::core
