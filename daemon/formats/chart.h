#pragma once
// Charts as SVG, drawn by gnuplot as a supervised child: it is given numbers and labels on its
// standard input and may write nothing but its output.

#include "formats/blocks.h"

#include <string>

namespace dutybook::formats {

class ChartMaker {
public:
    // `supervise` is the path of dutybook-supervise.
    explicit ChartMaker(std::string supervise) : supervise_(std::move(supervise)) {}
    // One chart block as an <svg> element. Code::Unavailable says that gnuplot is missing.
    Result<std::string> svg(const Json& block, const std::string& language) const;

private:
    std::string supervise_;
};

// What gnuplot is told; pure, for tests. Labels come from people: everything that gnuplot could
// take for a command, a format or a string's end is taken out of them.
std::string chart_script(const Json& block, const std::string& language);

}  // namespace dutybook::formats
