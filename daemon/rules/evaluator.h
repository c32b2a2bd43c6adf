#pragma once
// The seam for plugins between validation and journal. The core knows rules only through this
// header; the plugin host implements it, and `NoRules` is the whole of it where no plugin is on.
//
// Order of a local write: complete -> validate (kinds.h) -> evaluate(LocalWrite) -> journal. Order
// after received operations were folded: touched() names the subjects whose verdict may change,
// the core drops their verdicts, and evaluate(Stored) is called in batches. A missing verdict is
// "unchecked"; there is no flag. Nothing here stops a write but a finding `reject` of LocalWrite.

#include "rules/finding.h"

#include "domain/fold.h"

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace dutybook::rules {

// A record as rules see it. Field values are canonical JSON text, as the fold holds them, so that
// they are spliced into the worker's input and never parsed and written again.
struct RuleRecord {
    std::string id, kind, space, version;  // version is empty for a record that is not stored
    domain::Status status = domain::Status::Draft;
    bool deleted = false;
    std::map<std::string, std::string> fields;
    std::string by, on_behalf, device, source = "entered", zone;
    Millis created_at = 0, changed_at = 0;
};

// One lookup that a rule declared. Either `ids`, or `kind` with the conditions; all must hold.
// Retracted records are given (a rule sees their status), deleted ones are not. Resolved in the
// subject's space, then in its parent; an id may be written "space/id".
struct NeedQuery {
    std::string kind;
    std::string space;  // look in this space only; empty = in the subject's, then in its parent
    std::vector<std::string> ids;
    // Field and canonical JSON: the field equals the value, or is an array that contains it.
    std::vector<std::pair<std::string, std::string>> where;
    // The field lies in [from, to], both ends inclusive (a rule narrows, the host never loses). Of
    // a field with a calendar date the date counts, else the instant. An absent end is open.
    std::string field;
    std::optional<Millis> from, to;
    std::optional<std::string> from_date, to_date;
    std::size_t limit = 1000;  // more is no error: the verdict stays unchecked and says so
};

struct NeedAnswer {
    std::vector<RuleRecord> records;  // sorted by id, so that every site gives rules one order
    bool cut_off = false;             // more than `limit` matched
    bool parent_missing = false;      // the parent space is not here: the rule stays unchecked
};

// Where the host reads: the core gives one per space, over one snapshot of the index.
class RecordSource {
public:
    virtual ~RecordSource() = default;
    virtual Result<NeedAnswer> find(const NeedQuery& query) = 0;
    // Whose needs are looked up from now on: of the records of one batch each is judged as if those
    // behind it were not there yet.
    virtual void looking_for(const RuleRecord&) {}
};

enum class Purpose : std::uint8_t {
    LocalWrite,  // may reject
    Check,       // asked beforehand, nothing is stored; may reject and deny
    Stored,  // what is there already, by sync or made up later; `reject` is told as needs_review
};

struct Completion {
    std::map<std::string, std::string> fields;  // to be filled in, canonical JSON
    std::vector<std::string> unavailable;       // plugins that were down: made up later
};

// What one plugin found about one subject. The core stores it as one verdict row.
struct Judgement {
    std::string record, version;
    std::string plugin, plugin_digest;
    std::string needs_digest;        // of the versions of all records that were looked at
    std::vector<Finding> findings;   // sorted by id
    std::vector<std::string> reads;  // ids looked at, sorted: the backward edges
    std::optional<Millis> again_at;  // a clock rule wants to be run again then
};

struct Unchecked {
    std::string record, plugin, why;
    // The plugin is down or a parent is not here: worth asking again. Otherwise the record itself
    // is at fault (poison, an answer that cannot be believed), and stays so until it changes.
    bool later = false;
};

struct Evaluation {
    std::vector<Judgement> judgements;
    std::vector<Unchecked> unchecked;

    std::vector<Finding> findings() const;  // of all judgements, each id once, sorted by id
};

// One record before and after a change; empty `before` = new here, empty `after` = gone.
struct RecordChange {
    std::optional<RuleRecord> before, after;
};

struct PluginIdentity {
    std::string id, version, digest;       // digest covers package and configuration in this space
    std::vector<std::string> kinds;        // subjects of its rules
    std::vector<std::string> clock_kinds;  // subjects of rules that look at the time
};

// Called from any thread. A call may block up to the plugin's deadline and never longer; a plugin
// that is down costs nothing. Errors of plugins are `unchecked`, never an Error: an Error here
// means that the RecordSource failed.
class Evaluator {
public:
    virtual ~Evaluator() = default;
    // Plugins that must have judged a record of `kind`: a record that lacks a verdict of one of
    // these digests is unchecked.
    virtual std::vector<PluginIdentity> plugins(const std::string& space) const = 0;
    virtual Completion complete(const RuleRecord& record, RecordSource& source) = 0;
    virtual Result<Evaluation> evaluate(std::span<const RuleRecord> subjects, Purpose purpose,
                                        RecordSource& source) = 0;
    // Ids of the subjects in `space` whose verdict a change there or in its parent may alter, those
    // that changed there included: forward and backward through the declared needs. Sorted, each
    // once.
    virtual Result<std::vector<std::string>> touched(const std::string& space,
                                                     std::span<const RecordChange> changes,
                                                     RecordSource& source) = 0;
};

// No plugin is on: everything is allowed, and nothing is ever unchecked.
class NoRules final : public Evaluator {
public:
    std::vector<PluginIdentity> plugins(const std::string&) const override { return {}; }
    Completion complete(const RuleRecord&, RecordSource&) override { return {}; }
    Result<Evaluation> evaluate(std::span<const RuleRecord>, Purpose, RecordSource&) override {
        return Evaluation{};
    }
    Result<std::vector<std::string>> touched(const std::string&, std::span<const RecordChange>,
                                             RecordSource&) override {
        return std::vector<std::string>{};
    }
};

}  // namespace dutybook::rules
