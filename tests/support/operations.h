#pragma once
// Operations for tests: an Author is one writer with its log, its knowledge of others and a clock.

#include "domain/frontier.h"
#include "domain/operation.h"
#include "store/index.h"

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace dutybook::testing {

using Fields = std::vector<std::pair<std::string, std::string>>;  // name, canonical JSON

class Author {
public:
    explicit Author(std::string writer, Millis start = 1'700'000'000'000)
        : writer_(std::move(writer)), now_(start) {}

    domain::Operation make(domain::Verb verb, const std::string& record, const Fields& set = {}) {
        domain::Operation operation;
        now_ += 1000;
        operation.hlc = {now_, 0};
        operation.at = now_;
        operation.verb = verb;
        operation.record = record;
        operation.by = "person-of-" + writer_;
        operation.zone = "UTC";
        for (const auto& [name, value] : set) {
            operation.changes.push_back({name, domain::Act::Set, value});
        }
        return operation;
    }
    void create(const std::string& record, const std::string& kind, const Fields& set) {
        domain::Operation operation = make(domain::Verb::Create, record, set);
        operation.kind = kind;
        write(operation);
    }
    void change(const std::string& record, const Fields& set) {
        write(make(domain::Verb::Change, record, set));
    }
    void remove(const std::string& record) { write(make(domain::Verb::Delete, record)); }

    void write(domain::Operation operation) {
        operation.id = {writer_, lines_.size() + 1};
        const auto line = domain::write_operation(operation);
        REQUIRE_MESSAGE(line, line.error().text());
        write_raw(*line);
    }
    void write_raw(const std::string& line) {
        lines_.push_back(line);
        frontiers_.push_back(knows_);
    }
    // From now on this author's operations are made knowing all of the other's so far.
    void learn(const Author& other) { learn(other, other.lines_.size()); }
    void learn(const Author& other, std::uint64_t seq) {
        if (seq != 0) knows_.advance(other.writer_, seq, std::string(40, 'a'));
    }

    const std::string& writer() const { return writer_; }
    std::uint64_t last() const { return lines_.size(); }
    const std::string& line(std::uint64_t seq) const { return lines_[seq - 1]; }
    Millis now() const { return now_; }
    void set_clock(Millis now) { now_ = now; }

    // Operations [first, last] cut where the frontier changes. Valid until the next write.
    std::vector<store::Run> runs(std::uint64_t first, std::uint64_t last,
                                 const store::CommitId& segment = std::string(40, 'b')) const {
        std::vector<store::Run> cut;
        while (first <= last) {
            std::uint64_t end = first;
            while (end < last && frontiers_[end] == frontiers_[first - 1]) ++end;
            cut.push_back({writer_, first, &frontiers_[first - 1],
                           std::span(lines_).subspan(first - 1, end - first + 1), segment, now_});
            first = end + 1;
        }
        return cut;
    }
    std::vector<store::Run> runs(const store::CommitId& segment = std::string(40, 'b')) const {
        return runs(1, last(), segment);
    }

private:
    std::string writer_;
    Millis now_;
    std::vector<std::string> lines_;
    std::deque<domain::Frontier> frontiers_;
    domain::Frontier knows_;
};

// Kinds given by hand.
class Kinds final : public domain::KindCatalog {
public:
    const domain::KindTraits* find(std::string_view kind) const override {
        const auto found = kinds_.find(kind);
        return found == kinds_.end() ? nullptr : &found->second;
    }
    domain::KindTraits& operator[](const std::string& kind) {
        kinds_[kind].name = kind;
        return kinds_[kind];
    }

private:
    std::map<std::string, domain::KindTraits, std::less<>> kinds_;
};

// A duty with an effective instant, a credential with an effective date.
inline Kinds test_kinds() {
    Kinds kinds;
    domain::KindTraits& duty = kinds["core.duty"];
    duty.effective = "due";
    duty.fields["priority"].indexed = true;
    duty.fields["tags"].indexed = true;
    duty.fields["tags"].merge = domain::Merge::Set;
    duty.fields["person"].refers = "core.person";
    duty.fields["secret"].searched = false;
    domain::KindTraits& credential = kinds["core.credential"];
    credential.effective = "expires";
    credential.fields["person"].refers = "core.person";
    return kinds;
}

}  // namespace dutybook::testing
