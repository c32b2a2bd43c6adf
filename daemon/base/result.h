#pragma once
// Errors as values. A function that can fail returns Result<T>; exceptions of libraries are caught
// where the library is called and never cross a folder.

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <source_location>
#include <string>

namespace dutybook {

// What went wrong, in the terms of whoever has to react. The api maps each code to one HTTP status
// and the client to one exit code.
enum class Code : std::uint8_t {
    Malformed,    // the input itself is wrong: 400, exit 3
    Rejected,     // a rule that may reject did: 422, exit 3
    Denied,       // a check said no: 403, exit 3
    Forbidden,    // this caller may not: 403, exit 1
    NotFound,     // 404, exit 1
    Ambiguous,    // a reference matches several records: 409, exit 2
    Exists,       // the id is taken: 409, exit 1
    Conflict,     // the state does not allow it (deleted, not a member, ...): 409, exit 1
    Stale,        // the record changed since the named version: 412, exit 4
    TooLarge,     // over a limit of format 1: 413, exit 3
    Unavailable,  // not now: starting, stopping, locked, no daemon: 503, exit 1
    Timeout,      // a deadline passed: 504, exit 1
    Full,         // the disk is full: 507, exit 1
    Io,           // the system refused: 500, exit 1
    Corrupt,      // stored bytes are not what was written: 500, exit 1
    NewerFormat,  // written by a newer Dutybook; kept, waits for an update: 501, exit 1
    Internal,     // a bug: 500, exit 1
};

struct Error {
    Code code = Code::Internal;
    std::string what;                   // one line for people: what failed
    std::string why;                    // the cause, may be empty
    std::string fix;                    // what to do about it, may be empty
    std::string pointer;                // JSON Pointer into the input, empty if not about one place
    std::optional<std::uint64_t> line;  // 1-based line of a batch or file
    std::string detail;  // JSON object merged into the problem ("candidates", "changes"); or empty

    // "what: why; fix", with the place in front if there is one.
    std::string text() const;
};

std::ostream& operator<<(std::ostream& out, const Error& error);  // its text, for tests

[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& where);

template <class T>
class [[nodiscard]] Result : public boost::system::result<T, Error> {
public:
    using boost::system::result<T, Error>::result;
};

// For test output: "ok", or the error's text, whatever T is.
std::ostream& print_result(std::ostream& out, const Error* error);
template <class T>
std::ostream& operator<<(std::ostream& out, const Result<T>& result) {
    const Error error = result ? Error{} : result.error();
    return print_result(out, result ? nullptr : &error);
}

// Short makers for the two most frequent shapes.
inline Error malformed(std::string what, std::string pointer = {}) {
    return Error{Code::Malformed, std::move(what), {}, {}, std::move(pointer), {}, {}};
}
inline Error failure(Code code, std::string what, std::string why = {}, std::string fix = {}) {
    return Error{code, std::move(what), std::move(why), std::move(fix), {}, {}, {}};
}

// Return the error of an expression to the caller, or go on.
#define DUTYBOOK_JOIN_(a, b) a##b
#define DUTYBOOK_JOIN(a, b) DUTYBOOK_JOIN_(a, b)
#define TRY(expression)                                          \
    do {                                                         \
        auto try_result_ = (expression);                         \
        if (!try_result_) return std::move(try_result_).error(); \
    } while (false)
#define TRY_ASSIGN(declaration, expression) \
    TRY_ASSIGN_(declaration, expression, DUTYBOOK_JOIN(try_result_, __COUNTER__))
#define TRY_ASSIGN_(declaration, expression, name) \
    auto name = (expression);                      \
    if (!name) return std::move(name).error();     \
    declaration = std::move(*name)

}  // namespace dutybook
