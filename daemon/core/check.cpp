// Asking beforehand: complete, validate and evaluate a record that is not stored.

#include "core/completion.h"
#include "core/engine_state.h"
#include "core/record_source.h"
#include "core/space_engine.h"
#include "rules/first_time.h"

namespace dutybook::core {

namespace {

rules::RuleRecord subject_of(const CheckRequest& request, const SpaceFacts& facts, Millis now) {
    rules::RuleRecord out;
    out.id = request.id.empty() ? make_record_id(now) : request.id;
    out.kind = request.kind;
    out.space = facts.name;
    out.by = request.caller.by;
    out.on_behalf = request.caller.on_behalf;
    out.device = request.caller.device;
    out.source = request.caller.source;
    out.zone = facts.zone;
    out.created_at = out.changed_at = now;
    return out;
}

void put_fields(rules::RuleRecord& subject, const Json& fields) {
    subject.fields.clear();
    for (const auto& [field, value] : fields.items()) {
        if (!value.is_null()) subject.fields[field] = canonical(value);
    }
}

// Whether the top-level field that a pointer leads into was given.
bool is_given(const Json& fields, const std::string& pointer) {
    const std::string field = pointer.substr(0, pointer.find('/', 1));
    const auto found = field.empty() ? fields.end() : fields.find(field.substr(1));
    return field.empty() || (found != fields.end() && !found->is_null());
}

// "Allow" would claim what nobody checked: a no of those that were asked stands, anything else is
// no answer.
Result<void> all_asked(const rules::Evaluation& evaluation,
                       const std::vector<rules::Finding>& findings) {
    if (evaluation.unchecked.empty()) return {};
    const auto verdict = rules::verdict_of(findings);
    if (verdict == rules::VerdictWord::Deny || verdict == rules::VerdictWord::Reject) return {};
    const rules::Unchecked& first = evaluation.unchecked.front();
    return failure(Code::Unavailable, "it could not be checked by plugin " + first.plugin,
                   first.why, "ask again; `dutybook plugin doctor` says how the plugin does");
}

}  // namespace

Result<Checked> SpaceEngine::check(const CheckRequest& request) {
    if (auto unknown = parts_.kinds->unknown(request.kind)) {
        unknown->pointer = "/kind";
        return std::move(*unknown);
    }
    if (!request.fields.is_object()) return malformed("fields must be an object", "/fields");
    Checked out;
    out.fields = request.fields;
    auto subject = subject_of(request, facts_, parts_.clock->now());
    put_fields(subject, out.fields);
    IndexSource source(facts_, parts_);
    if (parts_.evaluator) {
        fill_in(out.fields, parts_.evaluator->complete(subject, source), request.kind,
                *parts_.kinds);
        put_fields(subject, out.fields);
    }
    // Who asks beforehand may not know everything yet: what is there must be right, what is
    // missing is missing.
    for (Error error : parts_.kinds->validate(request.kind, out.fields)) {
        if (!is_given(out.fields, error.pointer)) continue;
        error.pointer = "/fields" + error.pointer;
        return error;
    }
    std::vector<rules::Finding> findings;
    if (parts_.evaluator) {
        TRY_ASSIGN(const auto evaluation,
                   parts_.evaluator->evaluate({&subject, 1}, rules::Purpose::Check, source));
        findings = evaluation.findings();
        TRY(all_asked(evaluation, findings));
    }
    out.verdict = rules::name_of(rules::verdict_of(findings));
    out.findings = Json::array();
    for (const auto& finding : findings) out.findings.push_back(rules::to_json(finding));
    if (!parts_.evaluator) return out;
    TRY_ASSIGN(const auto next,
               rules::first_time(*parts_.evaluator, subject, *parts_.kinds->find(request.kind),
                                 findings, source));
    if (next) out.earliest_next = format_in_zone(*next, facts_.zone);
    return out;
}

}  // namespace dutybook::core
