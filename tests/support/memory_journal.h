#pragma once
// A Journal in memory. JournalData is its file: it is copied to take a backup or to clone a store,
// and every call's effect is durable when the call returns. It keeps journal_contract.h.

#include "store/journal.h"
#include "support/memory_faults.h"

#include <algorithm>
#include <map>

namespace dutybook::testing {

struct JournalData {
    struct Line {
        std::string text;
        std::shared_ptr<const domain::Frontier> frontier;
    };
    struct WriterLog {
        std::uint64_t cut = 0;  // forgotten up to here
        std::vector<Line> lines;
        std::uint64_t sealed = 0;
        std::uint64_t last() const { return cut + lines.size(); }
    };
    std::map<domain::Writer, WriterLog, std::less<>> logs;
    std::vector<domain::Writer> opened;
    domain::Writer current;
    std::map<std::string, std::pair<std::string, Millis>> answers;
    std::vector<store::SealRow> seals;
    std::map<std::string, std::string> meta;
};

class MemoryJournal final : public store::Journal {
public:
    MemoryJournal(JournalData& data, Faults& faults) : data_(data), faults_(faults) {}

    Result<void> append(std::span<const store::JournalLine> lines, const domain::Frontier& frontier,
                        std::span<const store::Answer> answers, Millis now) override {
        Effect effect(faults_, "journal.append");
        if (data_.current.empty() && !lines.empty()) return conflict("no writer is open");
        std::uint64_t next = last_seq(data_.current) + 1;
        for (const auto& line : lines) {
            if (line.id.writer != data_.current || line.id.seq != next++) {
                return conflict("the line does not follow");
            }
        }
        const auto shared = std::make_shared<const domain::Frontier>(frontier);
        for (const auto& line : lines) {
            data_.logs[data_.current].lines.push_back({line.line, shared});
        }
        std::erase_if(data_.answers, [&](const auto& each) {
            return each.second.second < now - Millis{7} * 24 * 3600 * 1000;
        });
        for (const auto& answer : answers) {
            data_.answers.emplace(answer.key, std::make_pair(answer.text, now));
        }
        effect.done();
        return {};
    }
    Result<std::optional<std::string>> answered(const std::string& key) override {
        const auto found = data_.answers.find(key);
        if (found == data_.answers.end()) return std::optional<std::string>{};
        return std::optional<std::string>{found->second.first};
    }

    domain::Writer current_writer() const override { return data_.current; }
    Result<void> open_writer(const domain::Writer& writer, std::span<const Reissue> reissued,
                             Millis) override {
        Effect effect(faults_, "journal.open_writer");
        if (data_.logs.contains(writer)) {
            return failure(Code::Exists, writer + " is a writer of this journal");
        }
        auto& log = data_.logs[writer];
        for (const auto& each : reissued) {
            log.lines.push_back(
                {each.line, std::make_shared<const domain::Frontier>(each.frontier)});
        }
        data_.opened.push_back(writer);
        data_.current = writer;
        effect.done();
        return {};
    }
    std::vector<domain::Writer> writers() const override { return data_.opened; }
    std::uint64_t last_seq(std::string_view writer) const override {
        const auto found = data_.logs.find(writer);
        return found == data_.logs.end() ? 0 : found->second.last();
    }
    Result<void> visit(const domain::Writer& writer, std::uint64_t from,
                       const Visit& visit) override {
        const auto found = data_.logs.find(writer);
        if (found == data_.logs.end()) return {};
        const auto& log = found->second;
        for (std::uint64_t seq = std::max(from, log.cut + 1); seq <= log.last(); ++seq) {
            const auto& line = log.lines[seq - log.cut - 1];
            if (!visit({{writer, seq}, line.text}, *line.frontier)) break;
        }
        return {};
    }

    Result<store::SealRow> plan_seal(store::SealRow row) override {
        Effect effect(faults_, "journal.plan_seal");
        const auto found = data_.logs.find(row.header.writer);
        if (found == data_.logs.end()) return conflict("not a writer of this journal");
        const auto& log = found->second;
        const auto& header = row.header;
        if (header.first != log.sealed + 1 || header.last > log.last() ||
            header.last + 1 < header.first || open_row() != nullptr) {
            return conflict("the segment does not follow");
        }
        row.id = static_cast<std::int64_t>(data_.seals.size()) + 1;
        row.commit.clear();
        row.blob_bytes = 0;
        data_.seals.push_back(row);
        effect.done();
        return row;
    }
    Result<void> finish_seal(std::int64_t id, const store::CommitId& commit,
                             std::uint64_t blob_bytes) override {
        Effect effect(faults_, "journal.finish_seal");
        if (id < 1 || id > static_cast<std::int64_t>(data_.seals.size())) {
            return failure(Code::NotFound, "no such seal row");
        }
        auto& row = data_.seals[static_cast<std::size_t>(id) - 1];
        if (!row.commit.empty() && row.commit != commit) return conflict("finished otherwise");
        row.commit = commit;
        row.blob_bytes = blob_bytes;
        auto& log = data_.logs[row.header.writer];
        log.sealed = std::max(log.sealed, row.header.last);
        effect.done();
        return {};
    }
    Result<std::optional<store::SealRow>> unfinished_seal() override {
        const auto* row = open_row();
        return row ? std::optional(*row) : std::nullopt;
    }
    Result<std::optional<store::SealRow>> last_seal(std::string_view writer) override {
        for (auto row = data_.seals.rbegin(); row != data_.seals.rend(); ++row) {
            if (row->header.writer == writer && !row->commit.empty()) return std::optional(*row);
        }
        return std::optional<store::SealRow>{};
    }
    std::uint64_t sealed_upto(std::string_view writer) const override {
        const auto found = data_.logs.find(writer);
        return found == data_.logs.end() ? 0 : found->second.sealed;
    }
    Result<std::optional<store::SealRow>> find_seal(const store::CommitId& commit) override {
        for (const auto& row : data_.seals) {
            if (row.commit == commit) return std::optional(row);
        }
        return std::optional<store::SealRow>{};
    }

    Result<void> forget(const domain::Writer& writer, std::uint64_t upto) override {
        Effect effect(faults_, "journal.forget");
        auto& log = data_.logs[writer];
        if (upto > log.sealed) return conflict("not sealed yet");
        if (upto > log.cut) {
            log.lines.erase(log.lines.begin(),
                            log.lines.begin() + static_cast<std::ptrdiff_t>(upto - log.cut));
            log.cut = upto;
        }
        effect.done();
        return {};
    }
    Result<void> check() override { return {}; }

    Result<std::string> meta(const std::string& key) override {
        const auto found = data_.meta.find(key);
        return found == data_.meta.end() ? std::string() : found->second;
    }
    Result<void> set_meta(const std::string& key, const std::string& value) override {
        Effect effect(faults_, "journal.set_meta");
        data_.meta[key] = value;
        effect.done();
        return {};
    }

private:
    static Error conflict(const std::string& why) {
        return failure(Code::Conflict, "the journal refuses", why);
    }
    const store::SealRow* open_row() const {
        const auto found = std::find_if(data_.seals.begin(), data_.seals.end(),
                                        [](const auto& row) { return row.commit.empty(); });
        return found == data_.seals.end() ? nullptr : &*found;
    }

    JournalData& data_;
    Faults& faults_;
};

}  // namespace dutybook::testing
