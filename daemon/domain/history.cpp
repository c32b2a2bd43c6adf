#include "domain/history.h"

#include "domain/fold_entry.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace dutybook::domain {

namespace {

bool knows(const Known& known, const OperationId& id) {
    return known.frontier != nullptr && known.frontier->contains(id);
}

bool told_before(const Known& a, const Known& b) {
    const auto key = [](const Operation& each) {
        return std::make_tuple(each.hlc, each.identity(), each.id);
    };
    return key(*a.operation) < key(*b.operation);
}

// Each operation after those that it knew of; the clock decides among the others.
class Causal {
public:
    explicit Causal(std::span<const Known> operations) {
        for (const Known& known : operations) logs_[known.operation->id.writer].push_back(known);
        for (auto& [writer, log] : logs_) {
            std::sort(log.begin(), log.end(), [](const Known& a, const Known& b) {
                return a.operation->id.seq > b.operation->id.seq;
            });
        }
    }

    std::vector<Known> ordered() {
        std::vector<Known> out;
        while (!logs_.empty()) {
            const auto next = pick();
            out.push_back(next->second.back());
            next->second.pop_back();
            if (next->second.empty()) logs_.erase(next);
        }
        return out;
    }

private:
    using Logs = std::map<Writer, std::vector<Known>, std::less<>>;  // the next one last

    bool waits(const Known& known) const {
        return std::any_of(logs_.begin(), logs_.end(), [&](const auto& log) {
            const OperationId& id = log.second.back().operation->id;
            return id.writer != known.operation->id.writer && knows(known, id);
        });
    }

    // Lying frontiers may leave all waiting for one another: then the clock alone decides.
    Logs::iterator pick() {
        auto first = logs_.end(), ready = logs_.end();
        for (auto log = logs_.begin(); log != logs_.end(); ++log) {
            const Known& known = log->second.back();
            const auto before = [&](Logs::iterator other) {
                return other == logs_.end() || told_before(known, other->second.back());
            };
            if (before(first)) first = log;
            if (before(ready) && !waits(known)) ready = log;
        }
        return ready == logs_.end() ? first : ready;
    }

    Logs logs_;
};

// Whether some operation is told before one that it knew of, or stands in several places. Then a
// value that was passed over may still decide what is shown.
bool irregular(std::span<const Known> ordered) {
    std::map<std::string_view, std::uint64_t> reach;
    std::set<std::pair<const Frontier*, std::string_view>> counted;
    for (const Known& known : ordered) {
        const OperationId& id = known.operation->id;
        const auto reached = reach.find(id.writer);
        if (id != known.operation->identity()) return true;
        if (reached != reach.end() && reached->second >= id.seq) return true;
        if (known.frontier == nullptr || !counted.emplace(known.frontier, id.writer).second)
            continue;
        for (const auto& [writer, entry] : known.frontier->entries()) {
            if (writer != id.writer) reach[writer] = std::max(reach[writer], entry.seq);
        }
    }
    return false;
}

// What was shown before each operation, for the fields that it touches.
class Told {
public:
    explicit Told(std::span<const Known> ordered) : whole_(irregular(ordered)) {}

    RecordState before(const Operation& operation) const {
        std::set<std::string_view> fields;
        for (const FieldChange& change : operation.changes) {
            if (change.act == Act::Set || change.act == Act::Increment) fields.insert(change.field);
        }
        std::vector<Known> relevant;
        for (const std::string_view field : fields) {
            const auto found = of_field_.find(field);
            if (found != of_field_.end())
                relevant.insert(relevant.end(), found->second.begin(), found->second.end());
        }
        return fold(alone(std::move(relevant)));
    }

    void add(const Known& known) {
        std::set<std::string_view> fields;
        for (const FieldChange& change : known.operation->changes) {
            if (!fields.insert(change.field).second) continue;
            auto& told = of_field_[change.field];
            // A record with thousands of changes is folded for each of them.
            if (!whole_ && change.act == Act::Set) {
                std::erase_if(told, [&](const Known& one) { return replaces(known, one, change); });
            }
            told.push_back(known);
        }
    }

private:
    static bool only_sets(const Operation& operation, const std::string& field) {
        return std::ranges::all_of(operation.changes, [&](const FieldChange& change) {
            return change.field != field || change.act == Act::Set;
        });
    }

    static bool replaces(const Known& known, const Known& one, const FieldChange& change) {
        const OperationId& id = one.operation->id;
        const bool later = id.writer == known.operation->id.writer
                               ? id.seq < known.operation->id.seq
                               : knows(known, id);
        return later && only_sets(*one.operation, change.field);
    }

