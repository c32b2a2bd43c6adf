// Each sort of file in log.git damaged in turn: verify names it, repair heals it from the journal
// or says what to fetch, and a fetch then completes it.

#include "log_forge.h"

#include "store/git_loose.h"
#include "store/git_segment.h"

#include <algorithm>

using namespace dutybook;
using namespace dutybook::test;
using store::CommitId;
using store::Damage;
using store::SealRow;
using store::VolumeName;
namespace fs = std::filesystem;
namespace git = store::git;

namespace {

// The seals of a journal, as far as a repair asks for them.
class Seals final : public store::Journal {
public:
    void add(const SealRow& row) { rows_[row.commit] = row; }

    Result<void> append(std::span<const store::JournalLine>, const domain::Frontier&,
                        std::span<const store::Answer>, Millis) override {
        return {};
    }
    Result<std::optional<std::string>> answered(const std::string&) override {
        return std::optional<std::string>{};
    }
    domain::Writer current_writer() const override { return writer_a; }
    Result<void> open_writer(const domain::Writer&, std::span<const Reissue>, Millis) override {
        return {};
    }
    std::vector<domain::Writer> writers() const override { return {writer_a}; }
    std::uint64_t last_seq(std::string_view) const override { return 0; }
    Result<void> visit(const domain::Writer&, std::uint64_t, const Visit&) override { return {}; }
    Result<SealRow> plan_seal(SealRow row) override { return row; }
    Result<void> finish_seal(std::int64_t, const CommitId&, std::uint64_t) override { return {}; }
    Result<std::optional<SealRow>> unfinished_seal() override { return std::optional<SealRow>{}; }
    Result<std::optional<SealRow>> last_seal(std::string_view writer) override {
        std::optional<SealRow> last;
        for (const auto& [commit, row] : rows_)
            if (row.header.writer == writer && (!last || row.header.first > last->header.first))
                last = row;
        return last;
    }
    std::uint64_t sealed_upto(std::string_view) const override { return 0; }
    Result<std::optional<SealRow>> find_seal(const CommitId& commit) override {
        const auto at = rows_.find(commit);
        return at == rows_.end() ? std::optional<SealRow>{} : std::optional(at->second);
    }
    Result<void> forget(const domain::Writer&, std::uint64_t) override { return {}; }
    Result<void> check() override { return {}; }
    Result<std::string> meta(const std::string&) override { return std::string(); }
    Result<void> set_meta(const std::string&, const std::string&) override { return {}; }

private:
    std::map<CommitId, SealRow> rows_;
};

// A log with an own volume (its six segments are in the journal) and another site's (whole in
// `remote`). Made once, copied for every case.
struct Original {
    Folder folder, remote;
    Seals journal;
    std::vector<CommitId> own, other;

    explicit Original(bool packed) {
        auto log = open_log(folder.path());
        for (std::size_t i = 0; i < 6; ++i) {
            auto row = row_of(writer_a, 1, i * 2 + 1, 2, own.empty() ? "" : own.back());
            row.commit = value(log->append(row, some_lines(2, "a")));
            journal.add(row);
            own.push_back(row.commit);
        }
        other = write_volume(*open_log(remote.path()), writer_b, 1, 1, 4, 2);
        {
            const auto quarantine = value(log->open_quarantine());
            REQUIRE(fetch(*quarantine, remote.path() / "log.git") == "");
            value(log->take_over(*quarantine, {{writer_b, 1}, other.back(), {}}, accept_all));
        }
        value(log->readme_commit());
        if (!packed) return;
        // Enough loose objects for maintenance to pack them.
        const auto git_dir = folder.path() / "log.git";
        for (int i = 0; i < 60; ++i)
            value(git::put_object(git_dir, std::to_string(i), GIT_OBJECT_BLOB, git_dir / "aside"));
        ok(log->maintain());
    }
    static const Original& of(bool packed) {
        static const Original loose(false), tight(true);
        return packed ? tight : loose;
    }
};

struct Site {
    const git::Runtime runtime;
    Folder folder;
    const Original& original;
    Seals journal;
    std::vector<CommitId> own, other;
    fs::path git_dir = folder.path() / "log.git";
    std::unique_ptr<store::Log> log;

