#include "site_fixture.h"

#include "base/crypto.h"
#include "support/source_dir.h"

namespace dutybook::testing {

namespace fs = std::filesystem;

const rules::KindRegistry& core_kinds() {
    static const auto registry = [] {
        auto loaded = rules::KindRegistry::load(
            std::vector{dutybook::tests::source_dir() / "schemas" / "kinds"});
        REQUIRE_MESSAGE(loaded.has_value(), loaded.error().text());
        return *loaded;
    }();
    return *registry;
}

TestSite::TestSite(std::string site, core::SealPolicy policy, std::uint64_t bulk_from)
    : TestSite(std::move(site), policy, Nothing{}) {
    bulk_from_ = bulk_from;
    open(false);
}

TestSite::TestSite(std::string site, core::SealPolicy policy, Nothing)
    : site_(std::move(site)), policy_(policy) {
    crypto_start();
}

void TestSite::open(bool moved) {
    auto journal = store::open_sqlite_journal(folder("journal.db"));
    REQUIRE_MESSAGE(journal.has_value(), journal.error().text());
    journal_ = std::move(*journal);
    auto log = store::open_git_log({folder("log.git"), "space0", &codec_, nullptr});
    REQUIRE_MESSAGE(log.has_value(), log.error().text());
    log_ = std::move(*log);
    auto index = store::open_sqlite_index(folder("index.db"), core_kinds());
    if (!index) {
        REQUIRE(index.error().code == Code::Corrupt);
        REQUIRE(store::delete_index(folder("index.db")).has_value());
        index = store::open_sqlite_index(folder("index.db"), core_kinds());
    }
    REQUIRE_MESSAGE(index.has_value(), index.error().text());
    index_ = store::write_behind(std::move(*index));
    core::SpaceParts parts;
    parts.journal = journal_.get();
    parts.log = log_.get();
    parts.index = index_.get();
    parts.clock = &clock_;
    parts.kinds = &core_kinds();
    parts.evaluator = &no_rules_;
    parts.codec = &codec_;
    parts.judge = &judge_;
    parts.bulk_from = bulk_from_;
    parts.incarnation = [this] {
        return incarnation_prefix_ + std::string(1, static_cast<char>('a' + incarnations_++));
    };
    engine_ = std::make_unique<core::SpaceEngine>(
        core::SpaceFacts{"space0", "north", "", site_, "America/New_York"}, parts, policy_);
    const auto started = engine_->start({moved, nullptr});
    REQUIRE_MESSAGE(started.has_value(), started.error().text());
}

void TestSite::close() {
    engine_.reset();
    index_.reset();
    log_.reset();
    journal_.reset();
}

void TestSite::restart(bool moved) {
    close();
    open(moved);
}

void TestSite::delete_index() {
    close();
    REQUIRE(store::delete_index(folder("index.db")).has_value());
    open(false);
}

std::unique_ptr<TestSite> TestSite::copy(bool moved) {
    close();
    std::unique_ptr<TestSite> other(new TestSite(site_, policy_, Nothing{}));
    other->bulk_from_ = bulk_from_;
    fs::copy(scratch_.folder(), other->scratch_.folder(),
             fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    other->clock_.set(clock_.now());
    other->incarnation_prefix_ = "b";
    open(false);
    other->open(moved);
    return other;
}

std::string TestSite::digest() {
    const auto digest = index_->reader().digest();
    REQUIRE_MESSAGE(digest.has_value(), digest.error().text());
    return *digest;
}

void TestSite::take_over_from(TestSite& other) {
    auto quarantine = log_->open_quarantine();
    REQUIRE_MESSAGE(quarantine.has_value(), quarantine.error().text());
    fs::copy(fs::path(other.folder("log.git")) / "objects",
             fs::path((*quarantine)->path()) / "objects",
             fs::copy_options::recursive | fs::copy_options::skip_existing);
    const auto theirs = other.log_->volumes();
    REQUIRE(theirs.has_value());
    for (const auto& volume : *theirs) {
        store::Incoming incoming{volume.name, volume.tip, {}};
        const auto ours = log_->volumes();
        REQUIRE(ours.has_value());
        for (const auto& held : *ours) {
            if (held.name == volume.name) incoming.have = held.tip;
        }
        const auto stands = log_->compare(volume.name, volume.tip);
        if (stands == store::Ancestry::Same || stands == store::Ancestry::Behind) continue;
        const auto taken = log_->take_over(**quarantine, incoming, judge_);
        REQUIRE_MESSAGE(taken.has_value(), taken.error().text());
        if (taken->refused) FAIL_CHECK(taken->refused->text());
    }
    REQUIRE((*quarantine)->clear().has_value());
}

void TestSite::fold_all() {
    for (int turn = 0;; ++turn) {
        REQUIRE_MESSAGE(turn < 1000, "folding does not come to an end");
        const auto folded = engine_->fold_received(1000);
        REQUIRE_MESSAGE(folded.has_value(), folded.error().text());
        if (!folded->more) return;
    }
}

void TestSite::pull_from(TestSite& other) {
    core::SpaceEngine::Seal all;
    all.force = true;
    const auto sealed = other.engine_->seal(all);
    REQUIRE_MESSAGE(sealed.has_value(), sealed.error().text());
    take_over_from(other);
    fold_all();
}

void exchange(TestSite& a, TestSite& b) {
    a.pull_from(b);
    b.pull_from(a);
    a.pull_from(b);
}

namespace {

core::WriteRequest request(core::Action action) {
    core::WriteRequest out;
    out.action = action;
    out.caller.by = "delgado";
    out.caller.auth = "socket";
    return out;
}

}  // namespace

core::WriteRequest create(const std::string& kind, Json fields, const std::string& id) {
    auto out = request(core::Action::Create);
    out.kind = kind;
    out.fields = std::move(fields);
    out.id = id;
    return out;
}

core::WriteRequest patch(const std::string& id, Json fields) {
    auto out = request(core::Action::Patch);
    out.id = id;
    out.fields = std::move(fields);
    return out;
}

core::WriteRequest act(core::Action action, const std::string& id, const std::string& reason) {
    auto out = request(action);
    out.id = id;
    out.reason = reason;
    return out;
}

core::WriteRequest resolve(const std::string& id, const std::string& field, Json value) {
    auto out = request(core::Action::Resolve);
    out.id = id;
    out.field = field;
    out.value = std::move(value);
    return out;
}

Json duty(const std::string& title, const std::string& priority) {
    return {{"title", title}, {"category", "office"}, {"priority", priority}, {"state", "open"}};
}

core::Written write(TestSite& site, core::WriteRequest request) {
    auto results = site.engine().write({&request, 1});
    REQUIRE(results.size() == 1);
    REQUIRE_MESSAGE(results[0].has_value(), results[0].error().text());
    return std::move(*results[0]);
}

Error refused(TestSite& site, core::WriteRequest request) {
    auto results = site.engine().write({&request, 1});
    REQUIRE(results.size() == 1);
    REQUIRE_FALSE(results[0].has_value());
    return results[0].error();
}

domain::RecordState shown(TestSite& site, const std::string& id) {
    auto record = site.index().reader().get(id);
    REQUIRE_MESSAGE(record.has_value(), record.error().text());
    REQUIRE(record->has_value());
    return (**record).state;
}

}  // namespace dutybook::testing
