#include "core/change.h"

#include <algorithm>
#include <set>

namespace dutybook::core {

namespace {

using domain::Act;
using domain::Merge;

constexpr std::int64_t safe_integer = (std::int64_t{1} << 53) - 1;

Merge merge_of(const domain::KindTraits& traits, const std::string& field) {
    const auto found = traits.fields.find(field);
    return found == traits.fields.end() ? Merge::Register : found->second.merge;
}

Result<void> check_name(const std::string& field, const std::string& pointer) {
    if (domain::valid_field_name(field)) return {};
    return malformed(
        "a field name has 1 to 128 characters, none of them a control character, and does not "
        "begin with @",
        pointer);
}

Result<std::int64_t> whole_number(const Json& value, const std::string& pointer) {
    if (value.is_number_integer()) {
        const bool fits = value.is_number_unsigned()
                              ? value.get<std::uint64_t>() <= std::uint64_t{safe_integer}
                              : std::abs(value.get<std::int64_t>()) <= safe_integer;
        if (fits) return value.get<std::int64_t>();
    } else if (value.is_number_float()) {
        const double number = value.get<double>();
        const auto whole = static_cast<std::int64_t>(std::clamp(
            number, -static_cast<double>(safe_integer), static_cast<double>(safe_integer)));
        if (static_cast<double>(whole) == number) return whole;
    }
    return malformed("a counter counts in whole numbers up to 2^53-1", pointer);
}

Result<std::set<std::string>> elements(const Json& value, const std::string& pointer) {
    if (!value.is_array()) return malformed("must be a list, because the field is a set", pointer);
    std::set<std::string> out;
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value[i].is_null()) {
            return malformed("an element of a set cannot be null", pointer_to(pointer, i));
        }
        out.insert(canonical(value[i]));
    }
    return out;
}

void append(Changes& out, const std::string& field, Act act, const std::set<std::string>& values) {
    for (const auto& value : values) out.push_back({field, act, value});
}

Json shown_value(const domain::RecordState& state, const std::string& field) {
    const auto found = state.fields.find(field);
    return found == state.fields.end() ? Json() : Json::parse(found->second, nullptr, false);
}

// {"$add": ...} and its kin; a plain object has no member that begins with '$'.
bool is_instruction(const Json& value) {
    return value.is_object() && !value.empty() &&
           std::any_of(value.items().begin(), value.items().end(),
                       [](const auto& item) { return item.key().rfind('$', 0) == 0; });
}

// RFC 7396, section 2. Recursion is bounded by the depth limit of parsed JSON.
Json merged(Json target, const Json& patch) {
    if (!patch.is_object()) return patch;
    if (!target.is_object()) target = Json::object();
    for (const auto& [name, value] : patch.items()) {
        if (value.is_null()) {
            target.erase(name);
        } else {
            target[name] = merged(target.contains(name) ? target[name] : Json(), value);
        }
    }
    return target;
}

// One field of a patch.
class FieldPatch {
public:
    FieldPatch(const std::string& field, const Working& record, Merge merge, Changes& out)
        : field_(field),
          pointer_(pointer_to("", field)),
          record_(record),
          merge_(merge),
          out_(out),
          as_register_(merge == Merge::Register || record.written_as_register(field)) {}

    Result<void> apply(const Json& value) {
        if (is_instruction(value)) return instruct(value);
        if (as_register_) return replace(merged(shown_value(record_.state(), field_), value));
        if (merge_ == Merge::Set) return whole_set(value);
        return whole_counter(value);
    }

    // The value itself, with nothing of what stands merged into it.
    Result<void> become(const Json& value) {
        return merge_ == Merge::Set && !as_register_ ? whole_set(value) : replace(value);
    }

private:
    Result<void> replace(const Json& value) {
        const auto found = record_.state().fields.find(field_);
        const std::string text = canonical(value);
        const std::string& shown = found == record_.state().fields.end() ? null_ : found->second;
        const bool settles =
            record_.conflict(field_) != nullptr || record_.conflict("@record") != nullptr;
        if (text != shown || settles) out_.push_back({field_, Act::Set, text});
        return {};
    }

    Result<std::set<std::string>> shown_elements() const {
        const Json shown = shown_value(record_.state(), field_);
        if (shown.is_null()) return std::set<std::string>{};
        return elements(shown, pointer_);
    }

    Result<void> write_set(const std::set<std::string>& add, const std::set<std::string>& remove) {
        TRY_ASSIGN(std::set<std::string> shown, shown_elements());
        std::set<std::string> added, removed;
        std::set_difference(add.begin(), add.end(), shown.begin(), shown.end(),
                            std::inserter(added, added.end()));
        std::set_intersection(remove.begin(), remove.end(), shown.begin(), shown.end(),
                              std::inserter(removed, removed.end()));
        if (added.empty() && removed.empty()) return {};
        if (!as_register_) {
            append(out_, field_, Act::Add, added);
            append(out_, field_, Act::Remove, removed);
            return {};
        }
        for (const auto& element : removed) shown.erase(element);
        shown.insert(added.begin(), added.end());
        Json whole = Json::array();
        for (const auto& element : shown) whole.push_back(Json::parse(element, nullptr, false));
        return replace(whole);
    }