    explicit Site(bool packed)
        : original(Original::of(packed)),
          journal(original.journal),
          own(original.own),
          other(original.other) {
        fs::copy(original.folder.path(), folder.path(), fs::copy_options::recursive);
        log = open_log(folder.path());
        REQUIRE(value(log->verify(true, {})).empty());
    }
    void take_other() {
        const auto quarantine = value(log->open_quarantine());
        ok(quarantine->clear());
        REQUIRE(fetch(*quarantine, original.remote.path() / "log.git") == "");
        CHECK_FALSE(
            value(log->take_over(*quarantine, {{writer_b, 1}, other.back(), {}}, accept_all))
                .refused);
    }
    void reopen() {
        log.reset();
        log = open_log(folder.path());
    }
    std::vector<Damage> repair() {
        return value(log->repair(false, journal, [](const SealRow&) {
            return Result<std::vector<std::string>>(some_lines(2, "a"));
        }));
    }
    static bool named(const std::vector<Damage>& damages, const std::string& part) {
        return std::ranges::any_of(damages, [&](const auto& damage) {
            return damage.file.find(part) != damage.file.npos;
        });
    }
    // Named by verify, healed by repair alone.
    void heals(const std::string& name) {
        const auto found = value(log->verify(false, {}));
        REQUIRE_FALSE(found.empty());
        CHECK_MESSAGE(named(found, name), found.front().file);
        const auto repaired = repair();
        for (const auto& damage : repaired) CHECK_MESSAGE(damage.healed, damage.file, damage.what);
        whole();
    }
    void whole() {
        // What the start healed is told until the next.
        for (const auto& damage : value(log->verify(true, {}))) CHECK(damage.healed);
        reopen();
        CHECK(value(log->verify(true, {})).empty());
        CHECK(value(log->chain({writer_a, 1}, {})) == own);
        CHECK(value(log->chain({writer_b, 1}, {})) == other);
        CHECK(run("git -C " + git_dir.string() + " fsck --strict --no-dangling") == "");
        const auto row = row_of(writer_a, 1, 13, 1, own.back());
        CHECK(log->append(row, some_lines(1)).has_value());
    }
};

git::SegmentObjects objects_of(const fs::path& git_dir, const CommitId& commit) {
    return value(git::read_segment(value(git::View::open(git_dir)), commit));
}

enum class How { Flip, Cut, Empty, Remove, Folder };

void damage(const fs::path& file, How how) {
    auto bytes = value(read_file(file));
    if (how == How::Remove || how == How::Folder) {
        fs::remove(file);
        if (how == How::Folder) fs::create_directories(file / "lost+found");
        return;
    }
    if (how == How::Flip) bytes[bytes.size() / 2] ^= 0x41;
    if (how == How::Cut) bytes.resize(bytes.size() / 2);
    if (how == How::Empty) bytes.clear();
    overwrite(file, bytes);
}

constexpr std::array all_ways = {How::Flip, How::Cut, How::Empty, How::Remove, How::Folder};

fs::path the_pack(const fs::path& git_dir, const std::string& extension) {
    std::vector<fs::path> found;
    for (const auto& file : fs::directory_iterator(git_dir / "objects/pack"))
        if (file.path().extension() == extension) found.push_back(file.path());
    REQUIRE(found.size() == 1);
    return found.front();
}

}  // namespace

TEST_CASE("damage: a loose object of one's own comes back from the journal") {
    for (const auto how : all_ways)
        for (const int part : {0, 1, 2}) {
            CAPTURE(static_cast<int>(how));
            CAPTURE(part);
            Site site(false);
            const auto objects = objects_of(site.git_dir, site.own[2]);
            const auto id = part == 0 ? objects.blob : part == 1 ? objects.tree : objects.commit;
            damage(git::loose_path(site.git_dir, id), how);
            site.heals(how == How::Remove ? "refs/heads/log" : id.substr(2));
        }
}

TEST_CASE("damage: a damaged tip of one's own does not hinder opening, and comes back") {
    Site site(false);
    damage(git::loose_path(site.git_dir, site.own.back()), How::Flip);
    site.reopen();
    site.heals(site.own.back().substr(2));
}

TEST_CASE("damage: what the README's ref leads to is read to its end") {
    for (const auto how : all_ways) {
        CAPTURE(static_cast<int>(how));
        Site site(false);
        const auto view = value(git::View::open(site.git_dir));
        const auto readme = value(site.log->refs()).at("refs/heads/dutybook");
        const auto tree = value(git::read_link(view, readme)).text.tree;
        damage(git::loose_path(site.git_dir, tree), how);
        site.heals(how == How::Remove ? "refs/heads/dutybook" : tree.substr(2));
    }
}

TEST_CASE("damage: HEAD, config and the list of tips are written again") {
    for (const auto how : all_ways)
        for (const std::string name : {"HEAD", "config", "dutybook-tips"})
            for (const bool down : {false, true}) {
                CAPTURE(static_cast<int>(how));
                CAPTURE(name);
                CAPTURE(down);
                Site site(false);
                damage(site.git_dir / name, how);
                if (down) site.reopen();
                // A list of tips that is gone is made again without a word: nothing was lost.
                if (down && name == "dutybook-tips" && how == How::Remove)
                    site.whole();
                else
                    site.heals(name);
            }
}

