#include "sync/git_words.h"

#include <algorithm>
#include <charconv>

namespace dutybook::sync {

namespace {

constexpr std::string_view heads = "refs/heads/";
constexpr std::size_t id_size = 40;
// More than any transfer moves: a remote may print numbers that no integer holds.
constexpr double most_bytes = 1e15;

std::string_view take_line(std::string_view& rest) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return line;
}

}  // namespace

Transfer::Refs read_listing(std::string_view out) {
    Transfer::Refs refs;
    while (!out.empty()) {
        const auto line = take_line(out);
        if (line.size() <= id_size || line[id_size] != '\t') continue;
        const auto tip = line.substr(0, id_size), ref = line.substr(id_size + 1);
        if (ref.starts_with(heads) && store::is_commit_id(tip)) refs[std::string(ref)] = tip;
    }
    return refs;
}

// A line is: flag, tab, from:to, tab, summary and reason. Flags: ' ' fast-forward, '*' new, '=' up
// to date, '!' refused, '+' forced; '-' (deleted) cannot come, since we never ask for it.
PushOutcome read_porcelain(std::string_view out) {
    PushOutcome outcome;
    while (!out.empty()) {
        const auto line = take_line(out);
        if (line.size() < 3 || line[1] != '\t') continue;
        const auto tab = line.find('\t', 2);
        const auto colon = line.find(':', 2);
        if (tab == std::string_view::npos || colon == std::string_view::npos || colon > tab)
            continue;
        const std::string ref(line.substr(colon + 1, tab - colon - 1));
        if (outcome.reasons.contains(ref)) continue;  // refused once is refused
        if (line[0] == ' ' || line[0] == '*' || line[0] == '+') {
            outcome.refs[ref] = Pushed::Done;
        } else if (line[0] == '=') {
            outcome.refs[ref] = Pushed::UpToDate;
        } else {
            outcome.refs[ref] = Pushed::Refused;
            outcome.reasons[ref] = std::string(line.substr(tab + 1));
        }
    }
    return outcome;
}

std::uint64_t written_bytes(std::string_view progress) {
    const auto line = progress.rfind("Writing objects:");
    if (line == std::string_view::npos) return 0;
    std::string_view text = progress.substr(line, progress.find_first_of("\r\n", line) - line);
    const auto comma = text.find("), ");
    if (comma == std::string_view::npos) return 0;
    text.remove_prefix(comma + 3);
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return 0;
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    for (const auto& [name, factor] :
         {std::pair{" GiB", 1073741824.0}, {" MiB", 1048576.0}, {" KiB", 1024.0}})
        if (unit.starts_with(name)) number *= factor;
    return number > 0 && number < most_bytes ? static_cast<std::uint64_t>(number) : 0;
}

}  // namespace dutybook::sync
