#pragma once
// The author's tools as the command line calls them: text in, lines out, an exit code.

#include "author/bench_space.h"
#include "author/cases.h"

#include <iosfwd>

namespace dutybook::author {

struct TestOptions {
    bool permute = false, coverage = false, bless = false, json = false;
    std::string only;  // part of a case's name or file
};

// A line each, as a problem with `json`.
void print_errors(const std::vector<Error>& errors, bool json, std::ostream& out);
// 0: all is well; 3: mistakes were found; each on a line, or as a problem with `json`.
int run_lint(const std::filesystem::path& folder, const Surroundings& surroundings, bool json,
             std::ostream& out);
// 0: all cases pass (and with `coverage` every code fired); 3 otherwise.
int run_tests(const std::filesystem::path& folder, const Surroundings& surroundings,
              const TestOptions& options, const Render& render, std::ostream& out);

}  // namespace dutybook::author
