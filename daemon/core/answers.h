#pragma once
// What an idempotency key was answered, as the journal keeps it: enough to give the same answer
// again, not the record itself, which is folded again from its operations.

#include "core/write.h"

#include <string>
#include <string_view>

namespace dutybook::core {

// {"checked","findings","id","request","same_as","version","wrote"}; `request` is a hash, so that
// a key that is used for another request is found out.
struct KeptAnswer {
    std::string request, version;
    Written written;  // without the record's state
};

std::string fingerprint(const WriteRequest& request);
std::string write_answer(const WriteRequest& request, const Written& written);
Result<KeptAnswer> read_answer(std::string_view text);

}  // namespace dutybook::core
