#pragma once
// The file of the in-memory index, and its reader. Full text and effective dates are not kept: the
// simulation asks for neither.

#include "store/index.h"

#include <algorithm>
#include <set>

namespace dutybook::testing {

struct IndexData {
    struct Held {
        domain::Operation operation;
        std::shared_ptr<const domain::Frontier> frontier;
        Millis arrived = 0;
        store::CommitId segment;
        Hash hash{};
    };
    struct Record {
        std::vector<Held> operations;  // in order of arrival
        store::StoredRecord shown;
    };
    struct Kept {  // malformed, or waiting
        std::string line;
        Hash hash{};
    };
    struct WriterLog {
        std::uint64_t held = 0, shown = 0, waiting = 0;
        store::CommitId segment;
        std::map<std::uint64_t, Kept> kept;
    };
    std::map<std::string, Record, std::less<>> records;
    std::map<domain::Writer, WriterLog> writers;
    domain::Digest digest, operations_digest;
    std::uint64_t operations = 0, order = 0;
    std::map<std::string, store::Verdict> verdicts;
    std::map<std::string, store::IndexPoint> judged_upto;

    domain::Frontier frontier() const {
        domain::Frontier out;
        for (const auto& [writer, log] : writers) out.advance(writer, log.shown, log.segment);
        return out;
    }
};

class MemoryIndexReader final : public store::IndexReader {
public:
    explicit MemoryIndexReader(const IndexData& data) : data_(data) {}

