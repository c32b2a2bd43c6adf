#include "author/cases.h"

#include "base/file.h"
#include "rules/amendment.h"
#include "rules/json_lines.h"
#include "rules/migration.h"

#include <algorithm>
#include <numeric>
#include <random>

namespace dutybook::author {

namespace {

constexpr std::size_t cases_bytes = 4u << 20;

Error at_case(const TestCase& test, Error error) {
    error.what = test.file + ": \"" + test.name + "\": " + error.what;
    error.pointer = (test.list ? pointer_to("", test.index) : std::string()) + error.pointer;
    return error;
}

Result<rules::Schema> schema_of_cases(const std::filesystem::path& schemas) {
    const auto file = schemas / "plugin-tests.schema.json";
    TRY_ASSIGN(const std::string text, read_file(file));
    TRY_ASSIGN(const Json document, rules::parse_document(text, file.string()));
    auto schema = rules::Schema::compile(document);
    if (!schema) return rules::in_file(std::move(schema).error(), file.string(), text);
    return schema;
}

void read_file_of_cases(const std::string& file, const std::string& text,
                        const rules::Schema& schema, ReadCases& read) {
    const auto parsed = rules::parse_document(text, file, cases_bytes);
    if (!parsed) {
        read.errors.push_back(parsed.error());
        return;
    }
    auto wrong = schema.validate(*parsed);
    for (Error& error : wrong) read.errors.push_back(rules::in_file(std::move(error), file, text));
    if (!wrong.empty()) return;
    const bool list = parsed->is_array();
    const Json all = list ? *parsed : Json::array({*parsed});
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto line = rules::line_of(text, list ? pointer_to("", i) : "");
        read.cases.push_back({file, all[i]["name"], all[i], i, list, line});
    }
}

Json shown_finding(const rules::Finding& finding) {
    Json shown = rules::to_json(finding);
    shown["code"] = finding.code;
    shown["values"] = finding.values;
    return shown;
}

Json shown_findings(const std::vector<rules::Finding>& findings) {
    Json all = Json::array();
    for (const rules::Finding& finding : findings) all.push_back(shown_finding(finding));
    return all;
}

std::map<std::string, std::string> texts_of(const Json& fields) {
    std::map<std::string, std::string> texts;
    for (const auto& [name, value] : fields.items()) {
        if (!value.is_null()) texts[name] = canonical(value);
    }
    return texts;
}

Json fields_of(const rules::RuleRecord& record) {
    Json fields = Json::object();
    for (const auto& [name, value] : record.fields) fields[name] = Json::parse(value);
    return fields;
}

// Orders of arrival: each of them where there are few, else the reverse and then random ones, which
// are the same in every run.
class Orders {
public:
    Orders(std::size_t count, std::size_t most) : left_(most - 1) {
        std::size_t all = 1;
        for (std::size_t i = 2; i <= count && all <= most; ++i) all *= i;
        each_ = all <= most;
    }
    bool next(std::vector<std::size_t>& order) {
        if (each_) return std::next_permutation(order.begin(), order.end());
        if (left_-- == 0) return false;
        if (std::exchange(first_, false)) {
            std::reverse(order.begin(), order.end());
            return true;
        }
        for (std::size_t i = order.size(); i > 1; --i)
            std::swap(order[i - 1], order[random_() % i]);
        return true;
    }

private:
    std::size_t left_;
    bool each_ = false, first_ = true;
    std::minstd_rand random_{1};
};

}  // namespace

ReadCases read_cases(const rules::PackageFiles& files, const std::string& plugin,
                     const std::filesystem::path& schemas) {
    ReadCases read;
    const auto schema = schema_of_cases(schemas);
    if (!schema) {
        read.errors.push_back(schema.error());
        return read;
    }
    for (const auto& [name, text] : files) {
        if (!name.starts_with("tests/")) continue;
        read_file_of_cases(plugin + "/" + name, text, *schema, read);
    }
    return read;
}

