#include "base/json.h"
#include "domain/json_dom.h"
#include "domain/operation.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace dutybook::domain {

namespace {

using simdjson::dom::element;

std::optional<Verb> verb_of(std::string_view word) {
    for (const Verb verb : {Verb::Create, Verb::Change, Verb::Delete, Verb::Restore, Verb::Resolve,
                            Verb::Finalise, Verb::Retract}) {
        if (name_of(verb) == word) return verb;
    }
    return std::nullopt;
}

// Takes the members of one line into an Operation; the first fault ends it.
class LineReader {
public:
    explicit LineReader(Operation& operation) : out_(operation) {}

    bool read(simdjson::dom::object line, std::string& why) {
        for (const auto member : line) {
            if (!take(member.key, member.value)) {
                why = "\"" + std::string(member.key) + "\" is not what format 1 says";
                return false;
            }
        }
        why = fault_of_whole();
        return why.empty();
    }

private:
    bool take(std::string_view name, element value) {
        if (name == "add") return take_elements(value, Act::Add);
        if (name == "at") return take_integer(value, out_.at) && (has_at_ = true);
        if (name == "auth") return take_text(value, out_.auth);
        if (name == "by") return take_text(value, out_.by);
        if (name == "device") return take_text(value, out_.device);
        if (name == "final") return value.get_bool().get(out_.final) == simdjson::SUCCESS;
        if (name == "first") return take_first(value);
        if (name == "hlc") return take_hlc(value);
        if (name == "inc") return take_increments(value);
        if (name == "kind") return take_text(value, out_.kind) && valid_kind(out_.kind);
        if (name == "on_behalf") return take_text(value, out_.on_behalf);
        if (name == "reason") return take_text(value, out_.reason);
        if (name == "record") return take_text(value, out_.record) && valid_record_id(out_.record);
        if (name == "remove") return take_elements(value, Act::Remove);
        if (name == "set") return take_registers(value);
        if (name == "source") return take_text(value, out_.source);
        if (name == "zone") return take_text(value, out_.zone);
        return true;  // unknown members are kept in the line and mean nothing
    }

    static bool take_text(element value, std::string& out) {
        std::string_view text;
        if (value.get_string().get(text) != simdjson::SUCCESS) return false;
        out = text;
        return true;
    }
    static bool take_integer(element value, std::int64_t& out) {
        if (value.get_int64().get(out) == simdjson::SUCCESS) return true;
        double number = 0;  // 1.0 is an integer in JSON
        if (value.get_double().get(number) != simdjson::SUCCESS) return false;
        // 2^63 is a double and no int64; what the cast makes of it differs between processors.
        if (number < -0x1p63 || number >= 0x1p63) return false;
        out = static_cast<std::int64_t>(number);
        return static_cast<double>(out) == number;
    }
    static bool take_pair(element value, element& first, element& second) {
        simdjson::dom::array pair;
        if (value.get_array().get(pair) != simdjson::SUCCESS || pair.size() != 2) return false;
        first = pair.at(0).value_unsafe();
        second = pair.at(1).value_unsafe();
        return true;
    }
    bool take_first(element value) {
        element writer, seq;
        OperationId first;
        std::int64_t number = 0;
        if (!take_pair(value, writer, seq) || !take_text(writer, first.writer) ||
            !take_integer(seq, number) || number < 1) {
            return false;
        }
        first.seq = static_cast<std::uint64_t>(number);
        out_.first = std::move(first);
        return valid_writer(out_.first->writer) && *out_.first != out_.id &&
               site_of(out_.first->writer) == site_of(out_.id.writer);
    }
    bool take_hlc(element value) {
        element ms, counter;
        std::int64_t number = 0;
        if (!take_pair(value, ms, counter) || !take_integer(ms, out_.hlc.ms) ||
            !take_integer(counter, number) || out_.hlc.ms < 0 || number < 0 ||
            number > std::numeric_limits<std::uint32_t>::max()) {
            return false;
        }
        out_.hlc.counter = static_cast<std::uint32_t>(number);
        return has_hlc_ = true;
    }
    template <class Take>
    static bool each_field(element value, const Take& take_field) {
        simdjson::dom::object object;
        if (value.get_object().get(object) != simdjson::SUCCESS) return false;
        for (const auto member : object) {
            if (!valid_field_name(member.key) || !take_field(member.key, member.value)) {
                return false;
            }
        }
        return true;
    }
    void change(std::string_view field, Act act, element value) {
        out_.changes.push_back(FieldChange{std::string(field), act, canonical_text(value)});
    }
    bool take_registers(element value) {
        return each_field(value, [&](std::string_view field, element item) {
            change(field, Act::Set, item);
            return true;
        });
    }
    bool take_elements(element value, Act act) {
        return each_field(value, [&](std::string_view field, element item) {
            simdjson::dom::array elements;
            if (item.get_array().get(elements) != simdjson::SUCCESS) return false;
            for (const element each : elements) change(field, act, each);
            return true;
        });
    }
    bool take_increments(element value) {
        return each_field(value, [&](std::string_view field, element item) {
            std::int64_t number = 0;
            if (!take_integer(item, number)) return false;
            change(field, Act::Increment, item);
            return true;
        });
    }

