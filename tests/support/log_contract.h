#pragma once
// What every Log has to do, whatever it is made of: the git one and any fake of other folders.
//
//   TEST_CASE("GitLog keeps the contract of a log") {
//       test::log_contract([](const std::string& directory) { return open…; });
//   }

#include "store/log.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

namespace dutybook::test {

inline const std::string space_id = "space-1";
inline const std::string writer_a = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-aaaaaaaa";
inline const std::string writer_b = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-bbbbbbbb";

// A directory that goes with its owner; in memory where there is a place, for nothing here depends
// on a disk and thousands of fsyncs would decide how long the tests take.
class Folder {
public:
    Folder() {
        const std::filesystem::path memory = "/dev/shm";
        const bool chosen = std::getenv("TMPDIR") != nullptr || !std::filesystem::exists(memory);
        const auto parent = chosen ? std::filesystem::temp_directory_path() : memory;
        std::string name = parent / "dutybook-XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }
    std::filesystem::path path() const { return path_; }
    std::string operator/(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

inline std::vector<std::string> some_lines(std::size_t count, const std::string& mark = "x") {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < count; ++i)
        lines.push_back("{\"do\":\"change\",\"record\":\"" + mark + std::to_string(i) + "\"}");
    return lines;
}

// The row of the segment that follows `previous` (nothing: a writer's first).
inline store::SealRow row_of(const std::string& writer, std::uint32_t volume, std::uint64_t first,
                             std::size_t count, const store::CommitId& previous) {
    store::SealRow row;
    row.header.space = space_id;
    row.header.writer = writer;
    row.header.volume = volume;
    row.header.first = first;
    row.header.last = first + count - 1;
    row.header.previous = previous;
    row.header.time = 1'770'000'000'000 + static_cast<Millis>(first) * 1000;
    return row;
}

template <class T>
T value(Result<T> result) {
    if (!result) FAIL(result.error().text());
    return std::move(*result);
}
inline void ok(const Result<void>& result) {
    if (!result) FAIL(result.error().text());
}

// Appends segments of `each` operations, the first of the volume after `previous`.
inline std::vector<store::CommitId> write_volume(store::Log& log, const std::string& writer,
                                                 std::uint32_t volume, std::uint64_t first,
                                                 std::size_t segments, std::size_t each,
                                                 store::CommitId previous = {}) {
    std::vector<store::CommitId> commits;
    for (std::size_t i = 0; i < segments; ++i) {
        const auto row = row_of(writer, volume, first, each, previous);
        previous = value(log.append(row, some_lines(each, writer.substr(0, 1))));
        commits.push_back(previous);
        first += each;
    }
    return commits;
}

using MakeLog = std::function<std::unique_ptr<store::Log>(const std::string& directory)>;

inline void log_contract(const MakeLog& make) {
    using store::Ancestry;
    using store::VolumeName;
    const Folder folder;
    auto log = make(folder.path());
    const VolumeName one{writer_a, 1}, two{writer_a, 2};

    SUBCASE("an empty log holds nothing") {
        CHECK(value(log->volumes()).empty());
        CHECK(value(log->refs()).empty());
        CHECK(log->chain(one, {}).error().code == Code::NotFound);
    }
    SUBCASE("what was appended is read back line for line") {
        auto row = row_of(writer_a, 1, 1, 3, {});
        row.frontier.advance(writer_b, 7, std::string(40, 'c'));
        row.next_heard = 1'770'000'400'000;
        const auto lines = some_lines(3);
        const auto commit = value(log->append(row, lines));
        const auto segment = value(log->read(commit));
        CHECK(segment.lines == lines);
        CHECK(segment.frontier == row.frontier);
        CHECK(segment.next_heard == row.next_heard);
        CHECK(segment.header.last == 3);
    }
    SUBCASE("appending the same row again gives the same commit and no second segment") {
        const auto row = row_of(writer_a, 1, 1, 2, {});
        const auto lines = some_lines(2);
        const auto commit = value(log->append(row, lines));
        CHECK(value(log->append(row, lines)) == commit);
        CHECK(value(log->chain(one, {})).size() == 1);
    }
    SUBCASE("a volume's range, chain and size grow with its segments") {
        const auto commits = write_volume(*log, writer_a, 1, 1, 3, 4);
        const auto volumes = value(log->volumes());
        REQUIRE(volumes.size() == 1);
        CHECK(volumes[0].name == one);
        CHECK(volumes[0].tip == commits.back());
        CHECK(volumes[0].first == 1);
        CHECK(volumes[0].last == 12);
        CHECK(volumes[0].bytes > 100);
        CHECK(volumes[0].previous.empty());
        CHECK(value(log->chain(one, {})) == commits);
        CHECK(value(log->chain(one, commits[0])) ==
              std::vector<store::CommitId>{commits[1], commits[2]});
        CHECK(value(log->chain(one, commits[2])).empty());
    }
    SUBCASE("a receipt holds no operation and does not move the range") {
        const auto commits = write_volume(*log, writer_a, 1, 1, 1, 4);
        const auto receipt = value(log->append(row_of(writer_a, 1, 5, 0, commits[0]), {}));
        CHECK(value(log->volumes())[0].last == 4);
        CHECK(value(log->volumes())[0].tip == receipt);
        CHECK(log->append(row_of(writer_a, 1, 5, 1, receipt), some_lines(1)).has_value());
    }
    SUBCASE("a second volume begins anew and names the tip of the first") {
        const auto first = write_volume(*log, writer_a, 1, 1, 2, 2);
        const auto second = write_volume(*log, writer_a, 2, 5, 2, 2, first.back());
        const auto volumes = value(log->volumes());
        REQUIRE(volumes.size() == 2);
        CHECK(volumes[1].name == two);
        CHECK(volumes[1].previous == first.back());
        CHECK(volumes[1].first == 5);
        CHECK(value(log->chain(two, {})) == second);
        CHECK(value(log->refs()).at(two.ref()) == second.back());
    }
    SUBCASE("what does not follow is refused and changes nothing") {
        const auto commits = write_volume(*log, writer_a, 1, 1, 2, 2);
        const auto gap = log->append(row_of(writer_a, 1, 7, 1, commits[1]), some_lines(1));
        CHECK(gap.error().code == Code::Conflict);
        const auto twin = log->append(row_of(writer_a, 1, 3, 1, commits[0]), some_lines(1, "y"));
        CHECK(twin.error().code == Code::Conflict);
        CHECK(value(log->volumes())[0].tip == commits[1]);
    }
    SUBCASE("a segment of another space is refused") {
        auto row = row_of(writer_a, 1, 1, 1, {});
        row.header.space = "another";
        CHECK_FALSE(log->append(row, some_lines(1)));
        CHECK(value(log->volumes()).empty());
    }
    SUBCASE("ancestry is told by the chain") {
        const auto commits = write_volume(*log, writer_a, 1, 1, 3, 1);
        CHECK(log->compare(one, commits[2]) == Ancestry::Same);
        CHECK(log->compare(one, commits[0]) == Ancestry::Behind);
        CHECK(log->compare(one, std::string(40, 'd')) == Ancestry::Unknown);
        CHECK(log->compare(two, commits[0]) == Ancestry::Unknown);
    }
    SUBCASE("the readme is the same at every site") {
        const Folder elsewhere;
        auto other = make(elsewhere.path());
        CHECK(value(log->readme_commit()) == value(other->readme_commit()));
        CHECK(value(log->readme_commit()) == value(log->refs()).at("refs/heads/dutybook"));
    }
    SUBCASE("the same rows make the same commits at another site") {
        const Folder elsewhere;
        auto other = make(elsewhere.path());
        CHECK(write_volume(*log, writer_a, 1, 1, 3, 5) ==
              write_volume(*other, writer_a, 1, 1, 3, 5));
    }
    SUBCASE("a sound log verifies clean, and maintenance changes nothing that is held") {
        const auto commits = write_volume(*log, writer_a, 1, 1, 5, 3);
        ok(log->maintain());
        CHECK(value(log->verify(true, {})).empty());
        CHECK(value(log->chain(one, {})) == commits);
    }
}

}  // namespace dutybook::test