Result<rules::RuleRecord> CaseRunner::record_of(const Json& described,
                                                const std::string& at) const {
    rules::RuleRecord record;
    record.kind = described["kind"].get<std::string>();
    if (auto unknown = space_.kinds().unknown(record.kind)) {
        unknown->pointer = at + unknown->pointer;
        return *unknown;
    }
    record.id = described.value("id", "new");
    record.space = described.value("space", BenchSpace::space_name);
    record.by = described.value("by", "");
    record.zone = space_.zone();
    record.fields = texts_of(described.value("fields", Json::object()));
    record.created_at = record.changed_at = space_.now();
    const std::string status = described.value("status", "");
    const auto* traits = space_.kinds().find(record.kind);
    record.status = status == "retracted" ? domain::Status::Retracted
                    : status == "final" || (status.empty() && traits->final_at_once)
                        ? domain::Status::Final
                        : domain::Status::Draft;
    return record;
}

Result<void> CaseRunner::give(const Json& test, const std::vector<std::size_t>& order) {
    const Json given = test.value("given", Json::array());
    for (const std::size_t i : order) {
        TRY_ASSIGN(auto record, record_of(given[i], pointer_to("/given", i)));
        record = space_.completed(std::move(record));
        const auto errors = space_.kinds().validate(record.kind, fields_of(record));
        if (!errors.empty()) {
            Error error = errors.front();
            error.pointer = pointer_to("/given", i) + "/fields" + error.pointer;
            return error;
        }
        TRY(space_.arrive(std::move(record)));
    }
    return {};
}

Result<Json> CaseRunner::asked(const Json& described, const char* word) {
    const bool check = std::string_view(word) == "check";
    TRY_ASSIGN(auto record, record_of(described, std::string("/do/") + word));
    record = space_.completed(std::move(record));
    Json outcome = {{"fields", fields_of(record)}};
    Json wrong = Json::array();
    for (const Error& error : space_.kinds().validate(record.kind, outcome["fields"])) {
        // A check asks about what is known so far.
        if (!check || record.fields.count(error.pointer.substr(1)) != 0) {
            wrong.push_back(error.pointer);
        }
    }
    if (!wrong.empty()) outcome["errors"] = wrong;
    TRY_ASSIGN(const auto evaluation,
               space_.judge(record, check ? rules::Purpose::Check : rules::Purpose::LocalWrite));
    const auto findings = evaluation.findings();
    outcome["verdict"] = rules::name_of(rules::verdict_of(findings));
    outcome["findings"] = shown_findings(findings);
    TRY_ASSIGN(const auto next, space_.first_time(record, findings));
    outcome["earliest_next"] = next ? Json(format_in_zone(*next, space_.zone())) : Json(nullptr);
    return Result<Json>(boost::system::in_place_value, std::move(outcome));
}

// A change of a given record, as `set` makes one: fields are replaced, null takes one away.
Result<Json> CaseRunner::change(const Json& described) {
    const auto* record =
        space_.records().get(BenchSpace::space_name, described.value("record", ""));
    if (record == nullptr) return malformed("names no given record", "/do/change/record");
    const auto refused =
        rules::refused_change(record->id, record->status, described.value("reason", ""));
    if (refused) {
        Json outcome = {{"verdict", rules::name_of(rules::VerdictWord::Reject)},
                        {"findings", shown_findings({*refused})}};
        return Result<Json>(boost::system::in_place_value, std::move(outcome));
    }
    rules::RuleRecord after = *record;
    const Json fields = described.value("fields", Json::object());
    for (const auto& [field, value] : fields.items()) {
        after.fields.erase(field);
        if (!value.is_null()) after.fields[field] = canonical(value);
    }
    after.changed_at = space_.now();
    after = space_.completed(std::move(after));
    Json outcome = {{"fields", fields_of(after)}};
    TRY_ASSIGN(const auto evaluation, space_.judge(after, rules::Purpose::LocalWrite));
    outcome["verdict"] = rules::name_of(rules::verdict_of(evaluation.findings()));
    outcome["findings"] = shown_findings(evaluation.findings());
    return Result<Json>(boost::system::in_place_value, std::move(outcome));
}

