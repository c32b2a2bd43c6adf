#pragma once
// A slow, plain model of the fold, written from its definition and not from its code, and the two
// shortcuts that give wrong answers. Tests hold the production fold against the first and must
// find the others wrong.

#include "domain/fold.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace dutybook::model {

struct Made {
    domain::Operation operation;
    domain::Frontier frontier;
};
using History = std::vector<Made>;

inline bool supersedes(const Made& b, const Made& a) {
    const auto& at = a.operation.id;
    if (b.operation.id.writer == at.writer) return b.operation.id.seq > at.seq;
    return b.frontier.contains(at);
}

// What an operation acts on: a register "field", an element "field=value", or "@record".
inline std::set<std::string> targets(const domain::Operation& operation) {
    std::set<std::string> out = {"@record"};
    for (const auto& change : operation.changes) {
        if (change.act == domain::Act::Set) out.insert(change.field);
        if (change.act == domain::Act::Add || change.act == domain::Act::Remove) {
            out.insert(change.field + "=" + change.value);
        }
    }
    return out;
}

inline std::string told(const domain::Operation& operation, const std::string& target) {
    if (target == "@record") {
        return operation.verb == domain::Verb::Delete ? "delete" : "keep";
    }
    for (const auto& change : operation.changes) {
        if (change.act == domain::Act::Set && change.field == target) return change.value;
        if (change.field + "=" + change.value == target) {
            return change.act == domain::Act::Add ? "in" : "out";
        }
    }
    return {};
}

// Target -> what its surviving operations say.
using Shown = std::map<std::string, std::set<std::string>>;

// The definition: maximal among all operations of the target, superseded ones included.
inline Shown by_definition(const History& history) {
    Shown out;
    std::set<std::string> all;
    for (const Made& made : history) all.merge(targets(made.operation));
    for (const std::string& target : all) {
        for (const Made& a : history) {
            if (!targets(a.operation).contains(target)) continue;
            const bool superseded = std::any_of(history.begin(), history.end(), [&](const Made& b) {
                return targets(b.operation).contains(target) && supersedes(b, a);
            });
            if (!superseded) out[target].insert(told(a.operation, target));
        }
    }
    return out;
}

// Wrong: only the heads that have survived so far are compared with what arrives.
inline Shown by_surviving_heads(const History& in_order_of_arrival) {
    std::map<std::string, std::vector<const Made*>> heads;
    for (const Made& made : in_order_of_arrival) {
        for (const std::string& target : targets(made.operation)) {
            auto& of_target = heads[target];
            std::erase_if(of_target, [&](const Made* head) { return supersedes(made, *head); });
            if (std::none_of(of_target.begin(), of_target.end(),
                             [&](const Made* head) { return supersedes(*head, made); })) {
                of_target.push_back(&made);
            }
        }
    }
    Shown out;
    for (const auto& [target, of_target] : heads) {
        for (const Made* head : of_target) out[target].insert(told(head->operation, target));
    }
    return out;
}

// Wrong: a frontier counts as everything that the operations within it knew.
inline History with_closed_frontiers(History history) {
    for (bool grew = true; grew;) {
        grew = false;
        for (Made& b : history) {
            for (const Made& a : history) {
                if (!supersedes(b, a)) continue;
                const domain::Frontier before = b.frontier;
                b.frontier.merge(a.frontier);
                b.frontier.advance(a.operation.id.writer, a.operation.id.seq, "");
                grew = grew || !(before == b.frontier);
            }
        }
    }
    return history;
}

// The production fold's state in the model's terms.
inline Shown of_state(const domain::RecordState& state, const Shown& targets_from) {
    Shown out;
    for (const auto& [target, unused] : targets_from) {
        const auto conflict =
            std::find_if(state.conflicts.begin(), state.conflicts.end(),
                         [&, t = target](const auto& each) { return each.field == t; });
        if (conflict != state.conflicts.end()) {
            for (const auto& value : conflict->values) {
                const bool life = target == "@record";
                out[target].insert(life ? value.value.substr(1, value.value.size() - 2)
                                        : value.value);
            }
        } else if (target == "@record") {
            out[target].insert(state.deleted ? "delete" : "keep");
        } else if (const auto equals = target.find('='); equals != std::string::npos) {
            const auto field = state.fields.find(target.substr(0, equals));
            const std::string list = field == state.fields.end() ? "[]" : field->second;
            const bool in = list.find(target.substr(equals + 1)) != std::string::npos;
            out[target].insert(in ? "in" : "out");
        } else {
            const auto field = state.fields.find(target);
            out[target].insert(field == state.fields.end() ? "null" : field->second);
        }
    }
    return out;
}

