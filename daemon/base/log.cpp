#include "base/log.h"

#include "base/json.h"
#include "base/printable.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace dutybook {

namespace {

spdlog::level::level_enum level_of(LogLevel level) {
    switch (level) {
        case LogLevel::Debug:
            return spdlog::level::debug;
        case LogLevel::Info:
            return spdlog::level::info;
        case LogLevel::Warning:
            return spdlog::level::warn;
        case LogLevel::Error:
            return spdlog::level::err;
    }
    return spdlog::level::err;
}

// The pattern holds what spdlog knows (time, level); the message holds the rest, ready made.
struct Output {
    bool terminal = ::isatty(STDERR_FILENO) == 1;
    spdlog::logger logger{"dutybook", std::make_shared<spdlog::sinks::stderr_sink_mt>()};

    Output() {
        const std::string json = R"({"at":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";
        auto pattern = std::make_unique<spdlog::pattern_formatter>(
            terminal ? "%l %v" : json, spdlog::pattern_time_type::utc, "\n");
        logger.set_formatter(std::move(pattern));
        // Nobody can be told that the log cannot be written.
        logger.set_error_handler([](const std::string&) {});
    }
};

// Made at the first line, and never taken down: lines may still come while the process ends.
Output& output() {
    static Output& only = *new Output;
    return only;
}

// Much of what is logged was said by a remote, a plugin or another site.
std::string shown(std::string_view text) {
    return printable(text, std::string::npos, "\n\t");
}

void append_member(std::string& line, std::string_view key, std::string_view value, bool quoted) {
    if (!line.empty()) line += ',';
    append_canonical_string(line, key);
    line += ':';
    if (quoted) {
        append_canonical_string(line, shown(value));
    } else {
        line += value;
    }
}

std::string members(std::string_view area, std::string_view what, LogFields fields) {
    std::string line;
    append_member(line, "area", area, true);
    append_member(line, "what", what, true);
    for (const LogField& field : fields) append_member(line, field.key, field.value, field.quoted);
    return line;
}

std::string plain(std::string_view area, std::string_view what, LogFields fields) {
    std::string line(area);
    line.append(": ").append(shown(what));
    for (const LogField& field : fields) {
        line.append(" ").append(field.key).append("=");
        if (field.quoted) {
            append_canonical_string(line, shown(field.value));
        } else {
            line += field.value;
        }
    }
    return line;
}

}  // namespace

void set_log_level(LogLevel level) {
    output().logger.set_level(level_of(level));
}

void log_line(LogLevel level, std::string_view area, std::string_view what, LogFields fields) {
    auto& [terminal, logger] = output();
    if (!logger.should_log(level_of(level))) return;
    logger.log(level_of(level), spdlog::string_view_t(terminal ? plain(area, what, fields)
                                                               : members(area, what, fields)));
}

}  // namespace dutybook