// What becomes of a record of an older shape, which needs not fit the kind of today. A field that
// was cleared is shown as null.
Result<Json> CaseRunner::migrate(const Json& described) {
    TRY_ASSIGN(const auto record, record_of(described, "/do/migrate"));
    const auto plugin = space_.host().find(space_.plugin());
    auto answer = std::move(rules::migrations(*plugin, space_.kinds(), {&record, 1}).front());
    if (!answer) {
        Error error = std::move(answer).error();
        error.pointer = "/do/migrate/fields" + error.pointer;
        return error;
    }
    const Json& changes = *answer;
    if (!changes.empty()) space_.note_migrated(record.kind);
    Json fields = fields_of(record);
    fields.update(changes);
    return Result<Json>(boost::system::in_place_value, Json{{"fields", std::move(fields)}});
}

Result<Json> CaseRunner::report(const Json& wanted) {
    rules::PluginHost::ReportRequest request;
    request.space = BenchSpace::space_name;
    request.name = wanted.value("name", "");
    if (request.name.find('.') == std::string::npos) {
        request.name = space_.plugin() + "." + request.name;
    }
    request.language = wanted.value("language", "en");
    request.parameters = wanted.value("parameters", Json::object());
    TRY_ASSIGN(const std::string text, space_.host().report(request, space_.records()));
    const auto plugin = space_.host().find(request.name.substr(0, request.name.find('.')));
    Json outcome = Json::object();
    TRY_ASSIGN(outcome["blocks"], parse_json(text, rules::answer_limits(plugin->package.manifest)));
    TRY_ASSIGN(outcome["page"], render_(outcome["blocks"], request.language));
    return Result<Json>(boost::system::in_place_value, std::move(outcome));
}

Result<Json> CaseRunner::act(const Json& test) {
    Json outcome = Json::object();
    const Json todo = test.value("do", Json::object());
    if (todo.contains("check")) {
        TRY_ASSIGN(outcome, asked(todo["check"], "check"));
    } else if (todo.contains("write")) {
        TRY_ASSIGN(outcome, asked(todo["write"], "write"));
    } else if (todo.contains("change")) {
        TRY_ASSIGN(outcome, change(todo["change"]));
    } else if (todo.contains("migrate")) {
        TRY_ASSIGN(outcome, migrate(todo["migrate"]));
    } else if (todo.contains("judge")) {
        const std::string id = todo["judge"].value("record", "");
        const auto* record = space_.records().get(BenchSpace::space_name, id);
        if (record == nullptr) return malformed("no given record " + id, "/do/judge/record");
        TRY_ASSIGN(const auto evaluation, space_.judge(*record, rules::Purpose::Stored));
        outcome["findings"] = shown_findings(evaluation.findings());
    } else if (todo.contains("report")) {
        TRY_ASSIGN(outcome, report(todo["report"]));
    } else {
        outcome["findings"] = shown_findings(space_.findings());
    }
    if (!space_.unchecked().empty()) outcome["unchecked"] = space_.unchecked();
    return Result<Json>(boost::system::in_place_value, std::move(outcome));
}

Result<Json> CaseRunner::outcome(const Json& test, const std::vector<std::size_t>& order) {
    const std::string zone = test.value("zone", "America/New_York");
    if (!zone_exists(zone)) return malformed("there is no time zone " + zone, "/zone");
    Millis now = 0;
    if (test.contains("now")) {
        const auto said = parse_instant(test["now"].get<std::string>());
        if (!said) return malformed("\"now\" is an instant", "/now");
        now = *said;
    } else {
        now = *parse_instant("2026-01-15T12:00:00Z");
    }
    space_.reset(zone, now, test.value("config", Json::object()));
    TRY(give(test, order));
    return act(test);
}

CaseResult CaseRunner::run(const TestCase& test, const CaseOptions& options) {
    CaseResult result;
    std::vector<std::size_t> order(test.text.value("given", Json::array()).size());
    std::iota(order.begin(), order.end(), 0);
    result.orders = 0;
    Orders orders(order.size(), options.most_orders);
    do {
        auto outcome = this->outcome(test.text, order);
        ++result.orders;
        if (!outcome) {
            result.differences = {at_case(test, outcome.error()).text()};
            return result;
        }
        result.differences = differences(test.text["expect"], *outcome);
        if (result.orders == 1) result.actual = *outcome;
        if (!result.differences.empty()) {
            if (result.orders > 1) {
                result.differences.push_back("in another order of arrival");
            }
            return result;
        }
    } while (options.permute && orders.next(order));
    result.passed = true;
    return result;
}

}  // namespace dutybook::author
