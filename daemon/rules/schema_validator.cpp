#include "rules/schema_validator.h"

#include "rules/schema_numbers.h"
#include "rules/schema_program.h"
#include "rules/schema_sentences.h"

#include <algorithm>
#include <set>
#include <string_view>

namespace dutybook::rules {
namespace {

constexpr std::size_t most_steps = 2'000'000;
constexpr std::size_t most_nested = 400;

// The way from the root to the value, on the stack: pointers are written for errors only.
struct Place {
    const Place* parent = nullptr;
    std::string_view member;
    std::optional<std::size_t> index;

    std::string pointer() const {
        if (parent == nullptr) return {};
        const std::string above = parent->pointer();
        return index ? pointer_to(above, *index) : pointer_to(above, member);
    }
};

std::uint8_t types_of(const Json& value) {
    switch (value.type()) {
        case Json::value_t::null:
            return TypeNull;
        case Json::value_t::boolean:
            return TypeBoolean;
        case Json::value_t::object:
            return TypeObject;
        case Json::value_t::array:
            return TypeArray;
        case Json::value_t::string:
            return TypeString;
        case Json::value_t::number_integer:
        case Json::value_t::number_unsigned:
            return TypeInteger | TypeNumber;
        case Json::value_t::number_float:
            return is_integral(value) ? TypeInteger | TypeNumber : TypeNumber;
        default:
            return 0;
    }
}

std::size_t code_points(std::string_view text) {
    const auto starts = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts));
}

bool matches(const RE2& pattern, std::string_view text) {
    return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), pattern);
}

// One walk. With `errors` every failure is told, until `limit`; without it the walk ends at the
// first one (branches of anyOf, not, if).
class Walk {
public:
    Walk(const SchemaProgram& program, std::size_t limit) : program_(program), limit_(limit) {}

    std::vector<Error> run(const Json& value) {
        std::vector<Error> errors;
        errors_ = &errors;
        check(0, value, Place{});
        if (exhausted_) {
            errors.push_back(malformed("is too large or too deeply nested to be checked"));
        }
        errors_ = nullptr;
        return errors;
    }

private:
    bool check(NodeId id, const Json& value, const Place& place) {
        if (++steps_ > most_steps || nested_ >= most_nested) exhausted_ = true;
        if (exhausted_) return false;
        ++nested_;
        const bool good = check_node(program_.nodes[id], value, place);
        --nested_;
        return good;
    }

    bool check_node(const Node& node, const Json& value, const Place& place) {
        if (node.never) return fail(place, "is not allowed here");
        if (node.types != 0 && (node.types & types_of(value)) == 0) {
            return fail(place, sentence_of_types(node.types));
        }
        bool good = check_values(node, value, place);
        if (node.number && value.is_number()) good &= check_number(*node.number, value, place);
        if (node.string && value.is_string()) good &= check_string(*node.string, value, place);
        if (node.array && value.is_array()) good &= check_array(*node.array, value, place);
        if (node.object && value.is_object()) good &= check_object(*node.object, value, place);
        if (node.combination) good &= check_combination(*node.combination, value, place);
        return good;
    }

    bool check_values(const Node& node, const Json& value, const Place& place) {
        bool good = true;
        if (node.has_enum) {
            steps_ += node.values.size();
            if (std::find(node.values.begin(), node.values.end(), value) == node.values.end()) {
                good &= fail(place, sentence_of_choice(node.values));
            }
        }
        if (node.constant && *node.constant != value) {
            good &= fail(place, "must be " + short_text(*node.constant));
        }
        return good;
    }

    bool check_number(const NumberRules& rules, const Json& value, const Place& place) {
        bool good = true;
        if (rules.minimum && value < *rules.minimum) {
            good &= fail(place, "must be at least " + short_text(*rules.minimum));
        }
        if (rules.maximum && value > *rules.maximum) {
            good &= fail(place, "must be at most " + short_text(*rules.maximum));
        }
        if (rules.exclusive_minimum && value <= *rules.exclusive_minimum) {
            good &= fail(place, "must be more than " + short_text(*rules.exclusive_minimum));
        }
        if (rules.exclusive_maximum && value >= *rules.exclusive_maximum) {
            good &= fail(place, "must be less than " + short_text(*rules.exclusive_maximum));
        }
        if (rules.multiple_of && !is_multiple(value, *rules.multiple_of)) {
            good &= fail(place, "must be a multiple of " + short_text(*rules.multiple_of));
        }
        return good;
    }

