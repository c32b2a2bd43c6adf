#pragma once
// The writes that share one journal transaction. Each request is judged against what the index
// shows and what the requests before it in the group did; its operation is kept aside. Then one
// append makes all of them durable, the index is given them, and only then anything is answered.
//
// Rules are asked for many writes at once: a write is a draft until they have answered. A draft
// that is rejected takes those behind it with it, which are made again without it, so that every
// write is judged as if it had come alone after those before it.
//
// A create under an id made here reads nothing from the index; which of the ids that callers chose
// are taken is asked once for the group.

#include "core/change.h"
#include "core/engine_state.h"
#include "core/group_source.h"
#include "core/write.h"

#include <memory>
#include <unordered_map>
#include <unordered_set>

namespace dutybook::core {

class WriteGroup {
public:
    WriteGroup(const SpaceFacts& facts, const SpaceParts& parts, EngineState& state);

    std::vector<Result<Written>> run(std::span<const WriteRequest> requests);

private:
    // Of one request (write_actions.cpp).
    Result<Written> handle(const WriteRequest& request);
    Result<Written> create(const WriteRequest& request);
    Result<Written> create_under(const WriteRequest& request, const std::string& id,
                                 Working* unborn);
    Result<Written> patch(const WriteRequest& request, Working& record);
    Result<Written> remove(const WriteRequest& request, Working& record);
    Result<Written> restore(const WriteRequest& request, Working& record);
    Result<Written> resolve(const WriteRequest& request, Working& record);
    Result<Written> resolve_record(const WriteRequest& request, Working& record);
    Result<Written> finalise(const WriteRequest& request, Working& record);
    Result<Written> retract(const WriteRequest& request, Working& record);

    Result<void> check_version(const WriteRequest& request, const Working& record) const;
    Result<void> check_open(const WriteRequest& request, const Working& record) const;
    Result<Written> make_up(const WriteRequest& request, Working& record);
    Result<Written> migrate(const WriteRequest& request, Working& record);
    Result<Written> change_fields(const WriteRequest& request, Working& record,
                                  domain::Operation operation);
    Written stands(const Working& record) const;

    // Drafts (write_drafts.cpp): issued already, taken back if a rule rejects.
    struct Draft {
        std::size_t place = 0;  // of its request and its result
        std::size_t line = 0;   // in lines_
        std::string key;        // idempotency
        domain::Operation operation;
        Working* record = nullptr;
        Written written;
        Hash hash{};  // of the record as it is written
    };
    Result<Written> drafted(const domain::Operation& operation, Working* record,
                            domain::RecordState after);
    bool waits_for_drafts(const WriteRequest& request) const;
    // Rejected drafts and those behind them are gone afterwards; the place of the request to go on
    // with.
    Result<std::size_t> settle(std::span<const WriteRequest> requests,
                               std::vector<Result<Written>>& results);
    Result<rules::Evaluation> evaluate();
    // What the rules said of one draft.
    struct Said {
        std::vector<rules::Finding> findings;
        std::vector<const rules::Judgement*> judgements;
        bool checked = true;
    };
    static std::unordered_map<std::string, Said> by_record(const rules::Evaluation& evaluation);
    void note(Draft& draft, const Said& said);
    void accept(Draft& draft, const WriteRequest& request);
    void take_back(std::size_t first);

    // Issuing (write_group.cpp).
    domain::Operation begin(const WriteRequest& request, domain::Verb verb,
                            const std::string& record);
    // Gives it as whoever reads its line sees it.
    Result<domain::Operation> issue(const domain::Operation& operation);
    Result<Written> issue_for(const WriteRequest& request, Working& record, domain::Verb verb);
    Result<Working*> load(const std::string& id);
    Result<std::optional<Written>> answered(const WriteRequest& request);
    Result<void> look_up_ids(std::span<const WriteRequest> requests);
    bool is_fresh(const std::string& id) const;

    // Rules (write_rules.cpp).
    bool rules_on() const { return !plugins_.empty(); }
    Result<void> complete(const std::string& id, const std::string& kind, Json& fields,
                          const WriteRequest& request);
    bool has_parent() const { return !facts_.parent.empty() && parts_.read_parent; }
    Result<void> resolve_references(Json& fields, const domain::KindTraits& traits);
    Result<void> resolve_reference(Json& value);

    Result<void> handle_all(std::span<const WriteRequest> requests,
                            std::vector<Result<Written>>& results);
    Result<void> commit(std::span<const WriteRequest> requests,
                        const std::vector<Result<Written>>& results);
    void apply();

    const SpaceFacts& facts_;
    const SpaceParts& parts_;
    EngineState& state_;
    const Millis now_;
    const domain::Writer writer_;
    std::uint64_t next_seq_;
    std::vector<rules::PluginIdentity> plugins_;

    static constexpr std::size_t most_drafts = 64;
    GroupSource source_;
    std::vector<Draft> drafts_;
    std::size_t drafts_at_once_ = most_drafts;

    // Creates of records that nothing else names: the index is spared reading and hashing them.
    struct Fresh {
        std::size_t line = 0;  // in lines_
        domain::Operation operation;
        Hash hash{};
    };

    std::vector<store::JournalLine> lines_;
    std::vector<Fresh> fresh_;
    std::vector<store::Verdict> verdicts_;
    std::unordered_map<std::string, Rechecks::Written> noted_;           // by record
    std::unordered_map<std::string, std::vector<std::size_t>> touched_;  // record -> lines_
    std::unordered_map<std::string, std::unique_ptr<Working>> working_;
    std::unordered_set<std::string> taken_;  // ids of creates that the index knew before the group
    std::unordered_map<std::string, std::pair<std::string, Written>> keyed_;
    std::unordered_map<std::string, bool> in_parent_;  // ids that references named
    std::set<std::string> incomplete_;                 // a plugin that completes them was down
};

}  // namespace dutybook::core
