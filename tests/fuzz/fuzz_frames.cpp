// What a plugin's worker sends: frames in a stream of bytes, in them one answer a call, in an
// answer a rule's findings. A worker that was taken over may send anything.

#include "base/frame.h"
#include "fuzz/target.h"
#include "rules/plugin_host.h"
#include "rules/worker_process.h"

#include <algorithm>

using namespace dutybook;

namespace {

// A rule that may say of one record that its field "at" or another record is wrong.
struct Asked {
    rules::Manifest manifest;
    rules::RuleRecord subject;
    std::vector<std::string> reads{"other", "subject"};
    Asked() {
        manifest.id = "sample";
        rules::ManifestRule rule;
        rule.id = "SAM-R01";
        rule.stored = rules::Severity::NeedsReview;
        rule.messages["late"] = {{"en", "{minutes} minutes late"}};
        manifest.rules.push_back(rule);
        subject.id = "subject";
        subject.kind = "sample.thing";
        subject.fields["at"] = "{\"day\":[1,2,3]}";
    }
};

void check_findings(std::string_view text) {
    static const Asked asked;
    const rules::AnswerContext context{&asked.manifest, &asked.manifest.rules[0], &asked.subject,
                                       &asked.reads,    rules::Purpose::Stored,   {}};
    const auto findings = rules::read_answer(text, context);
    if (!findings) return;
    for (const auto& finding : *findings) {
        fuzz::must(finding.severity <= rules::Severity::NeedsReview,
                   "a rule says no more than it declared");
        fuzz::must(std::all_of(finding.records.begin(), finding.records.end(),
                               [](const std::string& id) {
                                   return std::binary_search(asked.reads.begin(), asked.reads.end(),
                                                             id);
                               }),
                   "a finding names only records that its rule was given");
    }
}

}  // namespace

DUTYBOOK_FUZZ_TARGET(frames) {
    std::string arrived(bytes);
    while (true) {
        const auto before = arrived.size();
        const auto frame = take_frame(arrived);
        if (!frame || !*frame) break;
        fuzz::must(arrived.size() + (*frame)->payload.size() + 5 == before,
                   "a frame takes its own bytes and no others");
        const auto lines = static_cast<std::size_t>(std::ranges::count((*frame)->payload, '\n'));
        const auto answers =
            rules::split_answers((*frame)->payload, std::max<std::size_t>(1, lines));
        if (!answers) continue;
        for (const auto& answer : *answers)
            if (answer) check_findings(*answer);
    }
    check_findings(bytes);
}