    bool check_string(const StringRules& rules, const Json& value, const Place& place) {
        const auto& text = value.get_ref<const std::string&>();
        bool good = true;
        if (rules.min_length || rules.max_length) {
            const std::size_t length = code_points(text);
            if (rules.min_length && length < *rules.min_length) {
                good &= fail(place,
                             *rules.min_length == 1
                                 ? "must not be empty"
                                 : "must have at least " + counted(*rules.min_length, "character"));
            }
            if (rules.max_length && length > *rules.max_length) {
                good &= fail(place, "must have at most " + counted(*rules.max_length, "character"));
            }
        }
        if (rules.pattern && !matches(*rules.pattern, text)) {
            good &= fail(place, "must match the pattern " + rules.pattern_text);
        }
        if (rules.format != nullptr && !rules.format->accepts(text)) {
            good &= fail(place, std::string(rules.format->sentence));
        }
        return good;
    }

    bool check_array(const ArrayRules& rules, const Json& value, const Place& place) {
        bool good = true;
        if (rules.min_items && value.size() < *rules.min_items) {
            good &= fail(place, "must have at least " + counted(*rules.min_items, "element"));
        }
        if (rules.max_items && value.size() > *rules.max_items) {
            good &= fail(place, "must have at most " + counted(*rules.max_items, "element"));
        }
        if (rules.unique && !all_different(value)) {
            good &= fail(place, "must not hold the same element twice");
        }
        for (std::size_t i = 0; i < value.size() && (good || telling()); ++i) {
            const std::optional<NodeId> schema = schema_of_item(rules, i);
            if (schema) good &= check(*schema, value[i], Place{&place, {}, i});
        }
        if (rules.contains && !contains(*rules.contains, value, place)) {
            good &= fail(place, "must hold at least one element of the required form");
        }
        return good;
    }

    static std::optional<NodeId> schema_of_item(const ArrayRules& rules, std::size_t index) {
        if (!rules.tuple) return rules.items;
        return index < rules.tuple->size() ? (*rules.tuple)[index] : rules.rest;
    }

    bool all_different(const Json& array) {
        std::set<std::string> seen;
        return std::all_of(array.begin(), array.end(), [&](const Json& element) {
            std::string text = canonical(element);
            steps_ += 1 + text.size() / 64;
            return steps_ <= most_steps && seen.insert(std::move(text)).second;
        });
    }

    bool contains(NodeId schema, const Json& array, const Place& place) {
        const Silence silence(*this);
        for (std::size_t i = 0; i < array.size(); ++i) {
            if (check(schema, array[i], Place{&place, {}, i})) return true;
        }
        return false;
    }

    bool check_object(const ObjectRules& rules, const Json& value, const Place& place) {
        bool good = true;
        for (const std::string& name : rules.required) good &= require(name, value, place);
        if (rules.min_members && value.size() < *rules.min_members) {
            good &= fail(place, "must have at least " + counted(*rules.min_members, "member"));
        }
        if (rules.max_members && value.size() > *rules.max_members) {
            good &= fail(place, "must have at most " + counted(*rules.max_members, "member"));
        }
        for (auto member = value.begin(); member != value.end() && (good || telling()); ++member) {
            good &= check_member(rules, member.key(), member.value(), place);
        }
        for (const Dependency& dependency : rules.dependencies) {
            if (!value.contains(dependency.member)) continue;
            for (const std::string& name : dependency.required) good &= require(name, value, place);
            if (dependency.schema) good &= check(*dependency.schema, value, place);
        }
        return good;
    }

