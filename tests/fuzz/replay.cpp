// Gives every input of the corpora to its target. A finding of the fuzzer is put into the corpus
// together with its repair, and is looked at by every test run from then on.

#include "base/file.h"
#include "fuzz/target.h"
#include "support/source_dir.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <iostream>
#include <set>

using namespace dutybook;

TEST_CASE("every input of the corpora is read without harm") {
    const std::filesystem::path corpus = dutybook::tests::source_dir() / "tests/fuzz/corpus";
    std::set<std::string> folders;
    for (const auto& entry : std::filesystem::directory_iterator(corpus))
        folders.insert(entry.path().filename());
    for (const auto& target : fuzz::targets()) {
        CAPTURE(target.name);
        CHECK(folders.erase(target.name) == 1);
        std::size_t inputs = 0;
        for (const auto& entry : std::filesystem::directory_iterator(corpus / target.name)) {
            CAPTURE(entry.path());
            const auto bytes = read_file(entry.path(), 16u << 20);
            REQUIRE(bytes);
            target.run(*bytes);
            ++inputs;
        }
        CHECK(inputs >= 5);
        std::cout << "corpus " << target.name << ": " << inputs << " inputs\n";
    }
    CHECK_MESSAGE(folders.empty(), "a corpus without a target");
}
