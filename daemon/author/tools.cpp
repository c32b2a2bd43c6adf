#include "author/tools.h"

#include "author/lint.h"
#include "base/file.h"

#include <ostream>

namespace dutybook::author {

namespace {

constexpr int exit_done = 0;
constexpr int exit_malformed = 3;

bool any_error(const std::vector<Error>& errors) {
    return std::any_of(errors.begin(), errors.end(),
                       [](const Error& error) { return !is_warning(error); });
}

void print_case(const TestCase& test, const CaseResult& result, bool json, std::ostream& out) {
    if (json) {
        out << canonical({{"file", test.file},
                          {"line", test.line},
                          {"name", test.name},
                          {"passed", result.passed},
                          {"orders", result.orders},
                          {"differences", result.differences}})
            << '\n';
        return;
    }
    if (result.passed) return;
    out << "FAILED  " << test.file << ':' << test.line << ": " << test.name << '\n';
    for (const std::string& difference : result.differences)
        out << "        " << difference << '\n';
}

// Writes what came out where a case said what it wanted; members that it did not name stay out.
Json blessed(const Json& expect, const Json& actual) {
    Json next = expect;
    for (const char* name : {"verdict", "earliest_next", "errors"}) {
        if (expect.contains(name) && actual.contains(name)) next[name] = actual[name];
    }
    if (expect.contains("findings")) {
        next["findings"] = Json::array();
        for (const Json& finding : actual.value("findings", Json::array())) {
            Json kept = {{"rule", finding["rule"]},
                         {"code", finding["code"]},
                         {"severity", finding["severity"]}};
            if (auto path = finding.value("path", ""); !path.empty()) {
                kept["path"] = std::move(path);
            }
            next["findings"].push_back(std::move(kept));
        }
    }
    const Json wanted = expect.value("fields", Json::object());
    const Json got = actual.value("fields", Json::object());
    for (const auto& [field, value] : wanted.items()) {
        next["fields"][field] = got.value(field, Json());
    }
    return next;
}

Result<void> bless(const std::filesystem::path& folder, const TestCase& test, const Json& actual) {
    const auto slash = test.file.find('/');
    const auto path = folder / test.file.substr(slash + 1);
    TRY_ASSIGN(const std::string text, read_file(path));
    auto all = nlohmann::ordered_json::parse(text, nullptr, false);
    auto& one = test.list ? all[test.index] : all;
    one["expect"] = nlohmann::ordered_json::parse(blessed(test.text["expect"], actual).dump());
    return write_file_atomically(path, all.dump(2) + "\n", 0644);
}

}  // namespace

void print_errors(const std::vector<Error>& errors, bool json, std::ostream& out) {
    for (const Error& error : errors) {
        if (json) {
            Json line = {{"level", is_warning(error) ? "warning" : "error"},
                         {"what", error.what},
                         {"why", error.why},
                         {"fix", error.fix},
                         {"pointer", error.pointer}};
            if (error.line) line["line"] = *error.line;
            out << canonical(line) << '\n';
        } else {
            out << (is_warning(error) ? "warning: " : "error: ") << error.text() << '\n';
        }
    }
}

int run_lint(const std::filesystem::path& folder, const Surroundings& surroundings, bool json,
             std::ostream& out) {
    const auto errors = lint(folder, surroundings);
    print_errors(errors, json, out);
    if (!json && errors.empty()) out << folder.filename().string() << ": no mistakes found\n";
    return any_error(errors) ? exit_malformed : exit_done;
}

int run_tests(const std::filesystem::path& folder, const Surroundings& surroundings,
              const TestOptions& options, const Render& render, std::ostream& out) {
    const LoadedPlugins loaded = load_with_required(folder, surroundings);
    if (!loaded.errors.empty()) {
        print_errors(loaded.errors, options.json, out);
        return exit_malformed;
    }
    const rules::PluginPackage& package = loaded.packages.front();
    const ReadCases read = read_cases(package.files, package.manifest.id, surroundings.schemas);
    print_errors(read.errors, options.json, out);
    BenchSpace space(loaded, surroundings);
    CaseRunner runner(space, render);
    std::size_t passed = 0;
    std::size_t failed = read.errors.size();
    for (const TestCase& test : read.cases) {
        const bool wanted = options.only.empty() ||
                            test.name.find(options.only) != std::string::npos ||
                            test.file.find(options.only) != std::string::npos;
        if (!wanted) continue;
        CaseResult result = runner.run(test, {options.permute});
        if (!result.passed && options.bless) {
            const auto written = bless(folder, test, result.actual);
            if (!written) result.differences.push_back(written.error().text());
            result.passed = written.has_value();
        }
        print_case(test, result, options.json, out);
        ++(result.passed ? passed : failed);
    }
    std::vector<std::string> never;
    if (options.coverage) {
        never = never_exercised(package.manifest, space.fired());
        for (const std::string& code : never) {
            if (options.json) {
                out << canonical({{"never_exercised", code}}) << '\n';
            } else {
                out << "never exercised: " << code << '\n';
            }
        }
    }
    if (!options.json) {
        out << package.manifest.id << ": " << passed << " passed, " << failed << " failed\n";
    }
    return failed == 0 && never.empty() ? exit_done : exit_malformed;
}

}  // namespace dutybook::author