    Result<void> whole_set(const Json& value) {
        std::set<std::string> wanted;
        if (!value.is_null()) {
            TRY_ASSIGN(wanted, elements(value, pointer_));
        }
        TRY_ASSIGN(const std::set<std::string> shown, shown_elements());
        std::set<std::string> gone;
        std::set_difference(shown.begin(), shown.end(), wanted.begin(), wanted.end(),
                            std::inserter(gone, gone.end()));
        return write_set(wanted, gone);
    }

    Result<void> count(std::int64_t by) {
        if (by == 0) return {};
        if (!as_register_) {
            out_.push_back({field_, Act::Increment, std::to_string(by)});
            return {};
        }
        TRY_ASSIGN(const std::int64_t shown, shown_number());
        return replace(shown + by);
    }

    Result<std::int64_t> shown_number() const {
        const Json shown = shown_value(record_.state(), field_);
        if (shown.is_null()) return std::int64_t{0};
        return whole_number(shown, pointer_);
    }

    Result<void> whole_counter(const Json& value) {
        if (value.is_null()) {
            return malformed("a counter cannot be cleared; count it down to 0", pointer_);
        }
        TRY_ASSIGN(const std::int64_t wanted, whole_number(value, pointer_));
        TRY_ASSIGN(const std::int64_t shown, shown_number());
        return count(wanted - shown);
    }

    Result<void> instruct(const Json& value) {
        std::set<std::string> add, remove;
        for (const auto& [name, argument] : value.items()) {
            const std::string place = pointer_to(pointer_, name);
            if (name == "$increment" && merge_ == Merge::Counter && value.size() == 1) {
                TRY_ASSIGN(const std::int64_t by, whole_number(argument, place));
                return count(by);
            }
            if (merge_ != Merge::Set || (name != "$add" && name != "$remove")) {
                return malformed("only a set takes $add and $remove, only a counter $increment",
                                 place);
            }
            TRY_ASSIGN((name == "$add" ? add : remove), elements(argument, place));
        }
        for (const auto& element : add) {
            if (remove.count(element) != 0) {
                return malformed("the element " + element + " is added and removed at once",
                                 pointer_);
            }
        }
        return write_set(add, remove);
    }

    const std::string null_ = "null";
    const std::string& field_;
    const std::string pointer_;
    const Working& record_;
    const Merge merge_;
    Changes& out_;
    const bool as_register_;
};

}  // namespace

Result<Changes> changes_of_create(const Json& fields, const domain::KindTraits& traits) {
    Changes out;
    out.reserve(fields.size());
    for (const auto& [field, value] : fields.items()) {
        if (value.is_null()) continue;
        const std::string pointer = pointer_to("/fields", field);
        TRY(check_name(field, pointer));
        switch (merge_of(traits, field)) {
            case Merge::Register:
                out.push_back({field, Act::Set, canonical(value)});
                break;
            case Merge::Set: {
                TRY_ASSIGN(const std::set<std::string> values, elements(value, pointer));
                append(out, field, Act::Add, values);
                break;
            }
            case Merge::Counter: {
                TRY_ASSIGN(const std::int64_t by, whole_number(value, pointer));
                out.push_back({field, Act::Increment, std::to_string(by)});
                break;
            }
        }
    }
    return out;
}

Result<Changes> changes_of_patch(const Json& patch, const Working& record,
                                 const domain::KindTraits& traits) {
    Changes out;
    for (const auto& [field, value] : patch.items()) {
        TRY(check_name(field, pointer_to("", field)));
        FieldPatch one(field, record, merge_of(traits, field), out);
        TRY(one.apply(value));
    }
    return out;
}

Result<Changes> changes_of_migration(const Json& fields, const Working& record,
                                     const domain::KindTraits& traits) {
    Changes out;
    for (const auto& [field, value] : fields.items()) {
        Merge merge = merge_of(traits, field);
        // Of a field that left the schema its operations say that it was a set: its elements go,
        // and what another site adds meanwhile stays.
        const bool elements =
            !record.written_as_register(field) && shown_value(record.state(), field).is_array();
        if (value.is_null() && elements) merge = Merge::Set;
        FieldPatch one(field, record, merge, out);
        TRY(one.become(value));
    }
    return out;
}

Json fields_of(const domain::RecordState& state) {
    Json out = Json::object();
    for (const auto& [field, text] : state.fields) {
        Json value = Json::parse(text, nullptr, false);
        if (!value.is_discarded()) out[field] = std::move(value);
    }
    return out;
}

}  // namespace dutybook::core
