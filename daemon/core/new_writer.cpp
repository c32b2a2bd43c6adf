// The change of writer after the store was restored or cloned, so that a log never forks.
//
// What no other store holds is issued again under the new writer: each operation names its first
// identity and keeps its own stamp, time and frontier, extended by what the old writer shared, so
// that it supersedes what it superseded. Should the same operation come in under its old identity
// after all, the fold counts the two as one; should the other store have written something else
// in that place, the contents differ and both count (domain/fold_entry.h).
//
// Journal meta "cap:<old writer>" is written first. A crash before the new writer is open leaves a
// cap on the current writer, which means nothing; a crash after it is settled at the next start.

#include "core/engine_state.h"
#include "core/space_engine.h"

#include "base/log.h"

#include <algorithm>
#include <charconv>

namespace dutybook::core {

namespace {

std::string reissued_key(const domain::Writer& writer) {
    return "reissued:" + writer;
}

}  // namespace

Result<void> SpaceEngine::open_new_writer(std::uint64_t shared, const std::string& why) {
    TRY_ASSIGN(const std::uint64_t from, first_not_elsewhere(writer(), shared + 1));
    return reissue(from, why);
}

// The log may have taken over what another store wrote under our old name; line by line it shows
// what is common. `from` is what the caller knows.
Result<std::uint64_t> SpaceEngine::first_not_elsewhere(const domain::Writer& old,
                                                       std::uint64_t from) {
    const auto volumes = parts_.log->volumes();
    if (!volumes) return from;  // a damaged log: issue again what is not known to be elsewhere
    std::uint64_t common = 0;
    for (const auto& volume : *volumes) {
        if (volume.name.writer != old) continue;
        TRY_ASSIGN(const auto commits, parts_.log->chain(volume.name, ""));
        for (const auto& commit : commits) {
            TRY_ASSIGN(const auto own, parts_.journal->find_seal(commit));
            if (own) continue;
            const auto segment = parts_.log->read(commit);
            if (!segment) return from;
            std::uint64_t differs = 0;
            TRY(parts_.journal->visit(old, segment->header.first,
                                      [&](const auto& line, const auto&) {
                                          if (line.id.seq > segment->header.last) return false;
                                          const auto at = line.id.seq - segment->header.first;
                                          if (segment->lines[at] == line.line) {
                                              common = line.id.seq;
                                              return true;
                                          }
                                          differs = line.id.seq;
                                          return false;
                                      }));
            if (differs > 0) return std::min(from, differs);
        }
    }
    return std::max(from, common + 1);
}

Result<void> SpaceEngine::reissue(std::uint64_t from, const std::string& why) {
    TRY(state_->receiver.leave_bulk());
    const auto old = writer();
    const domain::Writer fresh = facts_.site + "-" + parts_.incarnation();
    const auto unfinished = finish_unfinished_seal();
    if (!unfinished) {
        log_warning("core", "an unfinished segment stays so",
                    {{"error", unfinished.error().text()}});
    }
    TRY_ASSIGN(const auto last_segment, own_segment_of(*parts_.journal, {old, from - 1}));
    std::vector<store::Journal::Reissue> again;
    std::optional<Error> failed;
    TRY(parts_.journal->visit(old, from, [&](const auto& line, const auto& frontier) {
        auto read = domain::read_operation(line.line, line.id);
        auto& operation = read.operation;
        operation.first = operation.identity();
        operation.id = {fresh, again.size() + 1};
        auto written = domain::write_operation(operation);
        if (read.reading != domain::Reading::Good || !written) {
            failed =
                failure(Code::Corrupt, "operation " + line.id.text() + " cannot be issued again",
                        written ? read.why : written.error().text());
            return false;
        }
        auto knows = frontier;
        if (from > 1) knows.advance(old, from - 1, last_segment);
        again.push_back({std::move(*written), std::move(knows)});
        return true;
    }));
    if (failed) return *failed;
    TRY(parts_.journal->set_meta(cap_key(old), std::to_string(from - 1)));
    return open_writer(fresh, again, why);
}

Result<void> SpaceEngine::open_writer(const domain::Writer& fresh,
                                      std::span<const store::Journal::Reissue> reissued,
                                      const std::string& why) {
    if (!reissued.empty()) {
        TRY(parts_.journal->set_meta(reissued_key(fresh), std::to_string(reissued.size())));
    }
    TRY(parts_.journal->open_writer(fresh, reissued, parts_.clock->now()));
    log_info(
        "core", "a new writer is open",
        {{"space", facts_.name}, {"writer", fresh}, {"reissued", reissued.size()}, {"why", why}});
    if (!reissued.empty()) {
        raise({"", "restored", fresh,
               why + "; " + std::to_string(reissued.size()) +
                   " operations that no other store is known to hold were issued again and wait "
                   "for the next sync",
               0});
        state_->oldest_unsealed = parts_.clock->now();
    }
    TRY(drop_what_was_reissued());
    state_->index_behind = true;
    TRY(catch_up_index());
    refresh_frontier();
    return {};
}

// Takes out of the index what the journal brought there of an own earlier writer beyond its cap:
// it was issued again. What its log holds in those places, from whichever store, comes back with
// the next fold.
Result<void> SpaceEngine::drop_what_was_reissued() {
    for (const auto& own : parts_.journal->writers()) {
        if (own == writer()) continue;
        TRY_ASSIGN(const auto cap, cap_of(*parts_.journal, own));
        const auto frontier = parts_.index->frontier();
        const auto shown = frontier.entries().find(own);
        if (!cap || shown == frontier.entries().end() || shown->second.seq <= *cap) continue;
        if (shown->second.segment.empty()) TRY(parts_.index->retract_from(own, *cap + 1));
    }
    return {};
}

Result<void> SpaceEngine::give_way(const domain::Writer& own, std::uint64_t upto) {
    if (own == writer()) return {};  // its change of writer says so itself
    TRY_ASSIGN(const auto cap, cap_of(*parts_.journal, own));
    if (cap && *cap <= upto) return {};
    TRY(parts_.journal->set_meta(cap_key(own), std::to_string(upto)));
    // At once, while what the journal brought can be told by having no segment: after the next fold
    // the other branch would merely go on behind it.
    TRY(state_->receiver.leave_bulk());
    return drop_what_was_reissued();
}

void SpaceEngine::settle_restored_alarm(const domain::Writer& own, std::uint64_t shared) {
    const auto alarm = alarm_id("restored", own);
    if (!state_->alarms.stands(alarm)) return;
    const auto text = parts_.journal->meta(reissued_key(own));
    std::uint64_t reissued = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), reissued);
    if (text && shared >= reissued) state_->alarms.close(alarm);
}

}  // namespace dutybook::core
