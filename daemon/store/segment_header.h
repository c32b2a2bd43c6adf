#pragma once
#include "store/segment.h"

namespace dutybook::store {

// The header as its blob begins with it, without the line's end: what a codec authenticates.
std::string header_line(const SegmentHeader& header);

}  // namespace dutybook::store
