#pragma once
// What a rule declares that it needs, compiled to lookups, forward and backward. Pure.
//
// Forward: given the subject (and the needs before it), the exact lookups of a need. Backward:
// given a record that changed, the lookups that find every subject whose forward lookups could
// bring that record, as it was or as it is. Backward may find a subject too many (it is judged
// again for nothing), never one too few.
//
// References between spaces. A value in a field that its kind declares a reference (x-refers) names
// (space, id): "district/p1", or "p1" in the record's own space. Lookups are written as each
// space's records would write it, so that "p1" of the district and "p1" of the school are never
// mixed up. Other values are compared as they are, in the own space and the parent.

#include "base/json.h"
#include "domain/kind.h"
#include "rules/evaluator.h"
#include "rules/need_expression.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace dutybook::rules {

struct Condition {
    std::string field;
    std::variant<Path, Json> value;  // Json: a constant
};

struct Need {
    std::string name;
    std::string kind;
    std::optional<Path> id;
    bool list = false;  // the function gets a list (always so for a need by conditions)
    std::vector<Condition> where;
    std::string field;
    std::optional<Moment> from, to;
    std::size_t limit = 1000;

    // Names of the subject and the needs that its paths begin with, each once.
    std::vector<std::string> depends() const;
};

// In an order in which every need follows those that it depends on.
struct NeedSet {
    std::string subject;             // its name in paths
    std::vector<std::string> kinds;  // of the subject
    std::vector<Need> needs;

    const Need* find(std::string_view name) const;
};

// `needs` is the manifest's object, valid by its schema. Errors carry `pointer` and what follows:
// an unknown name, a circle, "now" without `clock`, a duration that is none.
Result<NeedSet> parse_needs(const Json& needs, std::string subject, std::vector<std::string> kinds,
                            bool clock, const std::string& pointer);

// What the lookups depend on beside records.
struct NeedContext {
    std::string space;                           // the subject's
    const domain::KindCatalog* kinds = nullptr;  // for x-refers; may be null: no references
    Json configuration = Json::object();
    std::optional<Millis> now;
};

// The subject under its name, and the records of the needs gathered so far.
using Bindings = std::map<std::string, std::vector<RuleRecord>, std::less<>>;

// No lookups: the need is empty (a path that it uses has no value). More than 200 lookups:
// Code::TooLarge.
Result<std::vector<NeedQuery>> forward(const Need& need, const Bindings& bindings,
                                       const NeedContext& context);

// When a moment is; nothing where its path has no value.
std::optional<Millis> moment_of(const Moment& moment, const Bindings& bindings,
                                const NeedContext& context);

struct Reach {
    NeedQuery query;
    // The records that it finds are: subjects (nothing), or records of that need, whose own reach
    // is looked for in turn.
    const Need* through = nullptr;
};

// `need` is one of `set`; nothing if the record cannot be one of its records.
std::vector<Reach> backward(const NeedSet& set, const Need& need, const RuleRecord& record,
                            const NeedContext& context);

// Runs the forward lookups in order.
struct Gathered {
    Bindings records;                // by need; without the subject
    std::vector<std::string> reads;  // ids, sorted, each once
    std::string digest;              // of ids and versions of what was read
    std::string unchecked;           // why the rule cannot be judged now; empty = it can
};
Result<Gathered> gather(const NeedSet& set, const RuleRecord& subject, const NeedContext& context,
                        RecordSource& source);

// Ids of the subjects of `set` in the context's space that a change may reach, sorted, each once;
// the changed record itself if it is a subject there.
Result<std::vector<std::string>> reached(const NeedSet& set, const RecordChange& change,
                                         const NeedContext& context, RecordSource& source);

}  // namespace dutybook::rules
