// A nightly part of the log finds what is damaged in it, and all parts together find everything.

#include "log_fixture.h"

#include "store/log_slice.h"

using namespace dutybook;
using namespace dutybook::test;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> found(const fs::path& log, std::uint64_t parts) {
    std::vector<std::string> files;
    for (std::uint64_t part = 0; part < parts; ++part) {
        for (const auto& damage : value(store::verify_slice(log, part, parts))) {
            CHECK(!damage.how.empty());
            files.push_back(damage.file);
        }
    }
    return files;
}

}  // namespace

TEST_CASE("a nightly part of the log is read whole: each damaged file is found in one of them") {
    const Folder folder;
    const fs::path path = folder.path() / "log.git";
    write_volume(*open_log(folder.path()), writer_a, 1, 1, 12, 2);
    CHECK(found(path, 7).empty());
    std::vector<fs::path> objects;
    for (const auto& file : fs::recursive_directory_iterator(path / "objects")) {
        if (file.is_regular_file()) objects.push_back(file.path());
    }
    REQUIRE(objects.size() >= 24);
    overwrite(objects[3], "rubbish");
    overwrite(objects[11], "");
    CHECK(found(path, 7).size() == 2);
    CHECK(found(path, 1).size() == 2);
}
