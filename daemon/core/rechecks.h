#pragma once
// Verdicts that a change made doubtful, made again in slices between writes.
//
// Reach of a change, here or in the parent space: forward and backward through the declared needs
// of the record as it is, and the subjects whose last verdict looked at it (that covers the record
// as it was). A record of the parent goes by "parent/id" here, as in the needs.
//
// What is due is remembered in memory alone. After a crash it is found again: a record that lacks a
// verdict lacks a row (note_missing), and the index knows up to which point of its own changes and
// of the parent's the verdicts were all right (look_back).

#include "core/space_engine.h"

#include <deque>
#include <map>
#include <set>
#include <unordered_map>

namespace dutybook::core {

class Rechecks {
public:
    Rechecks(const SpaceFacts& facts, const SpaceParts& parts) : facts_(facts), parts_(parts) {}

    void note(const std::vector<std::string>& records);
    // Records that were written here. `judged`: its verdict is stored, and was made with all that
    // has a lower or the same order, so that these changes do not make it doubtful.
    struct Written {
        std::string record;
        std::uint64_t order = 0;  // within the group
        bool judged = false;
        std::optional<Millis> again_at;
    };
    void note_written(std::vector<Written> group);
    // Every record that a plugin should have judged and has not, by the digests of now; and what a
    // rule with a clock looks at.
    Result<void> note_missing();
    // Records of the parent space changed, and its index came to `point` by it.
    void note_parent(const std::vector<std::string>& records, const store::IndexPoint& point);
    // What changed since the verdicts were last all right is looked for in the indexes themselves.
    Result<void> look_back();
    Result<bool> run(std::size_t subjects);  // true = more to do now
    // Changes whose reach is not known yet, and verdicts that are doubtful by one.
    std::size_t doubtful() const { return changed_.size() + subjects_.size(); }

private:
    static constexpr Millis first_wait = 1000, longest_wait = 60'000;  // for a plugin that is down

    bool any_rules() const;
    void wake();
    Result<void> search();
    Result<void> look_back_in(store::IndexReader& reader, const std::string& space);
    Result<void> settle();
    Result<std::optional<rules::RuleRecord>> changed_record(const std::string& id) const;
    Result<void> spread(std::size_t changes);
    void doubt(const std::string& subject, std::uint64_t changed);
    Result<void> judge(const std::vector<rules::RuleRecord>& records);

    const SpaceFacts& facts_;
    const SpaceParts& parts_;
    using Orders = std::unordered_map<std::string, std::uint64_t>;
    std::map<std::string, std::uint64_t> changed_;  // whose reach is not known yet; when
    Orders judged_;                                 // by its write; kept while changed_ holds any
    std::uint64_t order_ = 0;                       // above all that were given
    bool looked_back_ = false;
    store::IndexPoint parent_seen_;                         // its changes up to here are noted
    std::map<std::string, store::IndexPoint> judged_upto_;  // by space; as the index remembers it
    // Through one kind, for records that lack a verdict, or for all of it (rules with a clock).
    struct Search {
        std::string kind, after;
        std::vector<std::string> digests;
        bool all = false;
    };
    std::deque<Search> searches_;
    std::set<std::string> subjects_;  // to be judged
    std::set<std::string> later_;     // their plugin was down
    Millis wake_at_ = 0;              // monotonic
    Millis wait_ = first_wait;
    std::multimap<Millis, std::string> again_;  // rules with a clock, by wall clock
};

}  // namespace dutybook::core
