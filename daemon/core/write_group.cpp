#include "core/write_group.h"

#include "core/answers.h"
#include "domain/operation_line.h"

namespace dutybook::core {

namespace {

// An operation may have to be issued again with its first identity in it (new_writer.cpp), and
// must fit then too.
constexpr std::size_t room_for_first = 256;

bool is_callers_fault(Code code) {
    return code == Code::Malformed || code == Code::Rejected || code == Code::TooLarge;
}

}  // namespace

WriteGroup::WriteGroup(const SpaceFacts& facts, const SpaceParts& parts, EngineState& state)
    : facts_(facts),
      parts_(parts),
      state_(state),
      now_(parts.clock->now()),
      writer_(parts.journal->current_writer()),
      next_seq_(parts.journal->last_seq(writer_) + 1),
      plugins_(parts.evaluator ? parts.evaluator->plugins(facts.name)
                               : std::vector<rules::PluginIdentity>{}),
      source_(facts, parts) {}

std::vector<Result<Written>> WriteGroup::run(std::span<const WriteRequest> requests) {
    std::vector<Result<Written>> results;
    results.reserve(requests.size());
    lines_.reserve(requests.size());
    touched_.reserve(requests.size());
    auto committed = look_up_ids(requests);
    if (committed) committed = handle_all(requests, results);
    if (committed) committed = commit(requests, results);
    if (!committed) {
        if (committed.error().code == Code::Io) {
            state_.alarms.raise({"", "disk-error", facts_.name, committed.error().text(), now_});
        }
        // Nothing of the group is kept, so an answer that rested on a part of it would be a lie.
        results.resize(requests.size(), committed.error());
        for (auto& result : results) {
            if (result || !is_callers_fault(result.error().code)) result = committed.error();
        }
        return results;
    }
    state_.alarms.close(alarm_id("disk-error", facts_.name));
    apply();
    return results;
}

Result<void> WriteGroup::handle_all(std::span<const WriteRequest> requests,
                                    std::vector<Result<Written>>& results) {
    for (std::size_t next = 0; next < requests.size() || !drafts_.empty();) {
        const bool full = next == requests.size() || drafts_.size() >= drafts_at_once_;
        if (full || waits_for_drafts(requests[next])) {
            TRY_ASSIGN(next, settle(requests, results));
            continue;
        }
        const std::size_t drafts = drafts_.size();
        auto result = handle(requests[next]);
        const std::string& key = requests[next].idempotency_key;
        if (drafts_.size() > drafts) {
            drafts_.back().place = next;
            drafts_.back().key = key;
        } else if (result && !key.empty()) {
            keyed_[key] = {fingerprint(requests[next]), *result};
        }
        results.push_back(std::move(result));
        ++next;
    }
    return {};
}

Result<void> WriteGroup::commit(std::span<const WriteRequest> requests,
                                const std::vector<Result<Written>>& results) {
    std::vector<store::Answer> answers;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        const std::string& key = requests[i].idempotency_key;
        if (key.empty() || !results[i]) continue;
        answers.push_back({key, write_answer(requests[i], *results[i])});
    }
    if (lines_.empty() && answers.empty()) return {};
    return parts_.journal->append(lines_, state_.frontier, answers, now_);
}

// From here on everything is durable: a failure is told by an alarm, never by the answer.
void WriteGroup::apply() {
    state_.incomplete.add(incomplete_);
    if (lines_.empty()) return;
    if (!state_.oldest_unsealed) state_.oldest_unsealed = now_;
    store::OwnRun run{writer_, lines_.front().id.seq, state_.frontier, {}, now_};
    run.lines.reserve(lines_.size());
    for (auto& line : lines_) run.lines.push_back(std::move(line.line));
    run.operations.reserve(fresh_.size());
    run.known.resize(run.lines.size());
    for (Fresh& one : fresh_) {
        run.operations.push_back(std::move(one.operation));
        run.known[one.line] = {&run.operations.back(), nullptr, one.hash};
    }
    run.verdicts = std::move(verdicts_);
    const auto followed = parts_.index->follow(std::move(run));
    if (!followed) return state_.fall_behind(facts_, followed.error(), now_);
    // What this group changed may alter what was said of other records.
    std::vector<Rechecks::Written> written;
    for (auto& [record, one] : noted_) written.push_back(std::move(one));
    state_.rechecks.note_written(std::move(written));
}

