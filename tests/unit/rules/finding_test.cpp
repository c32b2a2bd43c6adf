#include "rules/evaluator.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace dutybook;
using namespace dutybook::rules;

namespace {

Finding finding(Severity severity, std::vector<std::string> records = {"a"}) {
    Finding made;
    made.rule = "MED-R02";
    made.severity = severity;
    made.records = std::move(records);
    made.id = finding_id(made.rule, made.code, made.records);
    made.message = "too early";
    return made;
}

VerdictWord verdict(std::vector<Severity> severities) {
    std::vector<Finding> findings;
    for (const Severity severity : severities) findings.push_back(finding(severity));
    return verdict_of(findings);
}

}  // namespace

TEST_CASE("a verdict is the strongest of its findings") {
    CHECK(verdict({}) == VerdictWord::Allow);
    CHECK(verdict({Severity::Info}) == VerdictWord::Allow);
    CHECK(verdict({Severity::Info, Severity::Warn}) == VerdictWord::Warn);
    CHECK(verdict({Severity::NeedsReview}) == VerdictWord::Warn);
    CHECK(verdict({Severity::Deny, Severity::NeedsReview}) == VerdictWord::Deny);
    CHECK(verdict({Severity::Deny, Severity::Reject, Severity::Info}) == VerdictWord::Reject);
    CHECK(name_of(VerdictWord::Deny) == "deny");
}

TEST_CASE("an id comes from rule, code and the set of records") {
    const std::vector<std::string> ab{"a", "b"}, ba{"b", "a", "b"}, ac{"a", "c"};
    CHECK(finding_id("R", "", ab) == finding_id("R", "", ba));
    CHECK(finding_id("R", "", ab) != finding_id("R", "", ac));
    CHECK(finding_id("R", "", ab) != finding_id("S", "", ab));
    CHECK(finding_id("R", "amount", ab) != finding_id("R", "doses", ab));
    CHECK(finding_id("R", "", ab).size() == 26);
}

TEST_CASE("the same finding from two subjects is one, whatever came first") {
    std::vector<Finding> found{finding(Severity::Warn, {"a", "b"}),
                               finding(Severity::NeedsReview, {"b", "a"}),
                               finding(Severity::Info, {"c"})};
    const auto one = merged(found);
    std::reverse(found.begin(), found.end());
    const auto other = merged(found);
    REQUIRE(one.size() == 2);
    CHECK(write_findings(one) == write_findings(other));
    CHECK(std::any_of(one.begin(), one.end(),
                      [](const Finding& f) { return f.severity == Severity::NeedsReview; }));
    CHECK(std::is_sorted(one.begin(), one.end(),
                         [](const Finding& a, const Finding& b) { return a.id < b.id; }));
}

TEST_CASE("the latest limit is the one that passes last") {
    std::vector<Finding> found{finding(Severity::Deny), finding(Severity::Deny)};
    CHECK_FALSE(latest_limit(found).has_value());
    found[0].passes_at = 100;
    found[1].passes_at = 300;
    CHECK(latest_limit(found) == 300);
}

TEST_CASE("a stored fact is never rejected") {
    const auto told = as_stored({finding(Severity::Reject), finding(Severity::Deny)});
    CHECK(told[0].severity == Severity::NeedsReview);
    CHECK(told[1].severity == Severity::Deny);
}

TEST_CASE("the digest of findings leaves out what differs between sites") {
    Finding a = finding(Severity::Warn);
    Finding b = a;
    b.as_of = 5;
    b.passes_at = 6;
    b.state = FindingState::Accepted;
    CHECK(hash_of(a) == hash_of(b));
    b.message = "other";
    CHECK(hash_of(a) != hash_of(b));
}

TEST_CASE("findings are shown in the design's shape and read back as stored") {
    Finding made = finding(Severity::Deny, {"dose", "order"});
    made.code = "interval";
    made.steps = {"08:30 + 6 h = 14:30"};
    made.as_of = 1'000;
    made.passes_at = 2'000;
    const Json shown = to_json(made);
    CHECK(shown["severity"] == "deny");
    CHECK(shown["as_of"] == "1970-01-01T00:00:01Z");
    CHECK(shown["state"] == "open");
    CHECK(shown.size() == 12);  // those of the design, code and values

    const auto read = read_findings(write_findings({&made, 1}));
    REQUIRE(read.has_value());
    REQUIRE(read->size() == 1);
    CHECK(write_findings(*read) == write_findings({&made, 1}));
    CHECK(read->front().passes_at == 2'000);
    for (const char* bad : {"", "{}", "[{}]", "[1]", R"([{"finding": "x", "severity": "loud"}])"}) {
        CHECK(!read_findings(bad).has_value());
    }
}

TEST_CASE("without plugins everything is allowed and nothing is unchecked") {
    class Nothing final : public RecordSource {
        Result<NeedAnswer> find(const NeedQuery&) override {
            return failure(Code::Internal, "asked although there is no rule");
        }
    } source;
    NoRules rules;
    RuleRecord record;
    record.id = "d1";
    record.kind = "core.duty";
    CHECK(rules.plugins("school").empty());
    CHECK(rules.complete(record, source).fields.empty());
    const auto evaluation = rules.evaluate({&record, 1}, Purpose::LocalWrite, source);
    REQUIRE(evaluation.has_value());
    CHECK(verdict_of(evaluation->findings()) == VerdictWord::Allow);
    CHECK(evaluation->unchecked.empty());
    const RecordChange change{record, std::nullopt};
    CHECK(rules.touched("school", {&change, 1}, source)->empty());
}
