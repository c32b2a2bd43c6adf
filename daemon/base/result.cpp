#include "base/result.h"

#include <ostream>
#include <stdexcept>

namespace dutybook {

std::string Error::text() const {
    std::string out;
    if (line) out += "line " + std::to_string(*line) + ": ";
    if (!pointer.empty()) out += "at " + pointer + ": ";
    out += what;
    if (!why.empty()) out += ": " + why;
    if (!fix.empty()) out += "; " + fix;
    return out;
}

std::ostream& operator<<(std::ostream& out, const Error& error) {
    return out << error.text();
}

std::ostream& print_result(std::ostream& out, const Error* error) {
    return error == nullptr ? out << "ok" : out << error->text();
}

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
    throw std::logic_error("unchecked error at " + where.to_string() + ": " + error.text());
}

}  // namespace dutybook
