#pragma once
// Test cases of a plugin: tests/*.json, as plugins/REFERENCE.md describes them.

#include "author/bench_space.h"

#include <functional>
#include <string>
#include <vector>

namespace dutybook::author {

struct TestCase {
    std::string file, name;  // "tests/intervals.json", "ibuprofen asked too early"
    Json text;               // the case itself
    std::size_t index = 0;   // in its file
    bool list = true;        // whether the file holds a list
    std::uint64_t line = 1;  // where it begins
};
// All cases of a package in order of file and place. Errors name file and pointer.
struct ReadCases {
    std::vector<TestCase> cases;
    std::vector<Error> errors;
};
// Whoever runs a case finds in it what plugin-tests.schema.json promises: `schemas` holds it.
ReadCases read_cases(const rules::PackageFiles& files, const std::string& plugin,
                     const std::filesystem::path& schemas);

struct CaseResult {
    bool passed = false;
    std::size_t orders = 1;                // of arrival that were tried
    std::vector<std::string> differences;  // sentences: wanted against got
    Json actual = Json::object();          // an "expect" that would pass (for --bless)
};

struct CaseOptions {
    bool permute = false;           // every order of arrival of the given records
    std::size_t most_orders = 720;  // beyond that, so many different ones
};

// Renders a report for expect.contains; the composition root hands in what can draw.
using Render = std::function<Result<std::string>(const Json& blocks, const std::string& language)>;

class CaseRunner {
public:
    CaseRunner(BenchSpace& space, Render render) : space_(space), render_(std::move(render)) {}
    CaseResult run(const TestCase& test, const CaseOptions& options);

private:
    // One order: what came of it, in the shape of an "expect".
    Result<Json> outcome(const Json& test, const std::vector<std::size_t>& order);
    Result<void> give(const Json& test, const std::vector<std::size_t>& order);
    Result<Json> act(const Json& test);
    Result<Json> asked(const Json& described, const char* word);  // check or write
    Result<Json> change(const Json& described);
    Result<Json> migrate(const Json& described);
    Result<Json> report(const Json& wanted);
    Result<rules::RuleRecord> record_of(const Json& described, const std::string& at) const;

    BenchSpace& space_;
    Render render_;
};

// What an expectation wants and an outcome lacks; empty = it holds.
std::vector<std::string> differences(const Json& expect, const Json& outcome);

// Rules and codes of the plugin that no case made fire, and "migrate KIND" that none changed.
std::vector<std::string> never_exercised(const rules::Manifest& manifest,
                                         const std::set<std::string>& fired);

}  // namespace dutybook::author
