#include "rules/splice.h"

namespace dutybook::rules {

namespace {

std::string quoted_text(std::string_view text) {
    return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

class ObjectText {
public:
    void raw(std::string_view name, std::string_view json) {
        out_ += out_.size() > 1 ? "," : "";
        out_ += quoted_text(name);
        out_ += ':';
        out_ += json;
    }
    void text(std::string_view name, std::string_view value) {
        if (!value.empty()) raw(name, quoted_text(value));
    }
    std::string done() { return std::move(out_) + "}"; }

private:
    std::string out_ = "{";
};

// The envelope's names are the host's: a field cannot stand in for one.
void add_fields(const RuleRecord& record, ObjectText& object) {
    for (const auto& [field, value] : record.fields) {
        if (!field.starts_with('_')) object.raw(field, value);
    }
}

std::string needs_text(const NeedSet& set, const Bindings& needs) {
    ObjectText object;
    for (const Need& need : set.needs) {
        const auto found = needs.find(need.name);
        if (!need.list) {
            const bool none = found == needs.end() || found->second.empty();
            object.raw(need.name, none ? "null" : record_text(found->second.front()));
            continue;
        }
        std::string list = "[";
        if (found != needs.end()) {
            for (const RuleRecord& record : found->second) {
                if (list.size() > 1) list += ',';
                list += record_text(record);
            }
        }
        list += ']';
        object.raw(need.name, list);
    }
    return object.done();
}

std::string context_text(const CallContext& context) {
    ObjectText object;
    object.text("zone", context.zone);
    if (context.now) object.text("now", format_in_zone(*context.now, context.zone));
    object.text("language", context.language);
    object.text("reader", context.reader);
    return object.done();
}

}  // namespace

std::string record_text(const RuleRecord& record) {
    ObjectText object;
    object.text("_id", record.id);
    object.text("_kind", record.kind);
    object.text("_space", record.space);
    object.text("_status", domain::name_of(record.status));
    if (record.deleted) object.raw("_deleted", "true");
    object.text("_by", record.by);
    object.text("_on_behalf", record.on_behalf);
    object.text("_device", record.device);
    object.text("_source", record.source);
    object.text("_zone", record.zone);
    if (record.created_at != 0) object.text("_created", format_utc(record.created_at));
    if (record.changed_at != 0) object.text("_changed", format_utc(record.changed_at));
    add_fields(record, object);
    return object.done();
}

std::string evaluate_input(const RuleRecord& subject, const NeedSet& set, const Bindings& needs,
                           const CallContext& context) {
    ObjectText object;
    object.raw("subject", record_text(subject));
    object.raw("needs", needs_text(set, needs));
    object.raw("context", context_text(context));
    return object.done();
}

std::string complete_input(const RuleRecord& record, const NeedSet* set, const Bindings& needs,
                           const CallContext& context) {
    ObjectText object;
    object.raw("record", record_text(record));
    if (set != nullptr) object.raw("needs", needs_text(*set, needs));
    object.raw("context", context_text(context));
    return object.done();
}

std::string migrate_input(const RuleRecord& record) {
    ObjectText fields;
    fields.text("_id", record.id);
    fields.text("_kind", record.kind);
    fields.text("_zone", record.zone);
    if (record.created_at != 0) fields.text("_created", format_utc(record.created_at));
    add_fields(record, fields);
    ObjectText object;
    object.raw("record", fields.done());
    return object.done();
}

std::string report_input(const std::string& parameters, const NeedSet& set, const Bindings& needs,
                         const CallContext& context) {
    ObjectText object;
    object.raw("parameters", parameters);
    object.raw("needs", needs_text(set, needs));
    object.raw("context", context_text(context));
    return object.done();
}

}  // namespace dutybook::rules
