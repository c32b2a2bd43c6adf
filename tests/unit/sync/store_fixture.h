#pragma once
// Real stores that meet real repositories: several sites of one space.

#include "base/crypto.h"
#include "base/file.h"
#include "core/book.h"
#include "git_fixture.h"
#include "sync/contact.h"
#include "sync/service.h"

#include <memory>

namespace sync_test {

// Stands still until it is told; any thread may read it.
class ManualClock final : public Clock {
public:
    Millis now() const override { return now_.load(); }
    Millis monotonic() const override { return now_.load(); }
    void advance(Millis by) { now_ += by; }
    void set(Millis to) { now_ = to; }

private:
    std::atomic<Millis> now_{1'780'000'000'000};
};

// One store in a folder, with its space open, and contacts made on this thread.
class Store : private sync::EngineDoor {
public:
    Store(const fs::path& directory, const std::string& space_id, const std::string& name);
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    void open();
    void close() { book_.reset(); }
    // A copy of the closed store's files elsewhere, opened there.
    std::unique_ptr<Store> copy_to(const fs::path& directory);

    void add(int count, const std::string& prefix = "duty");
    std::string add_one(const std::string& title, const std::string& id = {});
    void set(const std::string& id, const std::string& field, Json value);

    sync::Outcome meet(const sync::RemoteConfig& remote);
    sync::Outcome meet(const fs::path& repository);
    // A transfer of the test's own instead of git.
    sync::Outcome meet(const sync::RemoteConfig& remote, sync::Transfer& transfer,
                       const std::atomic<bool>& cancel = never);

    core::Book& book() { return *book_; }
    core::SpaceService& space() { return *book_->space("school"); }
    store::Log& log() { return space().log(); }
    std::string digest();
    std::string operations_digest();
    std::uint64_t records();
    std::vector<core::Alarm> alarms();
    bool alarmed(const std::string& kind);
    std::string writer();
    std::unique_ptr<sync::Transfer> transfer(const sync::RemoteConfig& remote);

    const fs::path directory;
    ManualClock clock;
    std::map<std::string, sync::Transfer::Refs> remembered;
    sync::RefusedTips refused;
    std::vector<std::string> steps;  // of the last contact

private:
    explicit Store(fs::path place) : directory(std::move(place)) {}
    void run(const std::function<void(core::SpaceEngine&)>& task) override;

    std::unique_ptr<core::Book> book_;
};

Json duty(const std::string& title);
std::string make_space();
std::unique_ptr<Store> make_store(const Folder& folder, const std::string& name,
                                  const std::string& space_id);

}  // namespace sync_test