TEST_CASE("damage: a ref is made again, whether noticed at start or later") {
    for (const auto how : all_ways)
        for (const bool down : {false, true})
            for (const auto& name : {VolumeName{writer_a, 1}, VolumeName{writer_b, 1}}) {
                CAPTURE(static_cast<int>(how));
                CAPTURE(down);
                Site site(false);
                damage(site.git_dir / name.ref(), how);
                if (down) site.reopen();
                CHECK(value(site.log->volumes()).size() == 2);
                site.heals(name.ref());
            }
}

TEST_CASE("damage: refs and their list lost together are found from the objects") {
    Site site(false);
    damage(site.git_dir / VolumeName{writer_a, 1}.ref(), How::Empty);
    damage(site.git_dir / VolumeName{writer_b, 1}.ref(), How::Empty);
    damage(site.git_dir / "dutybook-tips", How::Empty);
    site.reopen();
    CHECK(value(site.log->volumes()).empty());
    site.repair();
    site.whole();
}

TEST_CASE("damage: a ref that went back to an earlier commit is brought forward") {
    Site site(false);
    overwrite(site.git_dir / VolumeName{writer_b, 1}.ref(), site.other[1] + "\n");
    site.reopen();
    CHECK(value(site.log->volumes())[1].tip == site.other.back());
    site.heals(VolumeName{writer_b, 1}.ref());
}

TEST_CASE("damage: an index of a pack is made again") {
    for (const auto how : all_ways)
        for (const bool down : {false, true}) {
            CAPTURE(static_cast<int>(how));
            Site site(true);
            damage(the_pack(site.git_dir, ".idx"), how);
            if (down) site.reopen();
            site.heals(".idx");
        }
}

TEST_CASE(
    "damage: of a damaged pack the sound objects are kept, the rest sealed and fetched again") {
    for (const auto how : all_ways) {
        CAPTURE(static_cast<int>(how));
        Site site(true);
        site.log.reset();  // a pack that is cut under a running daemon is another matter
        damage(the_pack(site.git_dir, ".pack"), how);
        site.reopen();
        const auto found = value(site.log->verify(false, {}));
        CHECK(Site::named(found, ".pack"));
        site.repair();
        CHECK(value(site.log->verify(true, {})).empty());
        CHECK(value(site.log->chain({writer_a, 1}, {})) == site.own);
        value(site.log->readme_commit());
        site.take_other();
        site.whole();
    }
}

TEST_CASE("damage: another site's lost segment is fetched again from where the log is whole") {
    for (const auto how : all_ways) {
        Site site(true);
        site.log.reset();
        // Alone in a pack, so that this one object is all that is lost.
        const auto objects = objects_of(site.git_dir, site.other[2]);
        run("cd " + site.git_dir.string() +
            " && mv objects/pack/*.pack p && rm -f objects/pack/* && "
            "git unpack-objects -q < p && rm -f p");
        damage(git::loose_path(site.git_dir, objects.blob), how);
        site.reopen();
        const auto repaired = site.repair();
        const auto missing =
            std::ranges::find_if(repaired, [](const auto& d) { return !d.healed; });
        REQUIRE(missing != repaired.end());
        CHECK(missing->volumes == std::vector{VolumeName{writer_b, 1}});
        CHECK(value(site.log->volumes())[1].tip == site.other[1]);
        CHECK(value(site.log->volumes())[1].last == 4);
        site.take_other();
        site.whole();
    }
}

TEST_CASE("damage: a dry run changes nothing, and nothing damaged is ever deleted") {
    Site site(false);
    const auto objects = objects_of(site.git_dir, site.own[1]);
    const auto file = git::loose_path(site.git_dir, objects.blob);
    damage(file, How::Flip);
    const auto bytes = value(read_file(file));
    const auto found = value(site.log->repair(true, site.journal, {}));
    CHECK(found.size() >= 1);
    CHECK(value(read_file(file)) == bytes);
    site.repair();
    bool kept = false;
    for (const auto& entry : fs::recursive_directory_iterator(site.git_dir / "damaged"))
        kept |= entry.is_regular_file() && value(read_file(entry.path())) == bytes;
    CHECK(kept);
}

TEST_CASE("damage: appending over a damaged object of the same content puts it right") {
    Site site(false);
    const auto row = value(site.journal.find_seal(site.own[5]));
    const auto objects = objects_of(site.git_dir, site.own[5]);
    damage(git::loose_path(site.git_dir, objects.blob), How::Flip);
    CHECK(value(site.log->append(*row, some_lines(2, "a"))) == site.own[5]);
    CHECK(value(site.log->verify(true, {})).empty());
}
