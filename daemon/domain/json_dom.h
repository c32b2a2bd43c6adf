#pragma once
// Inside domain only: JSON in bulk through simdjson's DOM. Nothing that includes it may be a
// public header.

#include <simdjson.h>

#include <string>
#include <string_view>

namespace dutybook::domain {

// A whole text, strictly: what parse_json refuses is refused here too, but for the number of a
// number's digits. The DOM lives in a parser of the calling thread until its next call.
class JsonDocument {
public:
    // `why` tells what is wrong; nothing else may be used then.
    static bool parse(std::string_view text, std::size_t depth, simdjson::dom::element& root,
                      std::string& why);
};

// RFC 8785 text of a value that JsonDocument accepted.
void append_canonical(std::string& out, simdjson::dom::element value);
std::string canonical_text(simdjson::dom::element value);

}  // namespace dutybook::domain
