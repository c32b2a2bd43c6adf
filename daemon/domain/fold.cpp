#include "domain/fold.h"

#include "base/json.h"
#include "domain/fold_alone.h"
#include "domain/fold_entry.h"
#include "domain/version.h"

#include <algorithm>
#include <tuple>

namespace dutybook::domain {

namespace {

using Group = std::vector<std::size_t>;

// One operation's act on one field, or on one element of it.
struct Touch {
    std::string_view field;
    Act act = Act::Set;
    std::string_view value;
    std::size_t entry = 0;
};

enum class Sort : std::uint8_t { Register, Set, Counter };

Sort sort_of(Act act) {
    if (act == Act::Set) return Sort::Register;
    return act == Act::Increment ? Sort::Counter : Sort::Set;
}

// A value that stands for a conflict's side, with the entry that it is told of.
struct Side {
    std::string value;
    std::size_t entry = 0;
};

using Touches = std::span<const Touch>;

// Exact sums in 128 bits: 2^53 times any number of operations that fits in memory.
__extension__ using Wide = __int128;

class Folder {
public:
    explicit Folder(std::span<const Known> operations) : entries_(operations) {}

    RecordState fold() {
        if (entries_.size() == 0) return std::move(state_);
        state_.id = entries_[0].operation->record;
        fold_envelope();
        fold_life();
        const std::vector<Touch> touches = sorted_touches();
        for (auto from = touches.begin(); from != touches.end();) {
            const auto to = std::find_if(
                from, touches.end(), [&](const Touch& each) { return each.field != from->field; });
            fold_field({from, to});
            from = to;
        }
        std::sort(state_.conflicts.begin(), state_.conflicts.end(),
                  [](const Conflict& a, const Conflict& b) { return a.field < b.field; });
        state_.alarm = entries_.lied();
        return std::move(state_);
    }

private:
    void fold_envelope() {
        const Entry* created = nullptr;
        const Entry* changed = nullptr;
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            const Entry& entry = entries_[i];
            const Operation& operation = *entry.operation;
            if (operation.verb == Verb::Create && (!created || earlier(entry, *created))) {
                created = &entry;
            }
            if (!changed ||
                std::tie(changed->operation->at, changed->operation->hlc, changed->identity) <
                    std::tie(operation.at, operation.hlc, entry.identity)) {
                changed = &entry;
            }
            const bool final = operation.final || operation.verb == Verb::Finalise;
            const Status status = operation.verb == Verb::Retract ? Status::Retracted
                                  : final                         ? Status::Final
                                                                  : Status::Draft;
            state_.status = std::max(state_.status, status);
        }
        if (changed == nullptr) return;
        state_.changed_at = changed->operation->at;
        state_.changed_by = changed->identity;
        if (created == nullptr) return;
        state_.born = true;
        state_.kind = created->operation->kind;
        state_.created = *created->operation;
        state_.created.changes.clear();
    }

    void fold_life() {
        Group all(entries_.size());
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
        const Group maximal = entries_.maximal(std::move(all));
        Group deletes, others;
        for (const std::size_t index : maximal) {
            const bool deletes_it = entries_[index].operation->verb == Verb::Delete;
            (deletes_it ? deletes : others).push_back(index);
        }
        state_.deleted = others.empty();
        if (others.empty() || deletes.empty()) return;
        add_conflict("@record",
                     {Side{"\"keep\"", latest(others)}, Side{"\"delete\"", latest(deletes)}});
    }

    std::vector<Touch> sorted_touches() const {
        std::vector<Touch> out;
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            for (const FieldChange& change : entries_[i].operation->changes) {
                out.push_back(Touch{change.field, change.act, change.value, i});
            }
        }
        std::sort(out.begin(), out.end(), [](const Touch& a, const Touch& b) {
            return std::make_tuple(a.field, sort_of(a.act), a.value, a.entry) <
                   std::make_tuple(b.field, sort_of(b.act), b.value, b.entry);
        });
        return out;
    }

    // All touches of one field, registers first, then elements in order, then increments.
    void fold_field(Touches touches) {
        const auto end_of = [&](Sort sort) {
            return std::partition_point(touches.begin(), touches.end(), [sort](const Touch& each) {
                return sort_of(each.act) <= sort;
            });
        };
        const auto registers_end = end_of(Sort::Register);
        const auto elements_end = end_of(Sort::Set);
        const Touches registers(touches.begin(), registers_end);
        const Touches elements(registers_end, elements_end);
        const Touches increments(elements_end, touches.end());

        std::vector<Side> sides = fold_registers(registers);
        const std::size_t register_sides = sides.size();
        if (!elements.empty()) sides.push_back(fold_elements(elements));
        if (!increments.empty()) sides.push_back(fold_increments(increments));

        const std::string field(touches.front().field);
        if (sides.front().value != "null") {
            state_.fields.emplace(field, sides.front().value);
        }
        const bool mixed = sides.size() > std::max<std::size_t>(register_sides, 1);
        if (mixed && settled(registers, touches.subspan(registers.size()))) {
            sides.resize(register_sides);
        }
        if (sides.size() > 1) add_conflict(field, std::move(sides));
    }

