#include "base/printable.h"
#include "rules/never.h"
#include "rules/plugin_host.h"

#include <algorithm>

namespace dutybook::rules {

namespace {

constexpr std::size_t finding_limit = 100;  // of one rule about one record
constexpr std::size_t text_limit = 2000;    // bytes of one step or value
constexpr std::size_t step_limit = 100;

Error wrong(const AnswerContext& context, const std::string& what) {
    return failure(Code::Internal,
                   "rule " + context.rule->id + " of plugin " + context.manifest->id + " " + what);
}

// Whether a JSON Pointer leads somewhere in the subject's fields. A rule about a field that is
// missing points at its place: the first step may be absent, the ones below may not.
bool leads_somewhere(const std::string& path, const RuleRecord& subject) {
    if (path.empty()) return true;
    if (path.front() != '/' || path.size() > 500) return false;
    const auto end = path.find('/', 1);
    std::string field = path.substr(1, end == std::string::npos ? end : end - 1);
    try {
        field = Json::json_pointer("/" + field).back();
        const auto found = subject.fields.find(field);
        if (end == std::string::npos) return !field.empty();
        if (found == subject.fields.end()) return false;
        const Json value = Json::parse(found->second, nullptr, false);
        return !value.is_discarded() && value.contains(Json::json_pointer(path.substr(end)));
    } catch (const Json::exception&) {
        return false;
    }
}

std::optional<std::string> text_of(const Json& value) {
    if (value.is_string()) return beginning(value.get_ref<const std::string&>(), text_limit);
    if (value.is_number() || value.is_boolean()) return canonical(value);
    return std::nullopt;
}

Result<void> read_texts(const Json& item, Finding& finding, Json& values,
                        const AnswerContext& context) {
    const Json given = item.value("values", Json::object());
    if (!given.is_object() && !given.empty())
        return wrong(context, "gave values that are no names");
    values = Json::object();
    for (const auto& [name, value] : given.items()) {
        const auto text = text_of(value);
        if (!text)
            return wrong(context, "gave a value \"" + beginning(name, 40) + "\" that is no text");
        values[beginning(name, 64)] = *text;
    }
    const Json steps = item.value("steps", Json::array());
    if (!steps.is_array() || steps.size() > step_limit)
        return wrong(context, "gave steps that are no list");
    for (const Json& step : steps) {
        const auto text = text_of(step);
        if (!text) return wrong(context, "gave a step that is no text");
        finding.steps.push_back(*text);
    }
    return {};
}

Result<void> read_records(const Json& item, Finding& finding, const AnswerContext& context) {
    finding.records.push_back(context.subject->id);
    const Json records = item.value("records", Json::array());
    if (!records.is_array()) return wrong(context, "gave records that are no list");
    for (const Json& record : records) {
        if (!record.is_string()) return wrong(context, "gave a record that is no id");
        const auto& id = record.get_ref<const std::string&>();
        if (id == context.subject->id) continue;
        if (!std::binary_search(context.reads->begin(), context.reads->end(), id)) {
            return wrong(context, "names a record that it was not given: " + beginning(id, 128));
        }
        finding.records.push_back(id);
    }
    std::sort(finding.records.begin() + 1, finding.records.end());
    finding.records.erase(std::unique(finding.records.begin() + 1, finding.records.end()),
                          finding.records.end());
    return {};
}

Result<Finding> read_item(const Json& item, const AnswerContext& context) {
    if (!item.is_object()) return wrong(context, "gave a finding that is no object");
    Finding finding;
    finding.rule = context.rule->id;
    finding.source = context.rule->source;
    finding.as_of = context.as_of;
    finding.severity = context.rule->severity_for(context.purpose);
    const Json code = item.value("code", Json());
    if (!code.is_string()) return wrong(context, "gave a finding without a code");
    finding.code = code.get<std::string>();
    const auto texts = context.rule->messages.find(finding.code);
    if (texts == context.rule->messages.end()) {
        return wrong(context,
                     "gave a code that it does not declare: " + beginning(finding.code, 64));
    }
    if (item.contains("severity")) {
        const auto& said = item["severity"];
        const auto severity =
            said.is_string() ? severity_from(said.get<std::string>()) : std::nullopt;
        if (!severity) return wrong(context, "gave a severity that is none");
        // A rule may say less than it declared, never more.
        finding.severity = std::min(finding.severity, *severity);
    }
    const Json path = item.value("path", Json(""));
    if (!path.is_string() || !leads_somewhere(path.get<std::string>(), *context.subject)) {
        return wrong(context, "gave a path that is not in the record");
    }
    finding.path = path.get<std::string>();
    if (item.contains("passes_at")) {
        const auto& said = item["passes_at"];
        const auto at = said == "never"    ? Result<Millis>(never_passes)
                        : said.is_string() ? parse_instant(said.get<std::string>())
                                           : Result<Millis>(malformed("no instant"));
        if (!at) return wrong(context, "gave a passes_at that is no instant");
        finding.passes_at = *at;
    }
    Json values;
    TRY(read_texts(item, finding, values, context));
    TRY(read_records(item, finding, context));
    finding.message = filled(text_in(texts->second, "en"), values);
    finding.values = std::move(values);
    finding.id = finding_id(finding.rule, finding.code, finding.records);
    return finding;
}

}  // namespace

JsonLimits answer_limits(const Manifest& manifest) {
    return {.depth = 32, .bytes = manifest.limits.output_kb * 1024};
}

Result<std::vector<Finding>> read_answer(std::string_view text, const AnswerContext& context) {
    const auto parsed = parse_json(text, answer_limits(*context.manifest));
    if (!parsed)
        return wrong(context, "gave an answer that cannot be read: " + parsed.error().what);
    const Json& answer = *parsed;
    if (!answer.is_array()) return wrong(context, "gave an answer that is no list of findings");
    if (answer.size() > finding_limit) {
        return wrong(context, "gave " + std::to_string(answer.size()) + " findings on one record");
    }
    std::vector<Finding> findings;
    for (const Json& item : answer) {
        TRY_ASSIGN(Finding finding, read_item(item, context));
        findings.push_back(std::move(finding));
    }
    return findings;
}

}  // namespace dutybook::rules
