#pragma once
// A folded record as bytes, for the `state` column. Private to the index, which is rebuilt when
// its format changes: lengths as LEB128, then the bytes, members in the order of the struct.

#include "domain/fold.h"

#include <string>
#include <string_view>

namespace dutybook::store {

std::string encode_state(const domain::RecordState& state);
Result<domain::RecordState> decode_state(std::string_view bytes);  // Code::Corrupt

}  // namespace dutybook::store