    bool require(const std::string& name, const Json& object, const Place& place) {
        ++steps_;
        if (object.contains(name)) return true;
        return fail(Place{&place, name, {}}, "is required");
    }

    bool check_member(const ObjectRules& rules, const std::string& name, const Json& value,
                      const Place& place) {
        const Place here{&place, name, {}};
        bool good = true;
        bool known = false;
        if (const auto property = rules.properties.find(name); property != rules.properties.end()) {
            known = true;
            good &= check(property->second, value, here);
        }
        for (const auto& [pattern, schema] : rules.patterns) {
            ++steps_;
            if (!matches(*pattern, name)) continue;
            known = true;
            good &= check(schema, value, here);
        }
        if (!known && rules.additional) good &= check_additional(*rules.additional, value, here);
        if (rules.names) good &= check(*rules.names, Json(name), here);
        return good;
    }

    bool check_additional(NodeId schema, const Json& value, const Place& here) {
        if (program_.nodes[schema].never) return fail(here, "is not a known member");
        return check(schema, value, here);
    }

    bool check_combination(const Combination& rules, const Json& value, const Place& place) {
        bool good = true;
        if (rules.ref) good &= check(*rules.ref, value, place);
        for (const NodeId schema : rules.all_of) good &= check(schema, value, place);
        if (!rules.any_of.empty() && matching(rules.any_of, value, place, 1) == 0) {
            good &= fail(place, "must have one of " + counted(rules.any_of.size(), "form") +
                                    " that are allowed here");
        }
        if (!rules.one_of.empty()) good &= exactly_one(rules.one_of, value, place);
        if (rules.no && quietly(*rules.no, value, place))
            good &= fail(place, "has a form that is not allowed here");
        if (rules.condition) {
            const auto branch =
                quietly(*rules.condition, value, place) ? rules.then : rules.otherwise;
            if (branch) good &= check(*branch, value, place);
        }
        return good;
    }

    bool exactly_one(const std::vector<NodeId>& schemas, const Json& value, const Place& place) {
        const std::size_t count = matching(schemas, value, place, 2);
        if (count == 1) return true;
        return fail(place, (count == 0 ? "must have one of " : "must have only one of ") +
                               counted(schemas.size(), "form") + " that are allowed here");
    }

    // How many of the schemas hold, counting no further than `enough`.
    std::size_t matching(const std::vector<NodeId>& schemas, const Json& value, const Place& place,
                         std::size_t enough) {
        std::size_t count = 0;
        for (const NodeId schema : schemas) {
            if (quietly(schema, value, place) && ++count == enough) break;
        }
        return count;
    }

    bool quietly(NodeId schema, const Json& value, const Place& place) {
        const Silence silence(*this);
        return check(schema, value, place);
    }

    bool telling() const { return errors_ != nullptr && errors_->size() < limit_; }

    bool fail(const Place& place, std::string sentence) {
        if (telling() && !exhausted_) {
            errors_->push_back(malformed(std::move(sentence), place.pointer()));
        }
        return false;
    }

    // While it lives, failures are not told.
    class Silence {
    public:
        explicit Silence(Walk& walk) : walk_(walk), errors_(walk.errors_) {
            walk.errors_ = nullptr;
        }
        ~Silence() { walk_.errors_ = errors_; }
        Silence(const Silence&) = delete;
        Silence& operator=(const Silence&) = delete;

    private:
        Walk& walk_;
        std::vector<Error>* errors_;
    };

    const SchemaProgram& program_;
    const std::size_t limit_;
    std::vector<Error>* errors_ = nullptr;
    std::size_t steps_ = 0;
    std::size_t nested_ = 0;
    bool exhausted_ = false;
};

}  // namespace

Result<Schema> Schema::compile(const Json& document) {
    TRY_ASSIGN(auto program, compile_schema(document));
    return Schema(std::move(program));
}

std::vector<Error> Schema::validate(const Json& value, std::size_t limit) const {
    return Walk(*program_, std::max<std::size_t>(limit, 1)).run(value);
}

}  // namespace dutybook::rules