    // What no single member shows. Sorts the changes; an element named twice counts once.
    std::string fault_of_whole() {
        if (out_.record.empty()) return "\"record\" is missing";
        if (!has_hlc_) return "\"hlc\" is missing";
        if (!has_at_) out_.at = out_.hlc.ms;
        const bool create = out_.verb == Verb::Create;
        if (create && out_.kind.empty()) return "a create needs \"kind\"";
        if (!create && (!out_.kind.empty() || out_.final)) {
            return "only a create has \"kind\" and \"final\"";
        }
        auto& changes = out_.changes;
        const auto less = [](const FieldChange& a, const FieldChange& b) {
            return std::tie(a.field, a.act, a.value) < std::tie(b.field, b.act, b.value);
        };
        const auto equal = [](const FieldChange& a, const FieldChange& b) {
            return a.field == b.field && a.act == b.act && a.value == b.value;
        };
        if (!std::is_sorted(changes.begin(), changes.end(), less)) {
            std::sort(changes.begin(), changes.end(), less);
        }
        changes.erase(std::unique(changes.begin(), changes.end(), equal), changes.end());
        if (out_.verb == Verb::Delete && !changes.empty()) return "a delete changes no field";
        if (out_.verb == Verb::Change && changes.empty()) return "the change is empty";
        return fault_of_changes();
    }
    // One operation treats a field as one sort, and an element in one way: else its parts would be
    // concurrent with each other.
    std::string fault_of_changes() const {
        const auto& changes = out_.changes;
        const auto is_element = [](const FieldChange& each) {
            return each.act == Act::Add || each.act == Act::Remove;
        };
        for (auto from = changes.begin(); from != changes.end();) {
            const auto same_field = [&](const FieldChange& each) {
                return each.field == from->field;
            };
            const auto to = std::find_if_not(from, changes.end(), same_field);
            if (to - from > 1 && !std::all_of(from, to, is_element)) {
                return "field \"" + from->field + "\" is changed in two sorts";
            }
            auto added = from;
            auto removed = std::find_if(
                from, to, [](const FieldChange& each) { return each.act == Act::Remove; });
            for (const auto middle = removed; added != middle && removed != to;) {
                if (added->value == removed->value) {
                    return "field \"" + from->field + "\": an element is added and removed";
                }
                ++(added->value < removed->value ? added : removed);
            }
            from = to;
        }
        return {};
    }

    Operation& out_;
    bool has_at_ = false, has_hlc_ = false;
};

ReadOperation verdict(ReadOperation&& read, Reading reading, std::string why) {
    const OperationId id = read.operation.id;
    read.operation = Operation{};
    read.operation.id = id;
    read.reading = reading;
    read.why = std::move(why);
    return std::move(read);
}

}  // namespace

ReadOperation read_operation(std::string_view line, const OperationId& id) {
    ReadOperation out;
    out.operation.id = id;
    // These hold for every format, today's and later ones.
    if (line.size() > Limits::operation_bytes) {
        return verdict(std::move(out), Reading::Malformed, "longer than 64 KiB");
    }
    element root;
    std::string why;
    if (line.empty() || line.front() != '{') {
        return verdict(std::move(out), Reading::Malformed, "not a JSON object");
    }
    if (!JsonDocument::parse(line, Limits::depth, root, why)) {
        return verdict(std::move(out), Reading::Malformed, std::move(why));
    }
    const simdjson::dom::object object = root.get_object().value_unsafe();

    element member;
    if (object.at_key("format").get(member) == simdjson::SUCCESS) {
        std::int64_t format = 0;
        if (member.get_int64().get(format) != simdjson::SUCCESS || format < 1) {
            return verdict(std::move(out), Reading::Malformed, "\"format\" is not a number");
        }
        if (format > 1) {
            return verdict(std::move(out), Reading::Newer, "format " + std::to_string(format));
        }
    }
    std::string_view word;
    if (object["do"].get_string().get(word) != simdjson::SUCCESS) {
        return verdict(std::move(out), Reading::Malformed, "\"do\" is missing or not a string");
    }
    const auto verb = verb_of(word);
    if (!verb) {
        return verdict(std::move(out), Reading::Newer, "\"do\" is \"" + std::string(word) + "\"");
    }
    out.operation.verb = *verb;
    if (!LineReader(out.operation).read(object, why)) {
        return verdict(std::move(out), Reading::Malformed, std::move(why));
    }
    return out;
}

}  // namespace dutybook::domain
