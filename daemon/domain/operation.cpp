#include "domain/operation.h"

#include <algorithm>

namespace dutybook::domain {

namespace {

bool lower_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

}  // namespace

std::string_view site_of(std::string_view writer) {
    return writer.substr(0, writer.find('-'));
}

std::string_view name_of(Verb verb) {
    switch (verb) {
        case Verb::Create:
            return "create";
        case Verb::Change:
            return "change";
        case Verb::Delete:
            return "delete";
        case Verb::Restore:
            return "restore";
        case Verb::Resolve:
            return "resolve";
        case Verb::Finalise:
            return "finalise";
        case Verb::Retract:
            return "retract";
    }
    return {};
}

bool valid_record_id(std::string_view id) {
    return !id.empty() && id.size() <= Limits::id_length &&
           std::all_of(id.begin(), id.end(), [](char c) {
               return lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
                      c == '-' || c == ':';
           });
}

bool valid_field_name(std::string_view name) {
    return !name.empty() && name.size() <= Limits::id_length && name.front() != '@' &&
           std::none_of(name.begin(), name.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool valid_kind(std::string_view kind) {
    if (kind.empty() || kind.size() > Limits::id_length) return false;
    bool in_word = false;
    for (const char c : kind) {
        if (c == '.') {
            if (!in_word) return false;
            in_word = false;
        } else if (lower_or_digit(c) || c == '_') {
            in_word = true;
        } else {
            return false;
        }
    }
    return in_word;
}

bool valid_writer(std::string_view writer) {
    const auto dash = writer.find('-');
    if (dash == 0 || dash == std::string_view::npos || dash + 1 == writer.size() ||
        writer.size() > Limits::id_length) {
        return false;
    }
    const auto incarnation = writer.substr(dash + 1);
    return std::all_of(writer.begin(), writer.begin() + static_cast<std::ptrdiff_t>(dash),
                       lower_or_digit) &&
           std::all_of(incarnation.begin(), incarnation.end(), lower_or_digit);
}

}  // namespace dutybook::domain
