#pragma once
// Records added within the last minute, to warn of one that was sent twice. In memory only and
// bounded: a hint for people, not a promise (idempotency keys are that).

#include "base/clock.h"
#include "base/crypto.h"
#include "domain/operation.h"

#include <deque>
#include <map>
#include <string>

namespace dutybook::core {

class RecentAdds {
public:
    // The id of an equal record (kind, fields, person) added within a minute before `now`, or
    // empty; then remembers this one.
    std::string note(const domain::Operation& create, Millis now);

private:
    static constexpr Millis window = 60'000;
    static constexpr std::size_t most = 10'000;

    struct Add {
        Hash what;
        std::string id;
        Millis at = 0;
    };
    std::deque<Add> adds_;              // by time
    std::map<Hash, const Add*> found_;  // the latest of each
};

}  // namespace dutybook::core