    Result<std::optional<store::StoredRecord>> get(std::string_view id) override {
        const auto found = data_.records.find(id);
        if (found == data_.records.end() || !found->second.shown.state.born) {
            return std::optional<store::StoredRecord>{};
        }
        return std::optional(found->second.shown);
    }
    Result<store::Page> list(const store::Query& query) override {
        store::Page page;
        for (const auto& [id, record] : data_.records) {
            const auto& state = record.shown.state;
            if (!state.born || id <= query.after || (state.deleted && !query.deleted)) continue;
            if (!query.kind.empty() && state.kind != query.kind) continue;
            const bool fits =
                std::all_of(query.where.begin(), query.where.end(), [&](const auto& condition) {
                    const auto field = state.fields.find(condition.first);
                    return field != state.fields.end() && field->second == condition.second;
                });
            if (!fits) continue;
            if (page.records.size() == query.limit) {
                page.next = page.records.back().state.id;
                break;
            }
            page.records.push_back(record.shown);
        }
        return page;
    }
    Result<std::vector<std::string>> by_prefix(std::string_view prefix,
                                               std::size_t limit) override {
        std::vector<std::string> out;
        for (auto at = data_.records.lower_bound(prefix);
             at != data_.records.end() && out.size() < limit; ++at) {
            if (at->first.compare(0, prefix.size(), prefix) != 0) break;
            if (at->second.shown.state.born) out.push_back(at->first);
        }
        return out;
    }
    Result<std::vector<OperationRow>> operations(std::string_view record) override {
        std::vector<OperationRow> out;
        const auto found = data_.records.find(record);
        if (found == data_.records.end()) return out;
        for (const auto& held : found->second.operations) {
            out.push_back({held.operation, *held.frontier, held.arrived, held.segment});
        }
        return out;
    }
    Result<std::vector<store::StoredRecord>> conflicts(const std::string& after,
                                                       std::size_t limit) override {
        std::vector<store::StoredRecord> out;
        for (const auto& [id, record] : data_.records) {
            if (out.size() == limit) break;
            const auto& state = record.shown.state;
            if (id > after && state.born && !state.conflicts.empty()) out.push_back(record.shown);
        }
        return out;
    }
    Result<store::IndexCounts> counts() override {
        store::IndexCounts out;
        for (const auto& [id, record] : data_.records) {
            const auto& state = record.shown.state;
            if (!state.born) continue;
            if (!state.deleted) ++out.records;
            out.conflicts += state.conflicts.size();
        }
        out.operations = data_.operations;
        return out;
    }
    Result<std::string> digest() override { return data_.digest.text(); }
    Result<std::string> operations_digest() override { return data_.operations_digest.text(); }
    Result<domain::Frontier> frontier() override { return data_.frontier(); }
    Result<std::vector<std::string>> referring(std::string_view id, std::size_t limit) override {
        const std::string text = '"' + std::string(id) + '"';
        std::vector<std::string> out;
        for (const auto& [name, record] : data_.records) {
            const auto& fields = record.shown.state.fields;
            const bool refers = std::any_of(fields.begin(), fields.end(), [&](const auto& field) {
                return field.second == text;
            });
            if (refers && out.size() < limit) out.push_back(name);
        }
        return out;
    }
    Result<std::vector<std::string>> judged_with(std::string_view id) override {
        std::vector<std::string> out;
        for (const auto& [record, verdict] : data_.verdicts) {
            const auto& reads = verdict.reads;
            if (std::find(reads.begin(), reads.end(), id) != reads.end()) out.push_back(record);
        }
        return out;
    }
    Result<store::IndexPoint> point() override { return store::IndexPoint{"memory", data_.order}; }
    Result<std::vector<std::string>> changed_since(const store::IndexPoint& point) override {
        std::vector<std::string> out;
        for (const auto& [id, record] : data_.records) {
            const bool later = record.shown.changed_order > point.order;
            if (later || point.index != "memory") out.push_back(id);
        }
        return out;
    }
    Result<store::IndexPoint> judged_upto(std::string_view space) override {
        const auto found = data_.judged_upto.find(std::string(space));
        return found == data_.judged_upto.end() ? store::IndexPoint{} : found->second;
    }
    Result<std::vector<store::Verdict>> verdicts_of(std::string_view record) override {
        std::vector<store::Verdict> out;
        const auto found = data_.verdicts.find(std::string(record));
        if (found != data_.verdicts.end()) out.push_back(found->second);
        return out;
    }
    Result<store::Judged> judged() override {
        store::Judged out;
        domain::Digest findings;
        std::set<std::pair<std::string, Hash>> told;
        for (const auto& [id, record] : data_.records) {
            if (alive(record)) ++out.living[record.shown.state.kind];
        }
        for (const auto& [record, verdict] : data_.verdicts) {
            const auto& kind = data_.records.find(record)->second.shown.state.kind;
            ++out.verdicts[{kind, verdict.plugin_digest}];
            for (const auto& found : verdict.found) {
                if (told.emplace(found.id, found.hash).second) findings.add(found.hash);
            }
        }
        out.findings_digest = findings.text();
        return out;
    }
    Result<store::Unjudged> unjudged(const std::string& kind,
                                     std::span<const std::string> plugin_digests,
                                     const std::string& after, std::size_t limit) override {
        store::Unjudged out;
        for (const auto& [id, record] : data_.records) {
            if (id <= after || !alive(record) || record.shown.state.kind != kind) continue;
            const auto verdict = data_.verdicts.find(id);
            const bool lacks = std::any_of(plugin_digests.begin(), plugin_digests.end(),
                                           [&](const std::string& digest) {
                                               return verdict == data_.verdicts.end() ||
                                                      verdict->second.plugin_digest != digest;
                                           });
            if (!lacks) continue;
            out.records.push_back(id);
            if (out.records.size() < limit) continue;
            out.next = id;
            break;
        }
        return out;
    }
    Result<std::vector<store::FindingPlace>> findings(const std::string& from,
                                                      const std::string& rule,
                                                      std::size_t limit) override {
        std::map<std::string, std::vector<store::FindingPlace>> by_id;
        for (const auto& [record, verdict] : data_.verdicts) {
            for (const auto& found : verdict.found) {
                if (found.id < from || (!rule.empty() && found.rule != rule)) continue;
                by_id[found.id].push_back({found.id, found.rule, record});
            }
        }
        std::vector<store::FindingPlace> out;
        for (auto& [id, places] : by_id) {
            if (limit-- == 0) break;
            out.insert(out.end(), places.begin(), places.end());
        }
        return out;
    }

private:
    static bool alive(const IndexData::Record& record) {
        return record.shown.state.born && !record.shown.state.deleted;
    }

    const IndexData& data_;
};

}  // namespace dutybook::testing
