#pragma once
// The sites whose logs a space's repository holds. Reads log.git alone: it works whether or not a
// daemon runs, and needs no key of the space.

#include "core/book.h"
#include "store/ssh_signature.h"

namespace dutybook::core {

struct SeenSite {
    std::string site;  // id
    std::string name;  // empty = not known here
    bool own = false;
    store::SigningPublicKey key{};
    std::size_t logs = 0;   // incarnations of its writer
    Millis last_heard = 0;  // time of its newest segment; 0 = none yet
};
// Sorted by id; the own site is always among them.
Result<std::vector<SeenSite>> sites_seen(const std::filesystem::path& space_folder,
                                         const Site& own);
// {"site","name","own","key","logs","last_heard"}
Json sites_seen_json(const std::vector<SeenSite>& sites);

}  // namespace dutybook::core
