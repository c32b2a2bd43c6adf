#include "domain/fold_entry.h"

#include <algorithm>
#include <tuple>

namespace dutybook::domain {

namespace {

auto content(const Operation& each) {
    return std::tie(each.hlc, each.at, each.verb, each.record, each.kind, each.final, each.by,
                    each.auth, each.on_behalf, each.device, each.source, each.zone, each.reason);
}

using Copies = std::vector<const Known*>;

// Copies of one operation, lowest place first.
struct Group {
    Copies copies;
    bool claims = true;  // stands for the identity that its copies name
};

// Splits the copies that name one identity by content. What stands at the identity itself keeps
// it, else the lowest place.
void split_by_content(std::span<const Known* const> same_identity, std::vector<Group>& out) {
    const std::size_t begin = out.size();
    std::size_t owner = begin;
    for (const Known* known : same_identity) {
        std::size_t at = begin;
        while (at < out.size() &&
               !same_content(*out[at].copies.front()->operation, *known->operation)) {
            ++at;
        }
        if (at == out.size()) out.emplace_back();
        out[at].copies.push_back(known);
        if (known->operation->id == known->operation->identity()) owner = at;
    }
    for (std::size_t i = begin; i < out.size(); ++i) out[i].claims = i == owner;
}

std::vector<Group> group_copies(std::span<const Known> operations) {
    Copies sorted;
    sorted.reserve(operations.size());
    for (const Known& known : operations) sorted.push_back(&known);
    std::sort(sorted.begin(), sorted.end(), [](const Known* a, const Known* b) {
        const auto& left = *a->operation;
        const auto& right = *b->operation;
        if (const auto order = left.identity() <=> right.identity(); order != 0) return order < 0;
        return left.id < right.id;
    });
    std::vector<Group> out;
    out.reserve(sorted.size());
    for (auto from = sorted.begin(); from != sorted.end();) {
        const auto to = std::find_if(from, sorted.end(), [&](const Known* each) {
            return each->operation->identity() != (*from)->operation->identity();
        });
        split_by_content({from, to}, out);
        from = to;
    }
    return out;
}

std::vector<OperationId> places_of(const Group& group) {
    std::vector<OperationId> out;
    for (const Known* copy : group.copies) out.push_back(copy->operation->id);
    return out;
}

}  // namespace

bool same_content(const Operation& a, const Operation& b) {
    return content(a) == content(b) &&
           std::equal(a.changes.begin(), a.changes.end(), b.changes.begin(), b.changes.end(),
                      [](const FieldChange& left, const FieldChange& right) {
                          return left.field == right.field && left.act == right.act &&
                                 left.value == right.value;
                      });
}

bool earlier(const Entry& a, const Entry& b) {
    return std::tie(a.operation->hlc, a.identity) < std::tie(b.operation->hlc, b.identity);
}

Entries::Entries(std::span<const Known> operations) {
    const std::vector<Group> groups = group_copies(operations);
    std::vector<std::vector<OperationId>> places;
    std::vector<std::string_view> writers;
    places.reserve(groups.size());
    for (const Group& group : groups) {
        for (const OperationId& place : places.emplace_back(places_of(group))) {
            writers.push_back(place.writer);
        }
    }
    std::sort(writers.begin(), writers.end());
    writers.erase(std::unique(writers.begin(), writers.end()), writers.end());
    writers_ = writers.size();

    entries_.resize(groups.size());
    for (std::size_t i = 0; i < groups.size(); ++i) {
        Entry& entry = entries_[i];
        entry.operation = groups[i].copies.front()->operation;
        entry.identity = groups[i].claims ? entry.operation->identity() : entry.operation->id;
        entry.knows.assign(writers_, 0);
        for (const Known* copy : groups[i].copies) {
            if (copy->frontier == nullptr || copy->frontier->empty()) continue;
            for (std::size_t w = 0; w < writers_; ++w) {
                entry.knows[w] = std::max(entry.knows[w], copy->frontier->seq_of(writers[w]));
            }
        }
        for (const OperationId& place : places[i]) {
            const auto found = std::lower_bound(writers.begin(), writers.end(), place.writer);
            const auto writer = static_cast<std::size_t>(found - writers.begin());
            entry.places.push_back(Entry::Place{writer, place.seq});
            entry.knows[writer] = std::max(entry.knows[writer], place.seq - 1);
        }
    }
}

bool Entries::supersedes(std::size_t b, std::size_t a) const {
    if (a == b) return false;
    const auto& knows = entries_[b].knows;
    return std::any_of(entries_[a].places.begin(), entries_[a].places.end(),
                       [&](const Entry::Place& place) { return knows[place.writer] >= place.seq; });
}

// Per writer the two furthest that anyone of the group knows: an entry is superseded if somebody
// else's reaches one of its places. Linear where comparing in pairs would be quadratic.
std::vector<bool> Entries::superseded_within(const std::vector<std::size_t>& group) const {
    struct Reach {
        std::uint64_t first = 0, second = 0;
        std::size_t owner = 0;  // of first
    };
    std::vector<Reach> reach(writers_);
    for (const std::size_t index : group) {
        for (std::size_t w = 0; w < writers_; ++w) {
            const std::uint64_t knows = entries_[index].knows[w];
            if (knows > reach[w].first) {
                reach[w] = Reach{knows, reach[w].first, index};
            } else {
                reach[w].second = std::max(reach[w].second, knows);
            }
        }
    }
    std::vector<bool> out;
    out.reserve(group.size());
    for (const std::size_t index : group) {
        const auto& places = entries_[index].places;
        out.push_back(std::any_of(places.begin(), places.end(), [&](const Entry::Place& place) {
            const Reach& at = reach[place.writer];
            return (at.owner == index ? at.second : at.first) >= place.seq;
        }));
    }
    return out;
}

std::vector<std::size_t> Entries::maximal(std::vector<std::size_t> group) {
    if (group.size() < 2) return group;
    const std::vector<bool> superseded = superseded_within(group);
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < group.size(); ++i) {
        if (!superseded[i]) out.push_back(group[i]);
    }
    if (!out.empty()) return out;
    lied_ = true;
    return group;
}

}  // namespace dutybook::domain
