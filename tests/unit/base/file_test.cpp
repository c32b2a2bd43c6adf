#include "base/file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

using namespace dutybook;

namespace {

// A folder of its own, gone at the end.
class Folder {
public:
    Folder() {
        std::string pattern = (fs::temp_directory_path() / "dutybook-file-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    ~Folder() { fs::remove_all(path_); }
    fs::path operator/(const char* name) const { return path_ / name; }
    const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

}  // namespace

TEST_CASE("AFileIsReplacedWhole") {
    const Folder folder;
    const fs::path file = folder / "a";
    REQUIRE(write_file_atomically(file, "one"));
    REQUIRE(write_file_atomically(file, "two", 0640));
    CHECK(*read_file(file) == "two");
    struct stat info {};
    REQUIRE(::stat(file.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0640);
    CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
}

TEST_CASE("AFailedReplaceLeavesNothingBehind") {
    const Folder folder;
    REQUIRE(make_directories(folder / "taken"));
    REQUIRE(make_directories(folder / "taken" / "inner"));
    CHECK(!write_file_atomically(folder / "taken", "x"));
    CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
    CHECK(write_file_atomically(folder / "no" / "such", "x").error().code == Code::NotFound);
}

TEST_CASE("ReadingHasALimit") {
    const Folder folder;
    REQUIRE(write_file_atomically(folder / "a", std::string(100, 'x')));
    CHECK(read_file(folder / "a", 100)->size() == 100);
    CHECK(read_file(folder / "a", 99).error().code == Code::TooLarge);
    CHECK(read_file(folder / "b").error().code == Code::NotFound);
}

TEST_CASE("DirectoriesAreMadeWithTheirParents") {
    const Folder folder;
    REQUIRE(make_directories(folder / "a" / "b" / "c"));
    CHECK(fs::is_directory(folder / "a" / "b" / "c"));
    CHECK(make_directories(folder / "a" / "b"));
    REQUIRE(write_file_atomically(folder / "f", ""));
    CHECK(!make_directories(folder / "f"));
}

TEST_CASE("ALockHasOneHolder") {
    const Folder folder;
    {
        auto held = FileLock::take(folder / "lock");
        REQUIRE(held);
        FileLock moved = std::move(*held);
        const auto second = FileLock::take(folder / "lock");
        REQUIRE(!second);
        CHECK(second.error().code == Code::Unavailable);
    }
    CHECK(FileLock::take(folder / "lock"));
}
