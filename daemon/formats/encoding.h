#pragma once
// Foreign text as UTF-8. Spreadsheets on Windows save UTF-16 ("Unicode text") and Windows-1252
// ("CSV"); student systems save UTF-8, with a byte-order mark or without.

#include "base/result.h"

#include <string>

namespace dutybook::formats {

struct Decoded {
    std::string text;      // UTF-8 without a byte-order mark
    std::string encoding;  // it was in, empty: UTF-8
};
// UTF-16 is known by its mark or by its zeros; what is neither that nor UTF-8 is Windows-1252.
Result<Decoded> decoded(std::string bytes);

}  // namespace dutybook::formats
