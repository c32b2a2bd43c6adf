#pragma once
// A report as plain text for a terminal or a mail.

#include "formats/blocks.h"

namespace dutybook::formats {

// No line is wider than `width` letters; charts are told by their titles alone.
std::string render_plain(const Report& report, std::size_t width);

}  // namespace dutybook::formats
