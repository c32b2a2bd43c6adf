// A log of this site that forked: its store was restored or cloned, and both ways on were handed
// out before anybody noticed. Everybody applies the branch with the lower commit id; here, at the
// author, what stands on either branch is issued again under a writer of its own. So nothing hangs
// on a branch any more: neither on the one that is not applied, nor on the one that a site may
// never meet because it knows only the remote that holds the other.
//
// A writer of its own, and nothing else in it before: in the current writer's log these operations
// would supersede whatever it wrote earlier without having known them.

#include "core/engine_state.h"
#include "core/space_engine.h"

#include "base/log.h"

namespace dutybook::core {

namespace {

// The line under which an operation is issued again, wherever its copy stands.
Result<std::string> reissued_line(domain::Operation operation) {
    operation.first = operation.identity();
    operation.id = {operation.first->writer, 0};  // a line does not say where it stands
    return domain::write_operation(operation);
}

Result<bool> held_elsewhere(store::IndexReader& reader, const domain::Operation& operation) {
    TRY_ASSIGN(const auto rows, reader.operations(operation.record));
    TRY_ASSIGN(const std::string line, reissued_line(operation));
    for (const auto& row : rows) {
        if (row.operation.id == operation.id) continue;
        if (row.operation.identity() != operation.identity()) continue;
        TRY_ASSIGN(const std::string other, reissued_line(row.operation));
        if (other == line) return true;
    }
    return false;
}

// What can be issued again: what this version understands and what changes something.
using Visit = std::function<Result<bool>(const domain::Operation&, const store::Segment&)>;

Result<void> visit_branch(store::Log& log, std::span<const store::CommitId> segments,
                          const Visit& visit) {
    for (const auto& commit : segments) {
        TRY_ASSIGN(const store::Segment segment, log.read(commit));
        for (std::size_t i = 0; i < segment.lines.size(); ++i) {
            const auto read = domain::read_operation(
                segment.lines[i], {segment.header.writer, segment.header.first + i});
            if (read.reading != domain::Reading::Good) continue;
            TRY_ASSIGN(const bool go_on, visit(read.operation, segment));
            if (!go_on) return {};
        }
    }
    return {};
}

}  // namespace

Result<bool> SpaceEngine::issued_again(std::span<const store::CommitId> branch) {
    bool all = true;
    TRY(visit_branch(*parts_.log, branch,
                     [&](const domain::Operation& operation, const auto&) -> Result<bool> {
                         TRY_ASSIGN(all, held_elsewhere(parts_.index->reader(), operation));
                         return all;
                     }));
    return all;
}

Result<std::size_t> SpaceEngine::issue_again(std::span<const store::CommitId> branch) {
    TRY(state_->receiver.leave_bulk());
    TRY(catch_up_index());
    TRY_ASSIGN(const bool done, issued_again(branch));
    if (done) return std::size_t{0};
    TRY_ASSIGN(const store::Segment first, parts_.log->read(branch.front()));
    const domain::Writer fresh = facts_.site + "-" + parts_.incarnation();
    std::vector<store::Journal::Reissue> again;
    TRY(visit_branch(
        *parts_.log, branch,
        [&](domain::Operation operation, const store::Segment& segment) -> Result<bool> {
            auto knows = segment.frontier;
            if (!first.header.previous.empty())
                knows.advance(first.header.writer, first.header.first - 1, first.header.previous);
            TRY_ASSIGN(std::string line, reissued_line(std::move(operation)));
            again.push_back({std::move(line), std::move(knows)});
            return true;
        }));
    // Nothing of the current writer may be left behind in the journal alone.
    Seal all;
    all.force = true;
    TRY(seal(all));
    TRY(open_writer(fresh, again,
                    "the log of " + first.header.writer +
                        " has two histories (a store of this "
                        "site was restored or copied)"));
    return again.size();
}

}  // namespace dutybook::core