    // An operation on two of the fields counts once.
    static std::vector<Known> alone(std::vector<Known> known) {
        std::ranges::sort(known, {}, &Known::operation);
        // Not std::ranges::unique, which clang 14, with which the parsers are fuzzed, cannot
        // compile.
        const auto same = [](const Known& a, const Known& b) { return a.operation == b.operation; };
        known.erase(std::unique(known.begin(), known.end(), same), known.end());
        return known;
    }

    const bool whole_;
    std::map<std::string_view, std::vector<Known>> of_field_;
};

HistoryLine line_of(const Operation& operation) {
    HistoryLine line;
    line.operation = operation.identity();
    line.verb = name_of(operation.verb);
    line.at = operation.at;
    line.by = operation.by;
    line.reason = operation.reason;
    return line;
}

std::string value_or_none(const std::string& value) {
    return value == "null" ? "" : value;
}

std::string shown(const RecordState& state, const std::string& field) {
    const auto found = state.fields.find(field);
    return found == state.fields.end() ? std::string() : found->second;
}

std::string sum(const std::string& old_value, const std::string& increment) {
    const auto number = [](const std::string& text) {
        const bool integer = !text.empty() && text.find_first_not_of("-0123456789") == text.npos;
        return integer ? std::stoll(text) : 0;
    };
    return std::to_string(number(old_value) + number(increment));
}

void fill(HistoryLine& line, const FieldChange& change, const RecordState& old_state) {
    line.field = change.field;
    switch (change.act) {
        case Act::Set:
            if (line.verb != name_of(Verb::Resolve)) line.verb = "set";
            line.old_value = shown(old_state, change.field);
            line.new_value = value_or_none(change.value);
            return;
        case Act::Add:
            line.verb = "add";
            line.new_value = change.value;
            return;
        case Act::Remove:
            line.verb = "remove";
            line.old_value = change.value;
            return;
        case Act::Increment:
            line.verb = "increment";
            line.old_value = shown(old_state, change.field);
            line.new_value = sum(line.old_value, change.value);
            return;
    }
}

bool whole_record(const Operation& operation) {
    if (operation.verb == Verb::Change) return false;
    return operation.verb != Verb::Resolve || operation.changes.empty();
}

}  // namespace

std::vector<HistoryLine> history(std::span<const Known> operations) {
    const std::vector<Known> ordered = Causal(operations).ordered();
    std::vector<HistoryLine> out;
    Told told(ordered);
    std::multimap<OperationId, const Operation*> identities;
    for (const Known& known : ordered) {
        const Operation& operation = *known.operation;
        const auto [from, to] = identities.equal_range(operation.identity());
        const bool copy = std::any_of(
            from, to, [&](const auto& one) { return same_content(*one.second, operation); });
        identities.emplace(operation.identity(), &operation);
        if (!copy && whole_record(operation)) out.push_back(line_of(operation));
        if (!copy && !operation.changes.empty()) {
            const RecordState old_state = told.before(operation);
            for (const FieldChange& change : operation.changes) {
                fill(out.emplace_back(line_of(operation)), change, old_state);
            }
        }
        told.add(known);
    }
    return out;
}

RecordState state_at(std::span<const Known> operations, Millis instant) {
    std::vector<Known> then;
    std::copy_if(operations.begin(), operations.end(), std::back_inserter(then),
                 [instant](const Known& known) { return known.operation->at <= instant; });
    return fold(then);
}

std::vector<FieldDifference> difference(const RecordState& a, const RecordState& b) {
    std::vector<FieldDifference> out;
    const auto compare = [&](std::string field, std::string left, std::string right) {
        if (left != right) {
            out.push_back(FieldDifference{std::move(field), std::move(left), std::move(right)});
        }
    };
    const auto quoted = [](std::string_view word) { return '"' + std::string(word) + '"'; };
    compare("@record", quoted(a.deleted ? "delete" : "keep"),
            quoted(b.deleted ? "delete" : "keep"));
    compare("@status", quoted(name_of(a.status)), quoted(name_of(b.status)));
    std::set<std::string> fields;
    for (const RecordState* state : {&a, &b}) {
        for (const auto& [field, value] : state->fields) fields.insert(field);
    }
    for (const std::string& field : fields) compare(field, shown(a, field), shown(b, field));
    return out;
}

}  // namespace dutybook::domain
