#pragma once
// What people are shown was written by other people, sites, plugins and remotes: on a terminal its
// control characters are shown as '?', so that no record moves the cursor or renames the window.
// Files and pipes get every byte as it is.

#include <memory>
#include <ostream>
#include <string>

namespace dutybook::cli {

// Guards a stream for as long as it lives, if `descriptor` is a terminal. `kept`: control
// characters that stay what they are.
class TerminalGuard {
public:
    TerminalGuard(std::ostream& stream, int descriptor, std::string kept = "\n\t");
    TerminalGuard(const TerminalGuard&) = delete;
    TerminalGuard& operator=(const TerminalGuard&) = delete;
    ~TerminalGuard();

private:
    class Plain;
    std::ostream& stream_;
    std::unique_ptr<Plain> plain_;
    std::streambuf* bare_ = nullptr;
};

// `text` in the place of what the line showed before; for a stream that keeps "\r".
std::string over_line(std::string text);

}  // namespace dutybook::cli
