#pragma once
// A site of one space over the real journal, log and index in a folder of its own.

#include "core/space_engine.h"
#include "support/scratch.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <string>

namespace dutybook::testing {

// Stands still until it is told.
class ManualClock final : public Clock {
public:
    explicit ManualClock(Millis start = 1'780'000'000'000) : now_(start) {}
    Millis now() const override { return now_; }
    Millis monotonic() const override { return now_; }
    void advance(Millis by) { now_ += by; }
    void set(Millis to) { now_ = to; }

private:
    Millis now_;
};

class AcceptAll final : public store::SegmentJudge {
public:
    Result<void> judge(const store::SegmentHeader&, std::string_view, std::string_view,
                       const store::CommitId&) const override {
        return {};
    }
};

const rules::KindRegistry& core_kinds();

class TestSite {
public:
    explicit TestSite(std::string site, core::SealPolicy policy = {},
                      std::uint64_t bulk_from = 50'000);

    // Opens the stores again, as after a crash; `moved` as after a copy.
    void restart(bool moved = false);
    void close();  // nothing is open afterwards
    void delete_index();
    // Another site object over a copy of this one's files, opened as moved or not.
    std::unique_ptr<TestSite> copy(bool moved);

    core::SpaceEngine& engine() { return *engine_; }
    store::Index& index() { return *index_; }
    store::Journal& journal() { return *journal_; }
    store::Log& log() { return *log_; }
    ManualClock& clock() { return clock_; }
    std::string digest();

    // Takes over whatever the other's log holds and folds it; both seal first.
    void pull_from(TestSite& other);
    // take-over alone
    void take_over_from(TestSite& other);
    void fold_all();

    std::string folder(const std::string& name) const { return scratch_.path(name); }

private:
    struct Nothing {};
    TestSite(std::string site, core::SealPolicy policy, Nothing);
    void open(bool moved);

    Scratch scratch_;
    std::string site_;
    core::SealPolicy policy_;
    std::uint64_t bulk_from_ = 50'000;
    ManualClock clock_;
    store::ZstdCodec codec_;
    AcceptAll judge_;
    rules::NoRules no_rules_;
    int incarnations_ = 0;
    std::string incarnation_prefix_ = "a";
    std::unique_ptr<store::Journal> journal_;
    std::unique_ptr<store::Log> log_;
    std::unique_ptr<store::Index> index_;
    std::unique_ptr<core::SpaceEngine> engine_;
};

// Two sites exchange until neither has anything new.
void exchange(TestSite& a, TestSite& b);

// Requests, all by one person.
core::WriteRequest create(const std::string& kind, Json fields, const std::string& id = "");
core::WriteRequest patch(const std::string& id, Json fields);
core::WriteRequest act(core::Action action, const std::string& id, const std::string& reason = "");
core::WriteRequest resolve(const std::string& id, const std::string& field, Json value);
Json duty(const std::string& title, const std::string& priority = "normal");

// One request that must succeed.
core::Written write(TestSite& site, core::WriteRequest request);
Error refused(TestSite& site, core::WriteRequest request);
// The record as the index shows it.
domain::RecordState shown(TestSite& site, const std::string& id);

}  // namespace dutybook::testing
