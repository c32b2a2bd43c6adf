#include "formats/chart.h"

#include "base/process.h"

#include <atomic>

namespace dutybook::formats {

namespace {

constexpr std::size_t label_limit = 120;

// For a single-quoted gnuplot string, where only the quote itself is special.
std::string gnuplot_text(std::string_view text) {
    std::string out = "'";
    for (const char c : text.substr(0, label_limit)) {
        if (c == '\'') {
            out += "''";
        } else if (static_cast<unsigned char>(c) >= 0x20 && c != '`' && c != 0x7f) {
            out += c;
        }
    }
    return out + "'";
}

std::string text_of(const Json& block, const char* name, const char* member) {
    const auto found = block.find(name);
    if (found == block.end() || !found->is_object()) return {};
    return cell_text(found->value(member, Json()));
}

// Dates and numbers only: anything else in a data block would be a command to gnuplot.
std::string datum(const Json& value) {
    std::string text = cell_text(value);
    for (const char c : text) {
        const bool plain = (c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':' || c == 'T' ||
                           c == 'e' || c == '+';
        if (!plain) return {};
    }
    return text;
}

void append_series(std::string& script, const Json& series, std::size_t number) {
    script += "$s" + std::to_string(number) + " << END_OF_POINTS\n";
    for (const Json& point : series["points"]) {
        const std::string x = datum(point[0]);
        const std::string y = point.size() > 1 ? datum(point[1]) : std::string();
        // An empty line breaks the curve: a day without observation is a gap, not a zero.
        script += x.empty() || y.empty() ? "\n" : x + " " + y + "\n";
    }
    script += "END_OF_POINTS\n";
}

}  // namespace

std::string chart_script(const Json& block, const std::string& language) {
    const bool dates = text_of(block, "x", "kind") == "date";
    std::string script =
        "set terminal svg size 760,340 dynamic noenhanced font 'sans,11' background 'white'\n"
        "set key outside bottom center horizontal\nset grid ytics\nset yrange [0:*]\n"
        "set offsets graph 0.02, graph 0.02, graph 0.08, 0\nset rmargin 8\n";  // no point on the
                                                                               // frame
    if (dates) {
        script +=
            "set xdata time\nset timefmt '%Y-%m-%d'\nset format x '%Y-%m-%d'\n"
            "set xtics rotate by -35\n";
    }
    if (block.contains("title"))
        script += "set title " + gnuplot_text(cell_text(block["title"])) + " offset 0,0.5\n";
    script += "set xlabel " + gnuplot_text(text_of(block, "x", "label")) + "\n";
    script += "set ylabel " + gnuplot_text(text_of(block, "y", "label")) + "\n";
    for (const Json& phase : block.value("phases", Json::array())) {
        const std::string at = phase.is_object() ? datum(phase.value("x", Json())) : std::string();
        if (at.empty()) continue;
        const std::string x = dates ? gnuplot_text(at) : at;
        script += "set arrow from " + x + ", graph 0 to " + x + ", graph 1 nohead dashtype 2\n";
        script += "set label " + gnuplot_text(cell_text(phase.value("label", Json()))) + " at " +
                  x + ", graph 1.03 left\n";
    }
    std::string plots;
    std::size_t number = 0;
    for (const Json& series : block["series"]) {
        append_series(script, series, number);
        if (!plots.empty()) plots += ", ";
        plots += "$s" + std::to_string(number) +
                 " using 1:2 with linespoints pointtype 7 "
                 "pointsize 0.6 title " +
                 gnuplot_text(cell_text(series.value("label", Json())));
        ++number;
    }
    const std::string goal = datum(block.value("goal", Json()));
    if (!goal.empty()) {
        if (!plots.empty()) plots += ", ";
        plots += goal + " with lines dashtype 3 linewidth 2 title " +
                 gnuplot_text(language.starts_with("es") ? "meta" : "goal");
    }
    // Without a single point gnuplot has no range and fails.
    bool any = false;
    for (const Json& series : block["series"]) {
        for (const Json& point : series["points"]) {
            any = any || (point.size() > 1 && !datum(point[1]).empty() && !datum(point[0]).empty());
        }
    }
    if (!any) {
        script += "unset xdata\nset xrange [0:1]\nset yrange [0:1]\nunset xtics\nunset ytics\n";
        plots = "-1 notitle";
    }
    return script + "plot " + plots + "\n";
}

Result<std::string> ChartMaker::svg(const Json& block, const std::string& language) const {
    ProcessRequest request;
    request.arguments = {"gnuplot"};
    request.environment = {
        {"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}, {"HOME", "/nonexistent"}};
    request.input = chart_script(block, language);
    request.limits.stall = 10'000;
    request.limits.total = 20'000;
    const std::atomic<bool> never{false};
    TRY_ASSIGN(const ProcessResult drawn, run_process(request, supervise_, never));
    const auto start = drawn.out.find("<svg");
    if (drawn.status != 0 || start == std::string::npos) {
        return failure(Code::Unavailable, "the chart could not be drawn",
                       drawn.status == 127 ? "gnuplot is not installed" : drawn.err.substr(0, 300),
                       "apt-get install gnuplot-nox");
    }
    return drawn.out.substr(start);
}

}  // namespace dutybook::formats
