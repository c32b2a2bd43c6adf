#pragma once
// What git prints of a contact, read. Most of it was said by the remote.

#include "sync/transfer.h"

#include <string_view>

namespace dutybook::sync {

// The lines of `git ls-remote --refs`: refs below refs/heads alone.
Transfer::Refs read_listing(std::string_view out);
// The lines of `git push --porcelain`.
PushOutcome read_porcelain(std::string_view out);
// Bytes of the last "Writing objects" line of git's progress; 0 if there is none.
std::uint64_t written_bytes(std::string_view progress);

}  // namespace dutybook::sync
