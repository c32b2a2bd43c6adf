#pragma once
// Whose logs a repository holds, from the commits themselves; no key and no running daemon is
// needed for it.

#include "store/ssh_signature.h"

#include <filesystem>
#include <map>
#include <set>

namespace dutybook::store {

struct LogOwner {
    SigningPublicKey key{};
    std::set<domain::Writer> writers;  // incarnations of the site
    Millis last_heard = 0;             // time of its newest segment, by its own clock
};
// By site. Every key that signed a commit of any log, those kept as evidence included: all commits
// of one log bear one key. A log whose tip cannot be read is left out (verify names it).
Result<std::map<std::string, LogOwner>> owners_of_logs(const std::filesystem::path& log_git);

}  // namespace dutybook::store
