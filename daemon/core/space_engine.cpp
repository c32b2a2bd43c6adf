#include "core/space_engine.h"
#include "core/circle.h"

#include "base/log.h"
#include "core/engine_state.h"
#include "core/record_source.h"
#include "core/write_group.h"

#include <algorithm>
#include <charconv>

namespace dutybook::core {

namespace {

constexpr Millis kept_in_journal = 30LL * 24 * 3600 * 1000;
constexpr std::size_t trimmed_at_once = 20'000;

std::string shared_key(const domain::Writer& writer) {
    return "shared:" + writer;
}

Result<std::uint64_t> shared_of(store::Journal& journal, const domain::Writer& writer) {
    TRY_ASSIGN(const std::string text, journal.meta(shared_key(writer)));
    std::uint64_t upto = 0;
    std::from_chars(text.data(), text.data() + text.size(), upto);
    return upto;
}

}  // namespace

SpaceEngine::SpaceEngine(SpaceFacts facts, SpaceParts parts, SealPolicy policy)
    : facts_(std::move(facts)),
      parts_(std::move(parts)),
      policy_(policy),
      state_(std::make_unique<EngineState>(facts_, parts_)) {}

SpaceEngine::~SpaceEngine() = default;

std::vector<Result<Written>> SpaceEngine::write(std::span<const WriteRequest> requests) {
    auto current = state_->receiver.leave_bulk();
    if (current) current = catch_up_index();
    if (!current) {
        const bool full = current.error().code == Code::Full;
        Error why = failure(full ? Code::Full : Code::Unavailable, "the space takes no writes now",
                            current.error().text(),
                            full ? "make room on the disk; writing goes on by itself then. What "
                                   "was acknowledged is safe"
                                 : "restart the daemon: it rebuilds the index");
        return std::vector<Result<Written>>(requests.size(), why);
    }
    if (parts_.circle != nullptr) {
        const auto allowed = parts_.circle->may_write(state_->retired);
        if (!allowed) return std::vector<Result<Written>>(requests.size(), allowed.error());
    }
    WriteGroup group(facts_, parts_, *state_);
    return group.run(requests);
}

Result<void> SpaceEngine::catch_up_index() {
    const auto followed = parts_.index->followed();
    if (!followed) state_->fall_behind(facts_, followed.error(), parts_.clock->now());
    if (!state_->index_behind) return {};
    TRY(apply_journal_tail(parts_, nullptr));
    state_->index_behind = false;
    state_->alarms.close(alarm_id("index-behind", facts_.name));
    return state_->rechecks.look_back();
}

Result<SpaceEngine::Folded> SpaceEngine::fold_received(std::size_t limit) {
    TRY(catch_up_index());
    TRY_ASSIGN(Folded folded, state_->receiver.fold(limit, state_->hlc, false));
    // Only now, with the transaction behind us, may an operation claim to know these.
    if (folded.operations > 0 || !folded.more) refresh_frontier();
    if (!folded.records.empty()) state_->note_changed(folded.records);
    // Until the end of a bulk load the index shows nothing of it.
    auto& folded_in = state_->folded_in;
    folded_in.insert(folded_in.end(), folded.records.begin(), folded.records.end());
    if (!state_->receiver.in_bulk()) state_->rechecks.note(std::exchange(folded_in, {}));
    if (!folded.more) state_->arrived = false;
    if (!folded.more && !state_->receiver.in_bulk()) {
        state_->peers.refresh();
        for (const auto& own : parts_.journal->writers()) {
            note_shared(own, state_->peers.held_of(own));
        }
    }
    return folded;
}

void SpaceEngine::arrived(bool more) {
    state_->receiver.expect_more(more);
    state_->arrived = more;
}

bool SpaceEngine::may_fold_arrived() const {
    return state_->arrived;
}

Result<bool> SpaceEngine::catch_up_search(std::size_t records) {
    if (state_->receiver.in_bulk()) return false;  // its end comes first
    return parts_.index->catch_up_search(records);
}

Result<bool> SpaceEngine::recheck(std::size_t subjects) {
    if (state_->receiver.in_bulk()) return false;  // its end comes first
    TRY_ASSIGN(const bool completed, complete_later());
    TRY_ASSIGN(const bool more, state_->rechecks.run(subjects));
    return completed || more;
}

// True = more to do now.
Result<bool> SpaceEngine::complete_later() {
    constexpr std::size_t at_once = 16;
    // At a start the plugins come after the space.
    const bool rules_on =
        parts_.evaluator != nullptr && !parts_.evaluator->plugins(facts_.name).empty();
    if (!rules_on) return false;
    const auto taken = state_->incomplete.take(at_once);
    if (taken.empty()) return false;
    std::vector<WriteRequest> requests;
    for (const std::string& id : taken) {
        TRY_ASSIGN(const auto stored, parts_.index->reader().get(id));
        if (!stored) continue;
        WriteRequest request;
        request.action = Action::Complete;
        request.id = id;
        request.caller.by = stored->state.created.by;
        request.reason = "a plugin that was down filled in what it completes";
        requests.push_back(std::move(request));
    }
    std::vector<std::string> changed;
    const auto results = write(requests);
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (results[i]) {
            if (results[i]->wrote) changed.push_back(results[i]->id);
            continue;
        }
        const Error& error = results[i].error();
        log_warning("core", "a record is not completed", {{"error", error.text()}});
        const bool later = error.code == Code::Unavailable || error.code == Code::Io;
        if (later) state_->incomplete.add({requests[i].id});
    }
    state_->note_changed(changed);
    state_->incomplete.tried();
    return !changed.empty();
}

