// Runs of operations come in: what is held already is skipped, what cannot be folded is kept.

#include "store/index_sqlite.h"

#include <algorithm>
#include <future>
#include <optional>

namespace dutybook::store {
namespace {

constexpr std::uint64_t in_step = 250;  // lines that are read, and then go into the tables

}  // namespace

// In a bulk load a second thread reads the next run's lines and folds each by itself while this
// run's go into the tables; nothing of that touches the database or the index.
class SqliteIndex::Ahead {
public:
    explicit Ahead(std::span<const Run> runs) : rest_(runs) { begin(); }

    // Of the next run, all its lines.
    std::vector<Prepared> next() {
        auto ready = coming_.get();
        begin();
        return ready;
    }

private:
    void begin() {
        if (rest_.empty()) return;
        const Run& run = rest_.front();
        rest_ = rest_.subspan(1);
        coming_ = std::async(std::launch::async, [&run] {
            return prepare(run, run.first, run.first + run.lines.size() - 1, true);
        });
    }

    std::span<const Run> rest_;
    std::future<std::vector<Prepared>> coming_;  // its destructor waits
};

Result<Applied> SqliteIndex::apply(std::span<const Run> runs) {
    return transact([&]() -> Result<Applied> {
        Batch batch;
        std::optional<Ahead> ahead;
        if (staging_) ahead.emplace(runs);
        for (const Run& run : runs) {
            auto ready = ahead ? ahead->next() : std::vector<Prepared>{};
            TRY(take_run(run, std::move(ready), batch));
        }
        TRY(fold_batch(batch));
        return std::move(batch.applied);
    });
}

Result<void> SqliteIndex::take_run(const Run& run, std::vector<Prepared> ready, Batch& batch) {
    if (run.lines.empty()) return {};
    TRY_ASSIGN(WriterState * state, writer_state(run.writer));
    const std::uint64_t last = run.first + run.lines.size() - 1;
    if (run.first > state->held + 1) {
        return failure(Code::Conflict, "cannot apply operations of " + run.writer,
                       "they begin at " + std::to_string(run.first) + ", but only " +
                           std::to_string(state->held) + " are held",
                       "apply what lies between first");
    }
    if (last <= state->held) return note_segment(run, *state);

    const std::uint64_t from = state->held + 1;
    TRY_ASSIGN(const std::int64_t run_id, run_row(run, *state, from));
    const auto held = std::min<std::size_t>(ready.size(), from - run.first);
    ready.erase(ready.begin(), ready.begin() + static_cast<std::ptrdiff_t>(held));
    TRY(take_lines(run, *state, from, run_id, std::move(ready), batch));
    state->held = last;
    const std::uint64_t shown = state->waiting != 0 ? state->waiting - 1 : last;
    // In a bulk load nothing counts as shown before its end.
    if (!bulk_ && shown >= from) {
        state->shown = shown;
        state->segment = run.segment;
    }
    if (state->waiting != 0) batch.applied.newer = {run.writer, state->waiting};
    return {};
}

// Held already: all that can be new is the segment that operations of a journal's tail went into.
Result<void> SqliteIndex::note_segment(const Run& run, WriterState& state) {
    if (run.segment.empty()) return {};
    const std::uint64_t last = run.first + run.lines.size() - 1;
    if (state.shown >= run.first && state.shown <= last) state.segment = run.segment;
    TRY(
        db_->run("UPDATE run SET segment = ?4 WHERE writer = ?1 AND first >= ?2 AND first <= ?3 "
                 "AND last <= ?3 AND segment = ''",
                 state.row, run.first, last, run.segment));
    if (db_->changes() > 0) {
        state.tail = {};
        records_.forget_runs();
        readers_->forget_rows();
    }
    return {};
}

Result<std::int64_t> SqliteIndex::run_row(const Run& run, WriterState& state, std::uint64_t from) {
    const std::uint64_t last = run.first + run.lines.size() - 1;
    TRY_ASSIGN(const std::int64_t frontier, intern(*run.frontier));
    if (run.segment.empty() && state.tail.run != 0 && state.tail.frontier == frontier &&
        state.tail.last + 1 == from) {
        TRY(db_->run("UPDATE run SET last = ?2 WHERE id = ?1", state.tail.run, last));
        state.tail.last = last;
        return state.tail.run;
    }
    TRY(
        db_->run("INSERT INTO run(writer, first, last, frontier, segment) "
                 "VALUES(?1, ?2, ?3, ?4, ?5)",
                 state.row, from, last, frontier, run.segment));
    const std::int64_t id = db_->last_rowid();
    state.tail = {};
    if (run.segment.empty()) state.tail = {id, frontier, last};
    return id;
}

// Takes what is `ready`, in steps; without anything, reads the lines itself.
Result<void> SqliteIndex::take_lines(const Run& run, WriterState& state, std::uint64_t from,
                                     std::int64_t run_id, std::vector<Prepared> ready,
                                     Batch& batch) {
    const std::uint64_t last = run.first + run.lines.size() - 1;
    const auto frontier = std::make_shared<const domain::Frontier>(*run.frontier);
    const bool read_here = ready.empty();
    for (std::size_t done = 0; from <= last;) {
        const std::uint64_t step_end = std::min(last, from + in_step - 1);
        if (read_here) {
            ready = prepare(run, from, step_end, false);
            done = 0;
        }
        for (; from <= step_end; ++from, ++done) {
            TRY(take_line(run, state, from, std::move(ready[done]), run_id, frontier, batch));
        }
        if (!staging_) continue;
        TRY(fold_batch(batch));
        batch.arrivals.clear();
    }
    return {};
}

std::vector<SqliteIndex::Prepared> SqliteIndex::prepare(const Run& run, std::uint64_t from,
                                                        std::uint64_t last, bool fold) {
    std::vector<Prepared> ready;
    ready.reserve(last - from + 1);
    for (std::uint64_t seq = from; seq <= last; ++seq) {
        const std::string& line = run.lines[seq - run.first];
        if (!run.known.empty() && run.known[seq - run.first].operation != nullptr) {
            Prepared prepared;
            prepared.known = run.known[seq - run.first];
            prepared.hash = domain::operation_hash(prepared.known.operation->id, line);
            ready.push_back(std::move(prepared));
            continue;
        }
        Prepared prepared = read_line({run.writer, seq}, line);
        const domain::Operation& operation = *prepared.known.operation;
        if (fold && prepared.reading == domain::Reading::Good &&
            operation.verb == domain::Verb::Create) {
            const domain::Known known{&operation, run.frontier};
            prepared.own->alone = domain::fold({&known, 1});
            prepared.known.alone = &prepared.own->alone;
            prepared.known.hash = domain::hash_of(prepared.own->alone);
        }
        ready.push_back(std::move(prepared));
    }
    return ready;
}

SqliteIndex::Prepared SqliteIndex::read_line(const domain::OperationId& id, std::string_view line) {
    auto read = domain::read_operation(line, id);
    Prepared prepared;
    prepared.reading = read.reading;
    prepared.own = std::make_unique<LineRead>(LineRead{std::move(read.operation), {}});
    prepared.known.operation = &prepared.own->operation;
    prepared.hash = domain::operation_hash(id, line);
    return prepared;
}

Result<void> SqliteIndex::take_line(const Run& run, WriterState& state, std::uint64_t seq,
                                    Prepared prepared, std::int64_t run_id,
                                    const std::shared_ptr<const domain::Frontier>& frontier,
                                    Batch& batch) {
    const std::string& line = run.lines[seq - run.first];
    ++totals_.order;
    ++totals_.operations;
    ++batch.applied.operations;
    totals_.operations_digest.add(prepared.hash);
    if (state.waiting != 0) return keep(state, seq, run_id, run.arrived, true, line);

    switch (prepared.reading) {
        case domain::Reading::Newer:
            state.waiting = seq;
            return keep(state, seq, run_id, run.arrived, true, line);
        case domain::Reading::Malformed:
            batch.applied.malformed.push_back({run.writer, seq});
            return keep(state, seq, run_id, run.arrived, false, line);
        case domain::Reading::Good:
            break;
    }
    batch.applied.last_hlc = std::max(batch.applied.last_hlc, prepared.known.operation->hlc);
    batch.arrivals.push_back({run_id, run.arrived, line, std::move(prepared.own), prepared.known,
                              frontier, totals_.order});
    return {};
}

Result<void> SqliteIndex::keep(const WriterState& state, std::uint64_t seq, std::int64_t run_id,
                               Millis arrived, bool waits, std::string_view line) {
    return db_->run(
        "INSERT OR REPLACE INTO kept(writer, seq, run, arrived, waiting, line) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
        state.row, seq, run_id, arrived, waits ? 1 : 0, line);
}

// Reads again what waits of a writer; goes on where this version understands it.
Result<void> SqliteIndex::resume_waiting(const domain::Writer& name, WriterState& state,
                                         Batch& batch, std::deque<std::string>& lines) {
    struct Waiting {
        std::uint64_t seq;
        std::int64_t run;
        Millis arrived;
        const std::string* line;
    };
    std::vector<Waiting> waiting;
    {
        TRY_ASSIGN(Rows rows, db_->query("SELECT seq, run, arrived, line FROM kept "
                                         "WHERE writer = ?1 AND waiting = 1 ORDER BY seq",
                                         state.row));
        while (true) {
            TRY_ASSIGN(const bool more, rows.next());
            if (!more) break;
            lines.emplace_back(rows.text(3));
            waiting.push_back({static_cast<std::uint64_t>(rows.integer(0)), rows.integer(1),
                               rows.integer(2), &lines.back()});
        }
    }
    std::uint64_t now_waits = 0;
    for (const Waiting& one : waiting) {
        Prepared read = read_line({name, one.seq}, *one.line);
        if (read.reading == domain::Reading::Newer) {
            now_waits = one.seq;
            break;
        }
        if (read.reading == domain::Reading::Malformed) {
            TRY(keep(state, one.seq, one.run, one.arrived, false, *one.line));
            continue;
        }
        TRY(db_->run("DELETE FROM kept WHERE writer = ?1 AND seq = ?2", state.row, one.seq));
        TRY_ASSIGN(const RunRow run, records_.run(one.run));
        TRY_ASSIGN(auto frontier, records_.frontier(run.frontier));
        batch.arrivals.push_back({one.run, one.arrived, *one.line, std::move(read.own), read.known,
                                  std::move(frontier), ++totals_.order});
    }
    if (now_waits == state.waiting) return {};
    state.waiting = now_waits;
    changed_writers_.insert(name);
    return show(state, now_waits != 0 ? now_waits - 1 : state.held);
}

// Everything up to `seq` is shown; finds the segment that holds it.
Result<void> SqliteIndex::show(WriterState& state, std::uint64_t seq) {
    state.shown = seq;
    TRY_ASSIGN(const auto segment,
               db_->string("SELECT segment FROM run WHERE writer = ?1 AND first <= ?2 "
                           "AND last >= ?2 ORDER BY first DESC, id DESC LIMIT 1",
                           state.row, seq));
    state.segment = segment.value_or("");
    return {};
}

}  // namespace dutybook::store