    // One side for each distinct value among the maximal; the shown one first.
    std::vector<Side> fold_registers(Touches registers) {
        const Group maximal = entries_.maximal(group_of(registers));
        std::vector<Side> sides;
        for (const Touch& touch : registers) {
            if (std::find(maximal.begin(), maximal.end(), touch.entry) == maximal.end()) continue;
            const auto same = std::find_if(sides.begin(), sides.end(), [&](const Side& side) {
                return side.value == touch.value;
            });
            if (same == sides.end()) {
                sides.push_back(Side{std::string(touch.value), touch.entry});
            } else if (earlier(entries_[same->entry], entries_[touch.entry])) {
                same->entry = touch.entry;
            }
        }
        const auto shown =
            std::max_element(sides.begin(), sides.end(), [&](const Side& a, const Side& b) {
                return earlier(entries_[a.entry], entries_[b.entry]);
            });
        if (shown != sides.end()) std::iter_swap(sides.begin(), shown);
        return sides;
    }

    Side fold_elements(Touches elements) {
        std::string shown = "[";
        for (auto from = elements.begin(); from != elements.end();) {
            const auto to = std::find_if(
                from, elements.end(), [&](const Touch& each) { return each.value != from->value; });
            if (is_in({from, to})) {
                if (shown.size() > 1) shown += ',';
                shown += from->value;
            }
            from = to;
        }
        return Side{shown + ']', latest(group_of(elements))};
    }
    bool is_in(Touches of_element) {
        const Group maximal = entries_.maximal(group_of(of_element));
        return std::any_of(of_element.begin(), of_element.end(), [&](const Touch& touch) {
            return touch.act == Act::Add &&
                   std::find(maximal.begin(), maximal.end(), touch.entry) != maximal.end();
        });
    }

    Side fold_increments(Touches increments) {
        Wide sum = 0;
        for (const Touch& touch : increments) sum += std::stoll(std::string(touch.value));
        const Wide limit = max_safe_integer;
        sum = std::clamp(sum, -limit, limit);
        return Side{std::to_string(static_cast<std::int64_t>(sum)), latest(group_of(increments))};
    }

    // Whether one register operation knew all operations of the other sorts.
    bool settled(Touches registers, Touches others) const {
        return std::any_of(registers.begin(), registers.end(), [&](const Touch& reg) {
            return std::all_of(others.begin(), others.end(), [&](const Touch& other) {
                return entries_.supersedes(reg.entry, other.entry);
            });
        });
    }

    // Distinct entries of touches.
    static Group group_of(Touches touches) {
        Group out;
        out.reserve(touches.size());
        for (const Touch& touch : touches) out.push_back(touch.entry);
        std::sort(out.begin(), out.end());
        out.erase(std::unique(out.begin(), out.end()), out.end());
        return out;
    }
    std::size_t latest(const Group& group) const {
        return *std::max_element(group.begin(), group.end(), [&](std::size_t a, std::size_t b) {
            return earlier(entries_[a], entries_[b]);
        });
    }

    // The first side is the one shown; the others follow, latest first.
    void add_conflict(std::string field, std::vector<Side> sides) {
        std::sort(sides.begin() + 1, sides.end(), [&](const Side& a, const Side& b) {
            if (a.entry != b.entry) return earlier(entries_[b.entry], entries_[a.entry]);
            return a.value < b.value;
        });
        Conflict conflict;
        conflict.field = std::move(field);
        conflict.shown = sides.front().value;
        for (Side& side : sides) {
            const Entry& entry = entries_[side.entry];
            conflict.values.push_back(ConflictValue{std::move(side.value), entry.identity,
                                                    entry.operation->at, entry.operation->by});
        }
        state_.conflicts.push_back(std::move(conflict));
    }

    Entries entries_;
    RecordState state_;
};

// Every part with its length in front, so that no two states share a text.
class HashText {
public:
    void part(std::string_view text) {
        text_ += std::to_string(text.size());
        text_ += ':';
        text_ += text;
    }
    void number(std::int64_t value) { part(std::to_string(value)); }
    const std::string& text() const { return text_; }

private:
    std::string text_;
};

}  // namespace

std::string_view name_of(Status status) {
    switch (status) {
        case Status::Draft:
            return "draft";
        case Status::Final:
            return "final";
        case Status::Retracted:
            return "retracted";
    }
    return {};
}

RecordState fold(std::span<const Known> operations) {
    if (operations.size() == 1) {
        if (auto state = fold_alone(*operations.front().operation)) return std::move(*state);
    }
    return Folder(operations).fold();
}

Hash hash_of(const RecordState& state) {
    HashText out;
    out.part(state.id);
    out.part(state.kind);
    out.part(name_of(state.status));
    out.part(state.deleted ? "deleted" : "alive");
    out.number(static_cast<std::int64_t>(state.fields.size()));
    for (const auto& [field, value] : state.fields) {
        out.part(field);
        out.part(value);
    }
    out.number(static_cast<std::int64_t>(state.conflicts.size()));
    for (const Conflict& conflict : state.conflicts) {
        out.part(conflict.field);
        out.part(conflict.shown);
        out.number(static_cast<std::int64_t>(conflict.values.size()));
        for (const ConflictValue& each : conflict.values) {
            out.part(each.value);
            out.part(each.operation.text());
            out.number(each.at);
            out.part(each.by);
        }
    }
    return blake2b("dutybook record", out.text());
}

std::string version_of(const RecordState& state) {
    return version_of(hash_of(state));
}

std::string version_of(const Hash& hash) {
    return hex(std::span(hash).first<8>());
}

}  // namespace dutybook::domain