std::size_t SpaceEngine::doubtful() const {
    return state_->rechecks.doubtful();
}

Result<void> SpaceEngine::recheck_missing() {
    return state_->rechecks.note_missing();
}

void SpaceEngine::recheck_for_parent(const std::vector<std::string>& records,
                                     const store::IndexPoint& point) {
    state_->rechecks.note_parent(records, point);
}

void SpaceEngine::refresh_frontier() {
    state_->frontier = frontier_of_others(facts_, parts_);
}

void SpaceEngine::note_shared(const domain::Writer& own, std::uint64_t upto) {
    if (!is_own(own)) return;
    upto = std::min(upto, parts_.journal->last_seq(own));
    const auto known = shared_of(*parts_.journal, own);
    if (known && upto > *known) {
        // Lost again by a failure here, it is learnt again at the next contact.
        (void)parts_.journal->set_meta(shared_key(own), std::to_string(upto));
        settle_restored_alarm(own, upto);
    }
}

Result<void> SpaceEngine::trim_journal() {
    const Millis before = parts_.clock->now() - kept_in_journal;
    for (const auto& own : parts_.journal->writers()) {
        TRY_ASSIGN(const std::uint64_t shared, shared_of(*parts_.journal, own));
        const auto limit = std::min(shared, parts_.journal->sealed_upto(own));
        std::uint64_t upto = 0;
        std::size_t seen = 0;
        TRY(parts_.journal->visit(own, 0, [&](const auto& line, const auto&) {
            if (line.id.seq > limit || ++seen > trimmed_at_once) return false;
            const auto read = domain::read_operation(line.line, line.id);
            if (read.operation.at >= before) return false;
            upto = line.id.seq;
            return true;
        }));
        if (upto > 0) TRY(parts_.journal->forget(own, upto));
    }
    return {};
}

domain::Writer SpaceEngine::writer() const {
    return parts_.journal->current_writer();
}

bool SpaceEngine::is_own(std::string_view writer) const {
    return domain::site_of(writer) == facts_.site;
}

std::uint64_t SpaceEngine::unsealed() const {
    const auto current = writer();
    return parts_.journal->last_seq(current) - parts_.journal->sealed_upto(current);
}

