#include "core/migration.h"

#include "core/record_source.h"

#include <algorithm>
#include <iterator>

namespace dutybook::core {

namespace {

constexpr std::size_t at_once = 64;
constexpr int tries = 5;  // of a record that somebody changes meanwhile

// Where every one of so many records fails by the plugin's fault, the others are spared.
constexpr std::size_t hopeless = at_once;

std::optional<Error> pending(const domain::RecordState& state, const Json& changes) {
    for (const domain::Conflict& conflict : state.conflicts) {
        if (!changes.contains(conflict.field) && conflict.field != "@record") continue;
        Error error = failure(Code::Conflict, "a conflict is to be settled first",
                              "two sites differ in the field " + conflict.field,
                              "`dutybook conflicts` shows it, `dutybook resolve` settles it");
        if (conflict.field != "@record") error.pointer = pointer_to("", conflict.field);
        return error;
    }
    return std::nullopt;
}

// One run over one space.
class Run {
public:
    Run(SpaceService& space, const rules::ActivePlugin& plugin, const rules::Kinds& kinds,
        const Migration& how)
        : space_(space), plugin_(plugin), kinds_(kinds), how_(how) {}

    Result<Migrated> look() {
        for (const std::string& kind : how_.kinds) {
            if (kinds_.find(kind) != nullptr) TRY(look_through(kind));
        }
        return out_;
    }

    // Records are read again: they may have changed since they were looked at, and while they wait
    // to be written.
    Result<Migrated> change() {
        TRY(look());
        std::vector<std::string> ids = std::move(old_);
        const std::uint64_t all = ids.size();
        for (int left = tries; !ids.empty() && left > 0; --left) {
            std::vector<std::string> again;
            for (std::size_t from = 0; from < ids.size(); from += at_once) {
                const auto count = std::min(at_once, ids.size() - from);
                TRY(change_some(std::span(ids).subspan(from, count), again));
                progress(out_.changed, all);
            }
            ids = std::move(again);
        }
        for (const std::string& id : ids) {
            fail(id, "",
                 failure(Code::Stale, "others change it all the time", {},
                         "run `dutybook plugin migrate` again"));
        }
        return std::move(out_);
    }

private:
    using Stored = std::vector<store::StoredRecord>;

    void progress(std::uint64_t done, std::uint64_t all) const {
        if (how_.progress) how_.progress(done, all);
    }
    void fail(const std::string& id, const std::string& kind, Error why) {
        out_.failed.push_back({id, kind, std::move(why)});
    }

    Result<void> look_through(const std::string& kind) {
        store::Query query;
        query.kind = kind;
        query.limit = 1000;
        do {
            TRY_ASSIGN(auto page, space_.reader().list(query));
            for (std::size_t from = 0; from < page.records.size(); from += at_once) {
                const auto count = std::min(at_once, page.records.size() - from);
                const Stored some(page.records.begin() + static_cast<std::ptrdiff_t>(from),
                                  page.records.begin() + static_cast<std::ptrdiff_t>(from + count));
                TRY_ASSIGN(const auto changes, changes_of(some));
                for (std::size_t i = 0; i < some.size(); ++i) {
                    if (!changes[i].empty()) old_.push_back(some[i].state.id);
                }
                out_.records += count;
                progress(out_.records, 0);
            }
            query.after = page.next;
        } while (!query.after.empty());
        out_.old = old_.size();
        return {};
    }

    // Of each the changes; empty where there are none, or where it cannot be: that is noted.
    Result<std::vector<Json>> changes_of(const Stored& records) {
        std::vector<rules::RuleRecord> subjects;
        for (const auto& one : records) {
            subjects.push_back(rule_record(one.state, one.version, space_.facts().name));
        }
        auto answers = rules::migrations(plugin_, kinds_, subjects);
        std::vector<Json> changes;
        std::size_t faults = 0;
        for (std::size_t i = 0; i < records.size(); ++i) {
            const auto& state = records[i].state;
            changes.push_back(Json::object());
            if (!answers[i]) {
                if (answers[i].error().code == Code::Unavailable) return answers[i].error();
                faults += answers[i].error().code == Code::Internal ? 1 : 0;
                fail(state.id, state.kind, answers[i].error());
            } else if (auto conflict = pending(state, *answers[i]);
                       conflict && !answers[i]->empty()) {
                fail(state.id, state.kind, std::move(*conflict));
            } else {
                changes.back() = std::move(*answers[i]);
            }
        }
        if (faults >= hopeless) {
            Error error = out_.failed.back().why;
            error.why = "it failed on " + std::to_string(faults) + " records in a row" +
                        (error.why.empty() ? "" : ", on the last since " + error.why);
            return error;
        }
        return changes;
    }

    Result<void> change_some(std::span<const std::string> ids, std::vector<std::string>& again) {
        Stored records;
        for (const std::string& id : ids) {
            TRY_ASSIGN(auto record, space_.reader().get(id));
            if (record && !record->state.deleted) records.push_back(std::move(*record));
        }
        TRY_ASSIGN(auto changes, changes_of(records));
        std::vector<WriteRequest> requests;
        for (std::size_t i = 0; i < records.size(); ++i) {
            if (changes[i].empty()) continue;  // by another, meanwhile
            WriteRequest request;
            request.action = Action::Migrate;
            request.id = records[i].state.id;
            request.kind = records[i].state.kind;
            request.fields = std::move(changes[i]);
            request.if_version = records[i].version;
            request.reason = how_.reason;
            request.caller = how_.caller;
            requests.push_back(std::move(request));
        }
        const auto written = space_.write_and_wait(requests);
        for (std::size_t i = 0; i < requests.size(); ++i) {
            if (written[i]) {
                out_.changed += written[i]->wrote ? 1 : 0;
            } else if (written[i].error().code == Code::Stale) {
                again.push_back(requests[i].id);
            } else {
                fail(requests[i].id, requests[i].kind, written[i].error());
            }
        }
        return {};
    }

    SpaceService& space_;
    const rules::ActivePlugin& plugin_;
    const rules::Kinds& kinds_;
    const Migration& how_;
    Migrated out_;
    std::vector<std::string> old_;
};

}  // namespace

void Migrated::add(Migrated other) {
    records += other.records;
    old += other.old;
    changed += other.changed;
    std::move(other.failed.begin(), other.failed.end(), std::back_inserter(failed));
}

Result<Migrated> look_for_old(SpaceService& space, const rules::ActivePlugin& plugin,
                              const rules::Kinds& kinds, const Migration& how) {
    return Run(space, plugin, kinds, how).look();
}

Result<Migrated> migrate(SpaceService& space, const rules::ActivePlugin& plugin,
                         const rules::Kinds& kinds, const Migration& how) {
    return Run(space, plugin, kinds, how).change();
}

}  // namespace dutybook::core