domain::Operation WriteGroup::begin(const WriteRequest& request, domain::Verb verb,
                                    const std::string& record) {
    domain::Operation operation;
    operation.id = {writer_, next_seq_};
    operation.hlc = state_.hlc.tick(now_);
    operation.at = now_;
    operation.verb = verb;
    operation.record = record;
    operation.by = request.caller.by;
    operation.auth = request.caller.auth;
    operation.on_behalf = request.caller.on_behalf;
    operation.device = request.caller.device;
    operation.source = request.caller.source;
    operation.zone = facts_.zone;
    operation.reason = request.reason;
    return operation;
}

Result<domain::Operation> WriteGroup::issue(const domain::Operation& operation) {
    TRY_ASSIGN(auto line, domain::write_line(operation));
    if (line.text.size() + room_for_first > domain::Limits::operation_bytes) {
        return failure(Code::TooLarge, "the change is too large",
                       std::to_string(line.text.size()) + " bytes; one change holds up to 64 KiB",
                       "split it into several");
    }
    touched_[operation.record].push_back(lines_.size());
    lines_.push_back({operation.id, std::move(line.text)});
    ++next_seq_;
    return std::move(line.operation);
}

Result<Written> WriteGroup::issue_for(const WriteRequest& request, Working& record,
                                      domain::Verb verb) {
    auto operation = begin(request, verb, record.state().id);
    return drafted(operation, &record, record.with(operation));
}

Result<Working*> WriteGroup::load(const std::string& id) {
    auto& slot = working_[id];
    if (slot) return slot.get();
    TRY_ASSIGN(auto rows, parts_.index->reader().operations(id));
    auto loaded = std::make_unique<Working>(std::move(rows), state_.frontier);
    const auto touched = touched_.find(id);
    if (touched != touched_.end()) {
        for (const std::size_t at : touched->second) {
            auto read = domain::read_operation(lines_[at].line, lines_[at].id);
            loaded->add(std::move(read.operation));
        }
    }
    slot = std::move(loaded);
    return slot.get();
}

Result<void> WriteGroup::look_up_ids(std::span<const WriteRequest> requests) {
    std::vector<std::string> ids;
    for (const WriteRequest& request : requests) {
        if (request.action == Action::Create && !request.id.empty()) ids.push_back(request.id);
    }
    if (ids.empty()) return {};
    TRY_ASSIGN(auto taken, parts_.index->taken(ids));
    taken_.insert(std::make_move_iterator(taken.begin()), std::make_move_iterator(taken.end()));
    return {};
}

// Neither the index nor this group names it.
bool WriteGroup::is_fresh(const std::string& id) const {
    return !taken_.contains(id) && !touched_.contains(id) && !working_.contains(id);
}

Result<std::optional<Written>> WriteGroup::answered(const WriteRequest& request) {
    const std::string& key = request.idempotency_key;
    if (key.empty()) return std::optional<Written>{};
    const Error other = failure(Code::Conflict, "the idempotency key was used for another request",
                                key, "use a new key for each request");
    const auto here = keyed_.find(key);
    if (here != keyed_.end()) {
        if (here->second.first != fingerprint(request)) return other;
        return std::optional<Written>(here->second.second);
    }
    TRY_ASSIGN(const auto text, parts_.journal->answered(key));
    if (!text) return std::optional<Written>{};
    TRY_ASSIGN(KeptAnswer kept, read_answer(*text));
    if (kept.request != fingerprint(request)) return other;
    TRY_ASSIGN(Working * record, load(kept.written.id));
    auto then = record->at_version(kept.version);
    kept.written.record =
        then ? store::StoredRecord{std::move(*then), kept.version, 0} : record->stored();
    return std::optional<Written>(std::move(kept.written));
}

}  // namespace dutybook::core
