#pragma once
// A segment's lines, turned so that like stands beside like before they are compressed: what the
// lines have in common (their shape) once, then all values of its first place, of its second, and
// so on, each without what it shares with the beginning of the one above it. Segments get a quarter
// (of a night) to a third (of a thousand operations) smaller.
//
//   0x01                      lines never begin so: they are JSON
//   a shape a line            the line with 0x02 for each string's content, number and word
//   an empty line
//   "<shape> <count>" a line  which shape the next lines have, from 0
//   an empty line
//   for each shape, for each of its places, a value a line: a byte that says how many bytes are
//   those of the value above (0x20 = none, up to 90), then the rest
//
// Rejected: a dictionary for the compressor (gains less, and has to know the kinds); JSON parsed
// and written again (what is relayed must stay byte for byte, malformed lines too).

#include "base/result.h"

#include <string>

namespace dutybook::store {

// `lines` end with a newline each. Gives them back as they are where columns would not be shorter.
std::string to_columns(std::string lines);
// Gives back anything but columns as it is. Makes hardly more than `limit` bytes.
Result<std::string> from_columns(std::string text, std::size_t limit);

}  // namespace dutybook::store
