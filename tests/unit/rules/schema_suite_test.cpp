// The official JSON Schema test suite (Debian: json-schema-test-suite), draft 7: every required
// test, and the optional formats that are supported. A schema that the compiler refuses by name is
// skipped, with the reason, and only for the reasons listed here.

#include "base/json.h"
#include "rules/schema_validator.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <vector>

using namespace dutybook;
namespace fs = std::filesystem;

namespace {

const fs::path suite = "/usr/share/json-schema-test-suite/tests/draft7";

constexpr std::array<std::string_view, 5> optional_files{
    "optional/format/date.json", "optional/format/date-time.json", "optional/format/time.json",
    "optional/format/uri.json", "optional/zeroTerminatedFloats.json"};

// Why a schema may be refused.
constexpr std::array<std::string_view, 3> accepted_refusals{
    "$ref may only name a place in the same schema",
    "the keyword \"$id\" is supported at the root of a schema only",
    "the keyword \"percent%field\" is not supported"};

struct Tally {
    std::size_t passed = 0, failed = 0;
    std::map<std::string, std::size_t> skipped;
};

// Single tests that differ on purpose.
std::string deliberate_difference(const std::string& file, const std::string& description) {
    if (file.ends_with("date-time.json") && description.find("leap second") != std::string::npos) {
        return "leap seconds are refused: no stored instant can hold one";
    }
    return {};
}

std::string accepted_refusal(const Error& error) {
    for (const std::string_view reason : accepted_refusals) {
        if (error.what.find(reason) != std::string::npos) return std::string(reason);
    }
    return {};
}

void run_group(const Json& group, const std::string& file, Tally& tally) {
    const auto title = file + ": " + group.at("description").get<std::string>();
    const Json& tests = group.at("tests");
    const auto schema = rules::Schema::compile(group.at("schema"));
    if (!schema) {
        const std::string reason = accepted_refusal(schema.error());
        CHECK_MESSAGE(!reason.empty(), title, ": ", schema.error().text());
        (reason.empty() ? tally.failed : tally.skipped[reason]) += tests.size();
        return;
    }
    for (const Json& test : tests) {
        const auto description = test.at("description").get<std::string>();
        if (const std::string why = deliberate_difference(file, description); !why.empty()) {
            ++tally.skipped[why];
            continue;
        }
        const bool valid = schema->validate(test.at("data")).empty();
        const bool right = valid == test.at("valid").get<bool>();
        CHECK_MESSAGE(right, title, ": ", description);
        ++(right ? tally.passed : tally.failed);
    }
}

std::vector<std::string> files() {
    std::vector<std::string> names(optional_files.begin(), optional_files.end());
    for (const auto& entry : fs::directory_iterator(suite)) {
        if (entry.is_regular_file()) names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

TEST_CASE("official JSON Schema test suite, draft 7") {
    if (!fs::exists(suite)) {
        std::cout << "SKIPPED: the Debian package json-schema-test-suite is not installed\n";
        return;
    }
    Tally tally;
    for (const std::string& file : files()) {
        std::ifstream stream(suite / file);
        REQUIRE_MESSAGE(stream.good(), file);
        for (const Json& group : Json::parse(stream)) run_group(group, file, tally);
    }
    std::size_t skipped = 0;
    for (const auto& [reason, count] : tally.skipped) {
        skipped += count;
        std::cout << "JSON Schema suite: skipped " << count << ": " << reason << "\n";
    }
    std::cout << "JSON Schema suite (draft 7): " << tally.passed << " passed, " << skipped
              << " skipped, " << tally.failed << " failed\n";
    CHECK(tally.failed == 0);
    CHECK(tally.passed > 400);
    CHECK(skipped * 10 < tally.passed);
}