domain::Frontier SpaceEngine::frontier() const {
    auto all = state_->frontier;
    const auto current = writer();
    if (const auto last = parts_.journal->last_seq(current); last > 0) {
        all.advance(current, last, "");
    }
    return all;
}

std::vector<Alarm> SpaceEngine::alarms() const {
    auto out = state_->alarms.list();
    for (const auto& id : parts_.index->waiting()) {
        const auto alarm = alarm_id("update-needed", id.writer);
        if (state_->alarms.stands(alarm)) continue;
        out.push_back({alarm, "update-needed", id.writer,
                       "operation " + id.text() +
                           " was written by a newer Dutybook; it is kept, and that log waits there "
                           "until this site is updated",
                       0});
    }
    return out;
}

void SpaceEngine::raise(Alarm alarm) {
    if (alarm.since == 0) alarm.since = parts_.clock->now();
    state_->alarms.raise(std::move(alarm));
}

void SpaceEngine::close_alarm(const std::string& id) {
    state_->alarms.close(id);
}

std::vector<SpaceEngine::Peer> SpaceEngine::peers() const {
    state_->peers.refresh();
    return state_->peers.list();
}

// A site that cannot reach this site's remotes is heard one night later, through another one.
void SpaceEngine::look_for_silence() {
    state_->receiver.claims().judge();
    close_alarm(alarm_id("log-lost", facts_.name));  // the remote has shown all that it has
    constexpr Millis grace = 6 * 3'600'000;
    const Millis now = parts_.clock->now();
    for (const Peer& peer : peers()) {
        const bool gone = (peer.next_heard && *peer.next_heard == never_again) ||
                          (parts_.circle != nullptr && parts_.circle->removed(peer.site));
        if (gone || !peer.next_heard || now <= *peer.next_heard + grace) {
            close_alarm(alarm_id("silent", peer.site));
            continue;
        }
        raise({"", "silent", peer.site,
               "site " + peer.site + " was last heard at " + format_utc(peer.last_heard) +
                   " and said that it would be heard again by " + format_utc(*peer.next_heard) +
                   ", and its logs show nothing since. Ask there whether the machine runs and "
                   "syncs (dutybook status); if it does, a remote withholds its log: let both "
                   "sites sync with another remote, or carry a stick",
               0});
    }
}

SpaceEngine::Changed SpaceEngine::take_changed() {
    return std::exchange(state_->changed, {});
}

std::uint64_t SpaceEngine::alarms_version() const {
    return state_->alarms.version();
}

void EngineState::fall_behind(const SpaceFacts& facts, const Error& why, Millis now) {
    index_behind = true;
    alarms.raise({"", "index-behind", facts.name,
                  "what was written is safe but not shown yet: " + why.text(), now});
    log_error("core", "the index refused acknowledged operations",
              {{"space", facts.name}, {"error", why.text()}});
}

void EngineState::note_changed(const std::vector<std::string>& records) {
    if (changed.many || changed.records.size() + records.size() > changed_at_most) {
        changed = {{}, true};
        return;
    }
    changed.records.insert(changed.records.end(), records.begin(), records.end());
}

domain::Frontier frontier_of_others(const SpaceFacts& facts, const SpaceParts& parts) {
    const auto current = parts.journal->current_writer();
    const auto shown = parts.index->frontier();
    domain::Frontier out;
    for (const auto& [writer, entry] : shown.entries()) {
        if (writer == current) continue;
        auto segment = entry.segment;
        if (segment.empty() && domain::site_of(writer) == facts.site) {
            const auto seal = parts.journal->last_seal(writer);
            if (seal && *seal && (*seal)->header.last == entry.seq) segment = (*seal)->commit;
        }
        out.advance(writer, entry.seq, std::move(segment));
    }
    return out;
}

}  // namespace dutybook::core
