#include "base/log.h"

#include "base/clock.h"
#include "base/json.h"

#include <unistd.h>

#include <atomic>

namespace dutybook {

namespace {

std::atomic<LogLevel> lowest{LogLevel::Info};

std::string_view word_of(LogLevel level) {
    switch (level) {
        case LogLevel::Debug:
            return "debug";
        case LogLevel::Info:
            return "info";
        case LogLevel::Warning:
            return "warning";
        case LogLevel::Error:
            return "error";
    }
    return "error";
}

void append_member(std::string& line, std::string_view key, std::string_view value, bool quoted) {
    if (line.back() != '{') line += ',';
    append_canonical_string(line, key);
    line += ':';
    if (quoted) {
        append_canonical_string(line, value);
    } else {
        line += value;
    }
}

std::string json_line(LogLevel level, std::string_view area, std::string_view what,
                      LogFields fields) {
    std::string line = "{";
    append_member(line, "at", format_utc(SystemClock().now()), true);
    append_member(line, "level", word_of(level), true);
    append_member(line, "area", area, true);
    append_member(line, "what", what, true);
    for (const LogField& field : fields) append_member(line, field.key, field.value, field.quoted);
    return line + "}\n";
}

std::string plain_line(LogLevel level, std::string_view area, std::string_view what,
                       LogFields fields) {
    std::string line(word_of(level));
    line.append(" ").append(area).append(": ").append(what);
    for (const LogField& field : fields) {
        line.append(" ").append(field.key).append("=");
        if (field.quoted) {
            append_canonical_string(line, field.value);  // escapes what could drive a terminal
        } else {
            line += field.value;
        }
    }
    return line + "\n";
}

}  // namespace

void set_log_level(LogLevel level) {
    lowest = level;
}

void log_line(LogLevel level, std::string_view area, std::string_view what, LogFields fields) {
    if (level < lowest) return;
    const std::string line = ::isatty(STDERR_FILENO) == 1 ? plain_line(level, area, what, fields)
                                                          : json_line(level, area, what, fields);
    // Nobody can be told that the log cannot be written.
    if (::write(STDERR_FILENO, line.data(), line.size()) < 0) return;
}

}  // namespace dutybook
