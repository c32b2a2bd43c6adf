#include "core/claims.h"

#include "core/circle.h"

#include <algorithm>

namespace dutybook::core {

Claims::Held Claims::held() const {
    Held last;
    for (const auto& own : parts_.journal->writers()) last[own] = parts_.journal->sealed_upto(own);
    const auto volumes = parts_.log->volumes();
    if (!volumes) return last;
    for (const auto& volume : *volumes) {
        auto& known = last[volume.name.writer];
        known = std::max(known, volume.last);
    }
    return last;
}

Claims::Verdict Claims::verdict(const Claim& claim, const Held& held) {
    if (claim.segment.empty()) return Verdict::Right;  // of the claimant's own journal
    // What a removed site wrote later was seen by some, and is set aside everywhere.
    if (parts_.circle != nullptr && parts_.circle->removed(domain::site_of(claim.of)))
        return Verdict::Right;
    const auto last = held.find(claim.of);
    if (last == held.end() || claim.seq > last->second) return Verdict::Unseen;
    const std::string name = claim.segment + " " + std::to_string(claim.seq);
    if (right_.contains(name)) return Verdict::Right;
    const auto segment = parts_.log->read(claim.segment);
    if (!segment) return segment.error().code == Code::NotFound ? Verdict::Wrong : Verdict::Right;
    const auto& header = segment->header;
    if (header.writer != claim.of || claim.seq < header.first || claim.seq > header.last)
        return Verdict::Wrong;
    if (right_.size() >= most) right_.clear();
    right_.insert(name);
    return Verdict::Right;
}

Result<void> Claims::note(const domain::Writer& by, const domain::Frontier& frontier) {
    if (domain::site_of(by) == facts_.site) return {};
    if (frontier.empty()) return {};
    const Held held = this->held();
    for (const auto& [of, entry] : frontier.entries()) {
        const Claim claim{by, of, entry.seq, entry.segment};
        if (open_.size() >= most) return {};
        if (!open_.contains(claim) && verdict(claim, held) != Verdict::Right) open_.insert(claim);
    }
    return {};
}

void Claims::judge() {
    if (open_.empty()) return;
    const Held held = this->held();
    std::set<domain::Writer> told;
    std::set<domain::Writer> settled;
    for (auto at = open_.begin(); at != open_.end();) {
        const Verdict found = verdict(*at, held);
        if (found == Verdict::Right) {
            settled.insert(at->by);
            at = open_.erase(at);
            continue;
        }
        const bool never = found == Verdict::Wrong || domain::site_of(at->of) == facts_.site;
        if (told.insert(at->by).second) {
            alarms_.raise(
                {"", "claim", at->by,
                 "site " + std::string(domain::site_of(at->by)) + " (log " + at->by +
                     ") claims to have seen operation " + std::to_string(at->seq) + " of log " +
                     at->of +
                     (never ? ", which that log does not hold: it may hide changes as if it had "
                              "known them. Every value stands in `history`; ask that site, and "
                              "take it out of the space if nobody can explain it"
                            : ", which no remote has shown here: a remote withholds it, or that "
                              "site made it up. Sync with another remote, and ask both sites"),
                 parts_.clock->now()});
        }
        ++at;
    }
    for (const auto& by : settled)
        if (!told.contains(by)) alarms_.close(alarm_id("claim", by));
}

}  // namespace dutybook::core
