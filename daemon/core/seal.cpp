// Sealing: the journal's tail becomes segments in the log.
//
// plan (durable row) -> log.append (reads back) -> finish. A crash in between leaves a planned row;
// the same row and lines give the same commit, so it is done again, never anew.

#include "core/circle.h"
#include "core/engine_state.h"
#include "core/space_engine.h"

#include "base/log.h"

namespace dutybook::core {

namespace {

// The payload's first line and newlines come on top of the lines.
constexpr std::size_t plain_room = 64 * 1024;

// Bytes that a segment never exceeds, by what it holds in plain text.
std::size_t most_packed(const domain::Frontier& frontier, std::span<const std::string> lines) {
    constexpr std::size_t names_and_marks = 4 * 1024;
    std::size_t plain = names_and_marks + frontier.text().size();
    for (const auto& line : lines) plain += line.size() + 1;
    return plain + plain / 16;
}

Result<std::size_t> bytes_of(store::Log& log, const store::VolumeName& name) {
    TRY_ASSIGN(const auto volumes, log.volumes());
    for (const auto& volume : volumes) {
        if (volume.name == name) return volume.bytes;
    }
    return std::size_t{0};
}

store::CommitId given_up() {
    return store::CommitId(40, '0');
}

}  // namespace

bool SpaceEngine::seal_due() const {
    const auto waiting = unsealed();
    if (waiting == 0 || (parts_.circle != nullptr && parts_.circle->waits())) return false;
    return waiting >= policy_.operations ||
           (state_->oldest_unsealed &&
            parts_.clock->now() - *state_->oldest_unsealed >= policy_.age);
}

Result<std::size_t> SpaceEngine::seal(const Seal& how) {
    if (const auto why = parts_.circle ? parts_.circle->waits() : std::nullopt) return *why;
    TRY(finish_unfinished_seal());
    std::size_t sealed = 0;
    while (sealed < how.most && unsealed() > 0 && (how.force || seal_due())) {
        TRY_ASSIGN(Tail tail, next_tail());
        TRY(seal_tail(std::move(tail), how.next_heard));
        ++sealed;
    }
    if (unsealed() == 0) state_->oldest_unsealed.reset();
    if (how.receipt && sealed == 0 && unsealed() == 0 &&
        (received_since_last_seal() || promise_ends(how.next_heard))) {
        TRY(seal_tail({{}, state_->frontier}, how.next_heard));
        ++sealed;
    }
    TRY_ASSIGN(const auto last, parts_.journal->last_seal(writer()));
    if ((how.introduce && !last && sealed == 0) || how.last_word) {
        TRY(seal_tail({{}, state_->frontier},
                      how.last_word ? std::optional<Millis>(never_again) : how.next_heard));
        state_->retired = state_->retired || how.last_word;
        ++sealed;
    }
    state_->alarms.close(alarm_id("seal-failed", facts_.name));
    return sealed;
}

// What the next segment holds: operations under one frontier, within the limits in plain text.
Result<SpaceEngine::Tail> SpaceEngine::next_tail() {
    const auto own = writer();
    Tail tail;
    std::size_t bytes = plain_room;
    TRY(parts_.journal->visit(
        own, parts_.journal->sealed_upto(own) + 1, [&](const auto& line, const auto& frontier) {
            if (tail.lines.empty()) tail.frontier = frontier;
            bytes += line.line.size() + 1;
            if (tail.lines.size() == policy_.operations || bytes > domain::Limits::segment_plain ||
                !(frontier == tail.frontier)) {
                return false;
            }
            tail.lines.push_back(line.line);
            return true;
        }));
    if (tail.lines.empty()) {
        return failure(Code::Corrupt, "the journal lacks operations that are not sealed", own,
                       "run verify");
    }
    return tail;
}

Result<void> SpaceEngine::seal_tail(Tail tail, std::optional<Millis> next_heard) {
    const auto own = writer();
    store::SealRow row;
    row.frontier = tail.frontier;
    row.next_heard = next_heard;
    auto& header = row.header;
    header.codec = parts_.codec->name();
    header.epoch = parts_.codec->current_epoch();
    header.space = facts_.id;
    header.writer = own;
    header.time = parts_.clock->now() / 1000 * 1000;
    header.first = parts_.journal->sealed_upto(own) + 1;
    TRY_ASSIGN(const auto last, parts_.journal->last_seal(own));
    if (last) {
        header.volume = last->header.volume;
        header.previous = last->commit;
    }
    header.last = header.first + tail.lines.size() - 1;
    TRY_ASSIGN(const std::size_t held, bytes_of(*parts_.log, {own, header.volume}));
    std::size_t packed = most_packed(row.frontier, tail.lines);
    // Packing it only to know its size costs as much as sealing it.
    const bool fits =
        packed <= domain::Limits::segment_packed && held + packed <= policy_.volume_bytes;
    while (!fits) {
        header.last = header.first + tail.lines.size() - 1;
        const auto blob =
            store::encode_segment({header, row.frontier, next_heard, tail.lines}, *parts_.codec);
        const bool last_try = tail.lines.size() < 2;
        if (!blob && (last_try || blob.error().code != Code::TooLarge)) return blob.error();
        packed = blob ? blob->size() : 0;
        if (blob && (last_try || packed <= domain::Limits::segment_packed)) break;
        // Of text that hardly compresses fewer operations fit.
        tail.lines.resize(tail.lines.size() / 2);
    }
    if (held > 0 && held + packed > policy_.volume_bytes) ++header.volume;
    TRY_ASSIGN(const auto planned, parts_.journal->plan_seal(std::move(row)));
    return seal_planned(planned, tail.lines);
}

Result<void> SpaceEngine::seal_planned(const store::SealRow& row,
                                       std::span<const std::string> lines) {
    const store::VolumeName volume{row.header.writer, row.header.volume};
    const auto before = bytes_of(*parts_.log, volume);
    const auto commit = parts_.log->append(row, lines);
    if (!commit) {
        raise({"", "seal-failed", facts_.name,
               "operations could not be sealed and stay in the journal: " + commit.error().text() +
                   "; run verify, then repair",
               0});
        return commit.error();
    }
    const auto after = bytes_of(*parts_.log, volume);
    if (before && after && *after > *before)
        return parts_.journal->finish_seal(row.id, *commit, *after - *before);
    // The log had it already.
    TRY_ASSIGN(const auto blob,
               store::encode_segment(
                   {row.header, row.frontier, row.next_heard, {lines.begin(), lines.end()}},
                   *parts_.codec));
    return parts_.journal->finish_seal(row.id, *commit, blob.size());
}

Result<void> SpaceEngine::finish_unfinished_seal() {
    TRY_ASSIGN(const auto row, parts_.journal->unfinished_seal());
    if (!row) return {};
    std::vector<std::string> lines;
    const auto& header = row->header;
    TRY(parts_.journal->visit(header.writer, header.first, [&](const auto& line, const auto&) {
        if (line.id.seq > header.last) return false;
        lines.push_back(line.line);
        return true;
    }));
    auto done = seal_planned(*row, lines);
    if (done || header.writer == writer()) return done;
    // Of an earlier writer: its tail was issued again, so nothing is lost if this segment never
    // comes to be, and the plan must not hold up the current writer.
    log_warning("core", "a planned segment of an earlier writer is given up",
                {{"writer", header.writer}, {"error", done.error().text()}});
    return parts_.journal->finish_seal(row->id, given_up(), 0);
}

// Whoever read our last segment expects to hear of us before the next contact can be: the others
// take silence after a promise for a lost machine or a remote that withholds.
bool SpaceEngine::promise_ends(std::optional<Millis> next_heard) {
    const auto last = parts_.journal->last_seal(writer());
    return last && *last && next_heard && (*last)->next_heard.value_or(0) < *next_heard;
}

// Operations, not segments: an answer to a mere receipt would be answered in turn.
bool SpaceEngine::received_since_last_seal() {
    const auto last = parts_.journal->last_seal(writer());
    if (!last) return false;
    for (const auto& [other, entry] : state_->frontier.entries()) {
        if (!*last || (*last)->frontier.seq_of(other) < entry.seq) return true;
    }
    return false;
}

}  // namespace dutybook::core
