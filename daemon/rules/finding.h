#pragma once
// What a rule says about records, and the algebra over it. Pure.

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dutybook::rules {

// Weakest first, so that the strongest is the greatest.
enum class Severity : std::uint8_t { Info, Warn, NeedsReview, Deny, Reject };
std::string_view name_of(Severity severity);  // info warn needs_review deny reject
std::optional<Severity> severity_from(std::string_view name);

enum class FindingState : std::uint8_t { Open, Accepted, Corrected, Dismissed };
std::string_view name_of(FindingState state);
std::optional<FindingState> finding_state_from(std::string_view name);

struct Finding {
    std::string id;    // finding_id() below
    std::string rule;  // "MED-R02"
    std::string code;  // which limit of the rule, may be empty
    Severity severity = Severity::Info;
    std::vector<std::string> records;  // the subject first
    std::string path;                  // JSON Pointer into the subject's fields, may be empty
    std::string message;               // in English
    Json values = Json::object();      // what fills the message's {names}, in any language
    std::vector<std::string> steps;    // of the computation, for people
    // Set only by rules that read the clock: the answer holds as of then.
    std::optional<Millis> as_of;
    std::string source;  // of the rule: a law, a policy
    FindingState state = FindingState::Open;
    // The limit is met from then on ("not before 14:30"), where it passes with time.
    std::optional<Millis> passes_at;
};

// Derived from rule, code and the *set* of records: two doses too close give one finding whichever
// of the two was judged. Code is part of it because one rule may hold several limits about the
// same records (doses and amount in 24 hours). "f" and 25 base32 characters.
std::string finding_id(std::string_view rule, std::string_view code,
                       std::span<const std::string> records);

// {"finding","rule","severity","records","path","message","steps","as_of","source","state"}, and
// "code" and "values", from which the message is made in any language.
Json to_json(const Finding& finding);

// A stored verdict's array: all members, `passes_at` and `code` included. Refuses what it did not
// write (an index of another version).
std::string write_findings(std::span<const Finding> findings);
Result<std::vector<Finding>> read_findings(std::string_view text);

enum class VerdictWord : std::uint8_t { Allow, Warn, Deny, Reject };
std::string_view name_of(VerdictWord verdict);

// Any reject, else any deny, else warn if there is a needs_review or warn, else allow. What a
// person answered does not matter: an accepted risk is still a warning to the next who asks.
VerdictWord verdict_of(std::span<const Finding> findings);

// The latest of the limits that pass with time, `never_passes` among them; none if there is none.
std::optional<Millis> latest_limit(std::span<const Finding> findings);

// A fact is never refused: of a record that is stored already `reject` is told as needs_review.
std::vector<Finding> as_stored(std::vector<Finding> findings);

// Several judgements may tell of one finding: each id once (the strongest severity, then the lower
// text), sorted by id.
std::vector<Finding> merged(std::vector<Finding> findings);

// Member of the findings digest. Leaves out what may differ between sites that hold the same
// records: as_of, passes_at, and the state, which is a function of records already digested.
Hash hash_of(const Finding& finding);

}  // namespace dutybook::rules
