#pragma once
// Structured log lines on stderr, through spdlog: lines of several threads never mix.
// JSON Lines when stderr is a file or the system's journal; `word area: what key=value` when it is
// a terminal. No files, no rotation: that is the service manager's job.

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

namespace dutybook {

enum class LogLevel : unsigned char { Debug, Info, Warning, Error };

struct LogField {
    LogField(std::string_view key_, std::string_view text) : key(key_), value(text), quoted(true) {}
    LogField(std::string_view key_, const char* text) : LogField(key_, std::string_view(text)) {}
    LogField(std::string_view key_, bool yes) : key(key_), value(yes ? "true" : "false") {}
    template <class Number>
    requires(std::integral<Number> || std::floating_point<Number>)
        LogField(std::string_view key_, Number number)
        : key(key_), value(std::to_string(number)) {}

    std::string_view key;
    std::string value;
    bool quoted = false;
};
using LogFields = std::initializer_list<LogField>;

// Lines below this are dropped. Set once at start; Info unless set.
void set_log_level(LogLevel level);

// `area` names the folder ("sync"); `what` is one plain sentence. Never secrets, never records.
// Safe from any thread.
void log_line(LogLevel level, std::string_view area, std::string_view what, LogFields fields);

inline void log_debug(std::string_view area, std::string_view what, LogFields fields = {}) {
    log_line(LogLevel::Debug, area, what, fields);
}
inline void log_info(std::string_view area, std::string_view what, LogFields fields = {}) {
    log_line(LogLevel::Info, area, what, fields);
}
inline void log_warning(std::string_view area, std::string_view what, LogFields fields = {}) {
    log_line(LogLevel::Warning, area, what, fields);
}
inline void log_error(std::string_view area, std::string_view what, LogFields fields = {}) {
    log_line(LogLevel::Error, area, what, fields);
}

}  // namespace dutybook
