// A need is turned round: which subjects (or records of an earlier need) would look this record up?
// The lookup goes by one anchor, the subject or one earlier need, and uses those conditions that
// bind it; leaving a condition out only finds more.

#include "rules/need_values.h"

#include <algorithm>

namespace dutybook::rules {
namespace {

constexpr std::size_t no_limit = 1'000'000'000;

// "anchor.path equals one of these values of the record".
struct Equality {
    Path path;
    std::vector<SpacedValue> values;
    bool refers = false;  // the values are references
    bool by_id = false;   // an id that is not in the own space is looked for in the parent
};

class Turner {
public:
    Turner(const NeedSet& set, const Need& need, const RuleRecord& record,
           const NeedContext& context)
        : set_(set), need_(need), record_(record), context_(context) {}

    std::vector<Reach> run() {
        if (record_.kind != need_.kind || !collect_equalities() || !time_of_record()) return {};
        const auto anchor = choose_anchor();
        const Need* through = anchor ? set_.find(*anchor) : nullptr;
        std::vector<NeedQuery> queries = start(through);
        if (anchor) {
            // Several records of a list may satisfy the conditions together that none does alone.
            const bool list = through != nullptr && through->list;
            if (!list) set_range(*anchor, queries);
            bool used = false;
            for (const Equality& equality : equalities_) {
                if (equality.path.name != *anchor || !narrows(equality.path)) continue;
                if (list && used) continue;
                queries = narrowed(queries, equality, through);
                used = true;
            }
        }
        std::vector<Reach> reaches;
        reaches.reserve(queries.size());
        for (NeedQuery& query : queries) reaches.push_back({std::move(query), through});
        return reaches;
    }

private:
    static bool narrows(const Path& path) { return path.is_id() || path.whole_field(); }

    // False if the record cannot be one of the need's.
    bool collect_equalities() {
        if (need_.id) {
            if (need_.id->of_configuration()) return true;
            equalities_.push_back({*need_.id, {{Json(record_.id), record_.space}}, true, true});
            return true;
        }
        return std::all_of(need_.where.begin(), need_.where.end(),
                           [&](const Condition& condition) { return collect(condition); });
    }

    bool collect(const Condition& condition) {
        std::vector<SpacedValue> held;
        for (Json& value : values_at(Path{"record", {condition.field}}, record_)) {
            held.push_back({std::move(value), record_.space});
        }
        if (held.empty()) return false;
        if (const auto* constant = std::get_if<Json>(&condition.value)) {
            return std::any_of(held.begin(), held.end(),
                               [&](const SpacedValue& value) { return value.value == *constant; });
        }
        const auto& path = std::get<Path>(condition.value);
        if (path.of_configuration()) return true;
        equalities_.push_back(
            {path, std::move(held), is_reference(context_, need_.kind, condition.field), false});
        return true;
    }

    bool time_of_record() {
        if (need_.field.empty()) return true;
        const auto values = values_at(Path{"record", {need_.field}}, record_);
        if (values.size() != 1 || !values.front().is_string()) return false;
        time_ = values.front().get<std::string>();
        return true;
    }

    // What is bound by an equality rather than by a time alone; the subject rather than a need.
    std::optional<std::string> choose_anchor() const {
        std::optional<std::string> best;
        int best_rank = -1;
        for (const std::string& name : need_.depends()) {
            const bool equal =
                std::any_of(equalities_.begin(), equalities_.end(), [&](const Equality& equality) {
                    return equality.path.name == name && narrows(equality.path);
                });
            const int rank = (equal ? 2 : 0) + (name == set_.subject ? 1 : 0);
            if (rank > best_rank) {
                best_rank = rank;
                best = name;
            }
        }
        return best;
    }

    std::vector<NeedQuery> start(const Need* through) const {
        std::vector<NeedQuery> queries;
        NeedQuery query;
        query.limit = no_limit;
        if (through != nullptr) {
            query.kind = through->kind;
            return {query};
        }
        query.space = context_.space;
        for (const std::string& kind : set_.kinds) {
            query.kind = kind;
            queries.push_back(query);
        }
        return queries;
    }

    void set_range(const std::string& anchor, std::vector<NeedQuery>& queries) const {
        std::string field;
        std::optional<Bound> low, high;
        const auto use = [&](const std::optional<Moment>& moment, End end,
                             std::optional<Bound>& bound) {
            if (!moment || !moment->base || moment->base->name != anchor) return;
            if (!moment->base->whole_field()) return;
            if (!field.empty() && field != moment->base->members.front()) return;
            const auto moved = duration_of(*moment, context_.configuration);
            if (!moved) return;
            field = moment->base->members.front();
            bound = bound_before(time_, *moved, end);
        };
        use(need_.from, End::To, high);  // record >= anchor + moved: the anchor is not later
        use(need_.to, End::From, low);
        for (NeedQuery& query : queries) {
            if (!low && !high) continue;
            query.field = field;
            if (low) query.from = low->instant, query.from_date = low->date;
            if (high) query.to = high->instant, query.to_date = high->date;
        }
    }

    std::vector<NeedQuery> narrowed(const std::vector<NeedQuery>& queries, const Equality& equality,
                                    const Need* through) const {
        std::vector<NeedQuery> result;
        for (const NeedQuery& query : queries) {
            for (const Written& form : forms(equality)) {
                const bool other_space =
                    !form.space.empty() && !query.space.empty() && form.space != query.space;
                if (other_space) continue;
                NeedQuery narrower = query;
                if (!form.space.empty()) narrower.space = form.space;
                if (equality.path.is_id()) {
                    narrower.ids = {form.value.get<std::string>()};
                    if (through != nullptr) narrower.space.clear();  // the id names its space
                } else {
                    narrower.where.emplace_back(equality.path.members.front(),
                                                canonical(form.value));
                }
                if (std::none_of(result.begin(), result.end(), [&](const NeedQuery& other) {
                        return other.kind == narrower.kind && other.space == narrower.space &&
                               other.ids == narrower.ids && other.where == narrower.where;
                    })) {
                    result.push_back(std::move(narrower));
                }
            }
        }
        return result;
    }

    // How records of the anchor's kind would hold the values.
    std::vector<Written> forms(const Equality& equality) const {
        std::vector<Written> forms;
        const bool id = equality.path.is_id();
        const bool refers = equality.refers || id;
        for (const SpacedValue& value : equality.values) {
            if (!refers || !value.value.is_string()) {
                if (!id) forms.push_back({value.value, ""});
                continue;
            }
            const Reference reference = reference_of(value.value.get<std::string>(), value.space);
            if (id) {
                const bool own = reference.space == context_.space;
                forms.push_back({own ? reference.id : reference.space + "/" + reference.id, ""});
                continue;
            }
            const auto written = written_reference(reference, context_.space);
            forms.insert(forms.end(), written.begin(), written.end());
            if (equality.by_id && written.size() > 1) {
                forms.push_back({reference.id, context_.space});
            }
        }
        return forms;
    }

    const NeedSet& set_;
    const Need& need_;
    const RuleRecord& record_;
    const NeedContext& context_;
    std::vector<Equality> equalities_;
    std::string time_;
};

}  // namespace

std::vector<Reach> backward(const NeedSet& set, const Need& need, const RuleRecord& record,
                            const NeedContext& context) {
    return Turner(set, need, record, context).run();
}

}  // namespace dutybook::rules
