#include "rules/need_values.h"

#include <algorithm>
#include <set>

namespace dutybook::rules {
namespace {

constexpr std::size_t most_queries = 200;

Error too_many(const Need& need) {
    return failure(Code::TooLarge, "the need \"" + need.name + "\" asks for more than 200 lookups");
}

Result<std::vector<NeedQuery>> by_id(const Need& need, const Bindings& bindings,
                                     const NeedContext& context) {
    NeedQuery query;
    query.kind = need.kind;
    query.limit = need.limit;
    std::set<std::string> ids;
    for (const SpacedValue& value : values_of(*need.id, bindings, context)) {
        if (!value.value.is_string()) continue;
        const Reference reference = reference_of(value.value.get<std::string>(), value.space);
        // An id in the own space may also be one of the parent: the source looks there second.
        ids.insert(reference.space == context.space ? reference.id
                                                    : reference.space + "/" + reference.id);
    }
    if (ids.size() > most_queries) return too_many(need);
    if (ids.empty()) return std::vector<NeedQuery>{};
    query.ids.assign(ids.begin(), ids.end());
    return std::vector<NeedQuery>{query};
}

// The forms of every value of a condition, each once.
std::vector<Written> forms_of(const Condition& condition, const Need& need,
                              const Bindings& bindings, const NeedContext& context) {
    std::vector<SpacedValue> values;
    bool refers = is_reference(context, need.kind, condition.field);
    if (const auto* constant = std::get_if<Json>(&condition.value)) {
        values.push_back({*constant, context.space});
    } else {
        const auto& path = std::get<Path>(condition.value);
        values = values_of(path, bindings, context);
        refers = refers || path.is_id();
    }
    std::vector<Written> forms;
    for (const SpacedValue& value : values) {
        std::vector<Written> more{{value.value, ""}};
        if (refers && value.value.is_string()) {
            more = written_reference(reference_of(value.value.get<std::string>(), value.space),
                                     context.space);
        }
        for (Written& form : more) {
            if (std::find(forms.begin(), forms.end(), form) == forms.end()) {
                forms.push_back(std::move(form));
            }
        }
    }
    return forms;
}

// Every query so far with every form, where their spaces agree.
Result<std::vector<NeedQuery>> combined(const std::vector<NeedQuery>& queries,
                                        const std::string& field, const std::vector<Written>& forms,
                                        const Need& need) {
    std::vector<NeedQuery> combinations;
    for (const NeedQuery& query : queries) {
        for (const Written& form : forms) {
            const bool agree =
                query.space.empty() || form.space.empty() || query.space == form.space;
            if (!agree) continue;
            if (combinations.size() == most_queries) return too_many(need);
            combinations.push_back(query);
            combinations.back().where.emplace_back(field, canonical(form.value));
            if (!form.space.empty()) combinations.back().space = form.space;
        }
    }
    return combinations;
}

// The texts that a moment's path holds, at most one in each record: a list is no moment.
std::vector<std::string> moments_of(const Path& path, const Bindings& bindings,
                                    const NeedContext& context) {
    std::vector<std::string> texts;
    const auto take = [&](const std::vector<Json>& values) {
        if (values.size() == 1 && values.front().is_string()) {
            texts.push_back(values.front().get<std::string>());
        }
    };
    if (path.of_configuration()) take(values_at(path, context.configuration));
    const auto bound = bindings.find(path.name);
    if (bound == bindings.end()) return texts;
    for (const RuleRecord& record : bound->second) {
        const auto field = record.fields.find(path.members.front());
        const bool list = field != record.fields.end() && field->second.starts_with('[');
        if (!list) take(values_at(path, record));
    }
    return texts;
}

// The widest end over all values; nothing if there is none.
std::optional<Bound> end_of(const Moment& moment, End end, const Bindings& bindings,
                            const NeedContext& context) {
    const auto moved = duration_of(moment, context.configuration);
    if (!moved) return std::nullopt;
    if (!moment.base) {
        if (!context.now) return std::nullopt;
        return bound_of(*context.now, *moved, end);
    }
    std::optional<Bound> widest;
    for (const std::string& text : moments_of(*moment.base, bindings, context)) {
        const auto bound = bound_of(text, *moved, end);
        if (!bound) continue;
        const bool wider = !widest || (end == End::From ? bound->instant < widest->instant
                                                        : bound->instant > widest->instant);
        if (wider) widest = bound;
    }
    return widest;
}

// False where a declared end has no value: the need is empty then.
bool set_range(const Need& need, const Bindings& bindings, const NeedContext& context,
               NeedQuery& query) {
    if (need.from) {
        const auto from = end_of(*need.from, End::From, bindings, context);
        if (!from) return false;
        query.from = from->instant;
        query.from_date = from->date;
    }
    if (need.to) {
        const auto to = end_of(*need.to, End::To, bindings, context);
        if (!to) return false;
        query.to = to->instant;
        query.to_date = to->date;
    }
    return true;
}

}  // namespace

std::optional<Millis> moment_of(const Moment& moment, const Bindings& bindings,
                                const NeedContext& context) {
    const auto bound = end_of(moment, End::From, bindings, context);
    if (!bound) return std::nullopt;
    return bound->instant;
}

Result<std::vector<NeedQuery>> forward(const Need& need, const Bindings& bindings,
                                       const NeedContext& context) {
    if (need.id) return by_id(need, bindings, context);
    NeedQuery query;
    query.kind = need.kind;
    query.field = need.field;
    query.limit = need.limit;
    if (!set_range(need, bindings, context, query)) return std::vector<NeedQuery>{};
    std::vector<NeedQuery> queries{query};
    for (const Condition& condition : need.where) {
        const auto forms = forms_of(condition, need, bindings, context);
        TRY_ASSIGN(queries, combined(queries, condition.field, forms, need));
    }
    return queries;
}

}  // namespace dutybook::rules
