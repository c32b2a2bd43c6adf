// What each sort of request does to a record.

#include "base/clock.h"
#include "core/stale.h"
#include "core/write_group.h"
#include "rules/amendment.h"

namespace dutybook::core {

namespace {

constexpr const char* record_field = "@record";

// The first error, the others beside it.
Error with_all(const std::vector<Error>& errors, const std::string& prefix,
               const std::string& kind) {
    Error out = errors.front();
    if (out.fix.empty()) out.fix = "see: dutybook kind show " + kind;
    out.pointer = prefix + out.pointer;
    if (errors.size() > 1) {
        Json all = Json::array();
        for (const auto& error : errors) {
            all.push_back({{"pointer", prefix + error.pointer}, {"what", error.what}});
        }
        out.detail = canonical({{"errors", std::move(all)}});
    }
    return out;
}

Error needs_reason(const rules::Finding& finding) {
    Error out = failure(Code::Rejected, finding.message,
                        finding.rule + ": a final record changes only with a reason",
                        "give the reason (--reason)");
    out.pointer = finding.path;
    out.detail =
        canonical({{"findings", Json::array({rules::to_json(finding)})}, {"rule", finding.rule}});
    return out;
}

Result<void> check_size(const domain::RecordState& state) {
    std::size_t bytes = 0;
    for (const auto& [field, value] : state.fields) bytes += field.size() + value.size() + 4;
    if (bytes <= domain::Limits::record_bytes) return {};
    return failure(Code::TooLarge, "the record is too large",
                   std::to_string(bytes) + " bytes; one record holds up to 1 MiB",
                   "keep the large part in a record of its own");
}

}  // namespace

Result<Written> WriteGroup::handle(const WriteRequest& request) {
    TRY_ASSIGN(auto before, answered(request));
    if (before) return std::move(*before);
    if (request.action == Action::Create) return create(request);
    TRY_ASSIGN(Working * record, load(request.id));
    if (!record->born()) {
        return failure(Code::NotFound, "no such record", request.id,
                       "search for it: dutybook search WORDS");
    }
    TRY(check_version(request, *record));
    switch (request.action) {
        case Action::Patch:
            return patch(request, *record);
        case Action::Delete:
            return remove(request, *record);
        case Action::Restore:
            return restore(request, *record);
        case Action::Resolve:
            return resolve(request, *record);
        case Action::Finalise:
            return finalise(request, *record);
        case Action::Retract:
            return retract(request, *record);
        case Action::Complete:
            return make_up(request, *record);
        case Action::Migrate:
            return migrate(request, *record);
        case Action::Create:
            break;
    }
    return failure(Code::Internal, "unknown action");
}

Result<Written> WriteGroup::create(const WriteRequest& request) {
    if (auto unknown = parts_.kinds->unknown(request.kind)) {
        unknown->pointer = "/kind";
        return std::move(*unknown);
    }
    if (!request.fields.is_object()) return malformed("fields must be an object", "/fields");
    if (request.id.empty()) return create_under(request, make_record_id(now_), nullptr);
    if (!domain::valid_record_id(request.id)) {
        return malformed("an id has 1 to 128 letters, digits, '.', '_', '-' and ':'", "/id");
    }
    if (is_fresh(request.id)) return create_under(request, request.id, nullptr);
    TRY_ASSIGN(Working * record, load(request.id));
    if (record->born()) {
        Error exists = failure(Code::Exists, "the id is taken",
                               request.id + (record->state().deleted ? " (a deleted record)" : ""),
                               "change that record, or choose another id");
        exists.pointer = "/id";
        return exists;
    }
    return create_under(request, request.id, record);
}

Result<Written> WriteGroup::create_under(const WriteRequest& request, const std::string& id,
                                         Working* unborn) {
    const domain::KindTraits& traits = *parts_.kinds->find(request.kind);
    const Json* fields = &request.fields;
    Json resolved;
    if (rules_on() || has_parent()) {
        resolved = request.fields;
        TRY(resolve_references(resolved, traits));
        TRY(complete(id, request.kind, resolved, request));
        fields = &resolved;
    }
    const auto errors = parts_.kinds->validate(request.kind, *fields);
    if (!errors.empty()) return with_all(errors, "/fields", request.kind);

    auto operation = begin(request, domain::Verb::Create, id);
    operation.kind = request.kind;
    operation.final = traits.final_at_once;
    TRY_ASSIGN(operation.changes, changes_of_create(*fields, traits));

    const domain::Known alone{&operation, &state_.frontier};
    auto state = unborn ? unborn->with(operation) : domain::fold({&alone, 1});
    TRY(check_size(state));
    return drafted(operation, unborn, std::move(state));
}

Result<void> WriteGroup::check_version(const WriteRequest& request, const Working& record) const {
    if (request.if_version.empty() || request.if_version == record.version()) return {};
    return stale(record, request.if_version);
}

// A deleted record takes no change; a final or retracted one only with a reason.
Result<void> WriteGroup::check_open(const WriteRequest& request, const Working& record) const {
    const auto& state = record.state();
    if (state.deleted) {
        return failure(Code::Conflict, "the record is deleted", state.id,
                       "restore it first (dutybook restore " + state.id + ")");
    }
    const auto refused = rules::refused_change(state.id, state.status, request.reason);
    if (refused) return needs_reason(*refused);
    return {};
}

Result<Written> WriteGroup::patch(const WriteRequest& request, Working& record) {
    if (!request.fields.is_object()) return malformed("a change must be an object");
    static const domain::KindTraits unknown_kind;
    const auto* traits = parts_.kinds->find(record.state().kind);
    Json fields = request.fields;
    TRY(resolve_references(fields, traits ? *traits : unknown_kind));
    TRY_ASSIGN(auto changes, changes_of_patch(fields, record, traits ? *traits : unknown_kind));
    if (record.state().deleted || !changes.empty()) TRY(check_open(request, record));
    if (changes.empty()) return stands(record);
    if (!traits) {
        return failure(Code::Conflict, "the record cannot be changed here",
                       "its kind " + record.state().kind + " is not known to this site",
                       "install the plugin that brings it");
    }
    auto operation = begin(request, domain::Verb::Change, record.state().id);
    operation.changes = std::move(changes);
    return change_fields(request, record, std::move(operation));
}

Result<Written> WriteGroup::change_fields(const WriteRequest& request, Working& record,
                                          domain::Operation operation) {
    domain::RecordState after = record.with(operation);
    const Json fields = fields_of(after);
    if (rules_on()) {
        Json completed = fields;
        TRY(complete(after.id, after.kind, completed, request));
        for (const auto& [field, value] : completed.items()) {
            if (!fields.contains(field) || fields[field] != value) {
                operation.changes.push_back({field, domain::Act::Set, canonical(value)});
            }
        }
        after = record.with(operation);
    }
    if (operation.changes.empty()) return stands(record);
    const auto judged =
        parts_.kinds->validate(after.kind, fields_of(after), fields_of(record.state()));
    if (!judged.errors.empty()) return with_all(judged.errors, "", after.kind);
    TRY(check_size(after));
    return drafted(operation, &record, std::move(after));
}

Result<Written> WriteGroup::make_up(const WriteRequest& request, Working& record) {
    if (record.state().deleted || record.state().status == domain::Status::Retracted) {
        return stands(record);
    }
    return change_fields(request, record, begin(request, domain::Verb::Change, record.state().id));
}

// Nothing is completed and no reference resolved on the way: sites that are apart write the same.
Result<Written> WriteGroup::migrate(const WriteRequest& request, Working& record) {
    TRY(check_open(request, record));
    auto operation = begin(request, domain::Verb::Change, record.state().id);
    for (const auto& [field, value] : request.fields.items()) {
        if (record.conflict(field) != nullptr || record.conflict(record_field) != nullptr) {
            Error error = failure(Code::Conflict, "a conflict is to be settled first",
                                  "two sites differ in the field " + field,
                                  "`dutybook conflicts` shows it, `dutybook resolve` settles it");
            error.pointer = pointer_to("", field);
            return error;
        }
    }
    TRY_ASSIGN(operation.changes, changes_of_migration(request.fields, record,
                                                       *parts_.kinds->find(record.state().kind)));
    if (operation.changes.empty()) return stands(record);
    domain::RecordState after = record.with(operation);
    const auto errors = parts_.kinds->validate(after.kind, fields_of(after));
    if (!errors.empty()) return with_all(errors, "", after.kind);
    TRY(check_size(after));
    return drafted(operation, &record, std::move(after));
}

Written WriteGroup::stands(const Working& record) const {
    Written out;
    out.id = record.state().id;
    out.record = record.stored();
    return out;
}

Result<Written> WriteGroup::remove(const WriteRequest& request, Working& record) {
    if (record.state().deleted) return stands(record);
    return issue_for(request, record, domain::Verb::Delete);
}

Result<Written> WriteGroup::restore(const WriteRequest& request, Working& record) {
    if (!record.state().deleted && !record.conflict(record_field)) return stands(record);
    return issue_for(request, record, domain::Verb::Restore);
}

Result<Written> WriteGroup::resolve(const WriteRequest& request, Working& record) {
    if (request.field == record_field) return resolve_record(request, record);
    if (!domain::valid_field_name(request.field)) return malformed("no such field", "/field");
    if (record.state().deleted) TRY(check_open(request, record));
    const std::string value = canonical(request.value);
    const auto* conflict = record.conflict(request.field);
    if (!conflict) {
        const auto shown = record.state().fields.find(request.field);
        const std::string& now = shown == record.state().fields.end() ? "null" : shown->second;
        if (now == value) return stands(record);
        return failure(Code::Conflict, "nothing to settle",
                       "the field " + request.field + " has no conflict", "change it with set");
    }
    if (!parts_.kinds->find(record.state().kind)) {
        // Settling needs no schema when it takes one of the values that stand.
        bool stands_there = false;
        for (const auto& one : conflict->values) stands_there |= one.value == value;
        if (!stands_there) {
            return failure(Code::Conflict, "only one of the values that stand can be taken",
                           "the kind " + record.state().kind + " is not known to this site",
                           "install the plugin that brings it");
        }
    }
    auto operation = begin(request, domain::Verb::Resolve, record.state().id);
    operation.changes.push_back({request.field, domain::Act::Set, value});
    return change_fields(request, record, std::move(operation));
}

Result<Written> WriteGroup::resolve_record(const WriteRequest& request, Working& record) {
    if (request.value == "keep") return restore(request, record);
    if (request.value == "delete") return remove(request, record);
    return malformed("must be keep or delete", "/value");
}

Result<Written> WriteGroup::finalise(const WriteRequest& request, Working& record) {
    const auto& state = record.state();
    if (state.deleted) TRY(check_open(request, record));
    if (state.status == domain::Status::Final) return stands(record);
    if (state.status == domain::Status::Retracted) {
        return failure(Code::Conflict, "a retracted record cannot be made final", state.id,
                       "write a new one");
    }
    return issue_for(request, record, domain::Verb::Finalise);
}

Result<Written> WriteGroup::retract(const WriteRequest& request, Working& record) {
    const auto& state = record.state();
    if (state.deleted) TRY(check_open(request, record));
    if (state.status == domain::Status::Retracted) return stands(record);
    if (!rules::is_reason(request.reason)) {
        return needs_reason(rules::without_reason(state.id, "retracting needs a reason"));
    }
    return issue_for(request, record, domain::Verb::Retract);
}

}  // namespace dutybook::core