// An element is in if one of its maximal operations adds it.
inline Shown elements_decided(Shown shown) {
    for (auto& [target, words] : shown) {
        if (target.find('=') == std::string::npos || words.size() < 2) continue;
        words = {"in"};
    }
    return shown;
}

// Sites that write one record and hear of each other's logs in pieces, out of causal order: a log
// may arrive before another that its author knew.
class Generator {
public:
    explicit Generator(std::uint64_t seed) : random_(seed) {}

    History history(std::size_t sites, std::size_t operations) {
        History out;
        std::vector<std::map<std::string, std::uint64_t>> have(sites);
        const auto writer = [](std::size_t site) { return "site" + std::to_string(site) + "-a"; };
        while (out.size() < operations) {
            const std::size_t site = below(sites);
            if (below(3) == 0) {
                out.push_back(make(writer(site), have[site], out.size()));
            } else {  // hears a part of one log that another holds
                const std::size_t from = below(sites);
                const std::string log = writer(below(sites));
                const std::uint64_t theirs = have[from][log];
                std::uint64_t& ours = have[site][log];
                if (from != site && theirs > ours) ours += 1 + below(theirs - ours);
            }
        }
        return out;
    }
    template <class T>
    void shuffle(std::vector<T>& values) {
        std::shuffle(values.begin(), values.end(), random_);
    }
    // An order of arrival in which each log stays in sequence.
    History arrival(const History& history) {
        std::vector<std::string> turns;
        std::map<std::string, std::vector<const Made*>> logs;
        for (const Made& made : history) {
            turns.push_back(made.operation.id.writer);
            logs[made.operation.id.writer].push_back(&made);
        }
        shuffle(turns);
        std::map<std::string, std::size_t> next;
        History out;
        for (const std::string& turn : turns) out.push_back(*logs[turn][next[turn]++]);
        return out;
    }
    std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

private:
    Made make(const std::string& writer, std::map<std::string, std::uint64_t>& have,
              std::size_t count) {
        Made made;
        domain::Operation& operation = made.operation;
        operation.id = {writer, ++have[writer]};
        // Clocks are years apart and say nothing about what was known.
        operation.hlc = {static_cast<Millis>(1'000'000 + below(1000)), 0};
        operation.at = operation.hlc.ms;
        operation.record = "r";
        operation.by = "p";
        operation.verb = domain::Verb::Change;
        const std::uint64_t choice = below(12);
        if (count == 0) {
            operation.verb = domain::Verb::Create;
            operation.kind = "core.duty";
        } else if (choice == 0) {
            operation.verb = domain::Verb::Delete;
        } else if (choice == 1) {
            operation.verb = domain::Verb::Restore;
        }
        if (operation.verb == domain::Verb::Change) {
            const std::string element = "\"e" + std::to_string(below(2)) + "\"";
            if (choice < 9) {
                operation.changes.push_back(
                    {below(2) == 0 ? "x" : "y", domain::Act::Set, std::to_string(below(1000))});
            } else {
                operation.changes.push_back(
                    {"tags", choice == 9 ? domain::Act::Remove : domain::Act::Add, element});
            }
        }
        for (const auto& [log, seq] : have) {
            if (log != writer) made.frontier.advance(log, seq, "");
        }
        return made;
    }
    std::mt19937_64 random_;
};

inline std::vector<domain::Known> known(const History& history) {
    std::vector<domain::Known> out;
    for (const Made& made : history) out.push_back({&made.operation, &made.frontier});
    return out;
}

}  // namespace dutybook::model
