#pragma once
// `plugin bench`: how fast a plugin judges, over the records of its own test cases.

#include "author/bench_space.h"

#include <iosfwd>

namespace dutybook::author {

// 0: measured; 3: the plugin has mistakes, or its cases give no record that its rules judge.
int run_bench(const std::filesystem::path& folder, const Surroundings& surroundings, bool json,
              std::ostream& out);

}  // namespace dutybook::author
