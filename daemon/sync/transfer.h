#pragma once
// Moving objects between a log and one remote. Two implementations: GitTransfer runs stock git as
// a supervised child; the simulation's moves them in memory and drops the link where it likes.
// Called on a sync thread; blocks; ends within 100 ms of `cancel`.

#include "base/result.h"
#include "store/log.h"

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace dutybook::sync {

struct RemoteConfig {
    std::string name;
    std::string url;                     // https, ssh, scp-like, file or an absolute path
    std::string window_from, window_to;  // "22:00", "05:00"; empty = no schedule
    std::string window_zone;
    Millis timeout = 60'000;  // without a byte moving; the total is bounded too
    bool create = false;      // make a bare repository at a directory that has none
};

struct Wanted {  // one volume to fetch
    std::string ref;
    store::CommitId tip;   // as listed
    store::CommitId have;  // ours, empty = none: the only thing negotiated
};
struct Offered {  // one ref to push
    std::string ref;
    store::CommitId tip;
    store::CommitId expected;  // what the list showed, empty = absent
    bool replace = false;      // even if it is no ancestor, as long as it is still there
};
enum class Pushed : std::uint8_t { Done, UpToDate, Refused };
struct PushOutcome {
    std::map<std::string, Pushed> refs;
    std::map<std::string, std::string> reasons;
};

struct Moved {
    std::uint64_t bytes_in = 0, bytes_out = 0, objects_in = 0;
};

class Transfer {
public:
    virtual ~Transfer() = default;
    using Refs = std::map<std::string, store::CommitId>;  // refs/heads/... of the remote
    // Errors name the remote and the cause, sorted out for people: unreachable, host key unknown,
    // key refused, no repository, no write right, timed out, disk full there.
    virtual Result<Refs> list(const RemoteConfig& remote, const std::atomic<bool>& cancel) = 0;
    virtual Result<void> fetch(const RemoteConfig& remote, const std::vector<Wanted>& wanted,
                               store::Quarantine& quarantine, const std::atomic<bool>& cancel) = 0;
    virtual Result<PushOutcome> push(const RemoteConfig& remote,
                                     const std::vector<Offered>& offered,
                                     const std::atomic<bool>& cancel) = 0;
    // Called before the push. A remote that this side can and must make anew (a damaged repository
    // in a directory) is moved aside and made anew; what was done is said in a sentence for
    // people, empty = nothing had to be done.
    virtual Result<std::string> mend(const RemoteConfig& remote, const std::atomic<bool>& cancel) {
        static_cast<void>(remote);
        static_cast<void>(cancel);
        return std::string{};
    }
    virtual Moved moved() const = 0;  // since construction
};

}  // namespace dutybook::sync
