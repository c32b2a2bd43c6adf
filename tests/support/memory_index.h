#pragma once
// An Index in memory, over IndexData. Folds with the production fold.

#include "support/memory_faults.h"
#include "support/memory_index_reader.h"

#include <algorithm>

namespace dutybook::testing {

class MemoryIndex final : public store::Index {
public:
    MemoryIndex(IndexData& data, Faults& faults) : data_(data), faults_(faults), reader_(data) {}

    Result<store::Applied> apply(std::span<const store::Run> runs) override {
        Effect effect(faults_, "index.apply");
        std::map<domain::Writer, std::uint64_t> held;
        for (const auto& run : runs) {
            std::uint64_t& upto = held.try_emplace(run.writer, held_of(run.writer)).first->second;
            if (run.first > upto + 1) return failure(Code::Conflict, "a gap in " + run.writer);
            upto = std::max(upto, run.first + run.lines.size() - 1);
        }
        store::Applied out;
        std::vector<std::string> touched;
        for (const auto& run : runs) take(run, out, touched);
        std::sort(touched.begin(), touched.end());
        touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
        for (const auto& id : touched) out.lying_frontier |= fold(id);
        out.records = std::move(touched);
        effect.done();
        return out;
    }
    Result<void> begin_bulk() override { return {}; }
    Result<void> end_bulk() override { return {}; }
    Result<bool> catch_up_search(std::size_t) override { return false; }

    domain::Frontier frontier() const override { return data_.frontier(); }
    std::vector<domain::OperationId> waiting() const override {
        std::vector<domain::OperationId> out;
        for (const auto& [writer, log] : data_.writers) {
            if (log.waiting != 0) out.push_back({writer, log.waiting});
        }
        return out;
    }
    Result<std::vector<std::string>> retract_from(const domain::Writer& writer,
                                                  std::uint64_t seq) override {
        Effect effect(faults_, "index.retract_from");
        std::vector<std::string> touched;
        for (auto& [id, record] : data_.records) {
            const auto size = record.operations.size();
            std::erase_if(record.operations, [&](const IndexData::Held& held) {
                const bool gone =
                    held.operation.id.writer == writer && held.operation.id.seq >= seq;
                if (gone) data_.operations_digest.remove(held.hash);
                return gone;
            });
            data_.operations -= size - record.operations.size();
            if (size != record.operations.size()) touched.push_back(id);
        }
        auto& log = data_.writers[writer];
        std::erase_if(log.kept, [&](const auto& kept) {
            if (kept.first < seq) return false;
            data_.operations_digest.remove(kept.second.hash);
            --data_.operations;
            return true;
        });
        log.held = std::min(log.held, seq - 1);
        log.shown = std::min(log.shown, seq - 1);
        log.segment.clear();
        if (log.waiting >= seq) log.waiting = 0;
        if (log.held == 0) data_.writers.erase(writer);
        for (const auto& id : touched) fold(id);
        effect.done();
        return touched;
    }
    Result<void> set_judged_upto(std::string_view space, const store::IndexPoint& point) override {
        Effect effect(faults_, "index.set_judged_upto");
        data_.judged_upto[std::string(space)] = point;
        effect.done();
        return {};
    }

    Result<void> put_verdicts(std::span<const store::Verdict> verdicts) override {
        Effect effect(faults_, "index.put_verdicts");
        for (const auto& verdict : verdicts) {
            const auto found = reader_.get(verdict.record);
            if (found && *found && !(*found)->state.deleted) {
                data_.verdicts[verdict.record] = verdict;
            }
        }
        effect.done();
        return {};
    }
    Result<void> drop_verdicts(std::span<const std::string> records) override {
        Effect effect(faults_, "index.drop_verdicts");
        for (const auto& record : records) data_.verdicts.erase(record);
        effect.done();
        return {};
    }
    Result<void> keep_verdicts_of(std::span<const std::string> plugin_digests) override {
        Effect effect(faults_, "index.keep_verdicts_of");
        std::erase_if(data_.verdicts, [&](const auto& verdict) {
            return std::find(plugin_digests.begin(), plugin_digests.end(),
                             verdict.second.plugin_digest) == plugin_digests.end();
        });
        effect.done();
        return {};
    }
    Result<std::vector<std::string>> taken(std::span<const std::string> ids) override {
        std::vector<std::string> out;
        for (const auto& id : ids) {
            if (data_.records.contains(id)) out.push_back(id);
        }
        return out;
    }
    store::IndexReader& reader() override { return reader_; }
    void before_reads(std::function<void()>) override {}
    Result<void> check() override { return {}; }
    Result<void> close_cleanly() override { return {}; }

private:
    std::uint64_t held_of(const domain::Writer& writer) const {
        const auto found = data_.writers.find(writer);
        return found == data_.writers.end() ? 0 : found->second.held;
    }

    void take(const store::Run& run, store::Applied& out, std::vector<std::string>& touched) {
        auto& log = data_.writers[run.writer];
        const auto frontier = std::make_shared<const domain::Frontier>(*run.frontier);
        for (std::size_t i = 0; i < run.lines.size(); ++i) {
            const domain::OperationId id{run.writer, run.first + i};
            if (id.seq <= log.held) continue;
            auto read = domain::read_operation(run.lines[i], id);
            const Hash hash = domain::operation_hash(id, run.lines[i]);
            data_.operations_digest.add(hash);
            ++data_.operations;
            ++out.operations;
            log.held = id.seq;
            if (read.reading == domain::Reading::Newer && log.waiting == 0) {
                log.waiting = id.seq;
                out.newer = id;
            }
            if (read.reading == domain::Reading::Malformed) out.malformed.push_back(id);
            if (log.waiting != 0 || read.reading != domain::Reading::Good) {
                log.kept[id.seq] = {run.lines[i], hash};
                if (log.waiting == 0) log.shown = id.seq;
                continue;
            }
            log.shown = id.seq;
            out.last_hlc = std::max(out.last_hlc, read.operation.hlc);
            touched.push_back(read.operation.record);
            data_.records[read.operation.record].operations.push_back(
                {std::move(read.operation), frontier, run.arrived, run.segment, hash});
        }
        if (log.shown + 1 == run.first + run.lines.size()) log.segment = run.segment;
    }

    // Whether a frontier lied.
    bool fold(const std::string& id) {
        auto& record = data_.records[id];
        data_.verdicts.erase(id);
        if (record.shown.state.born) data_.digest.remove(domain::hash_of(record.shown.state));
        std::vector<domain::Known> known;
        for (const auto& held : record.operations) {
            known.push_back({&held.operation, held.frontier.get()});
        }
        record.shown.state = domain::fold(known);
        record.shown.version = domain::version_of(record.shown.state);
        record.shown.changed_order = ++data_.order;
        if (record.shown.state.born) data_.digest.add(domain::hash_of(record.shown.state));
        const bool lied = record.shown.state.alarm;
        if (record.operations.empty()) data_.records.erase(id);
        return lied;
    }

    IndexData& data_;
    Faults& faults_;
    MemoryIndexReader reader_;
};

}  // namespace dutybook::testing
