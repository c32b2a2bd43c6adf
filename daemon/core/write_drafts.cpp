// Writes that wait for the rules.

#include "core/answers.h"
#include "core/standing.h"
#include "core/verdict_row.h"
#include "core/write_group.h"
#include "domain/version.h"

#include <algorithm>

namespace dutybook::core {

namespace {

Error rejected(const std::vector<rules::Finding>& findings) {
    const rules::Finding* first = nullptr;
    Json all = Json::array();
    for (const auto& finding : findings) {
        if (finding.severity == rules::Severity::Reject && !first) first = &finding;
        all.push_back(rules::to_json(finding));
    }
    Error out = failure(Code::Rejected, first->message, first->rule);
    out.pointer = first->path;
    out.detail = canonical({{"findings", std::move(all)}, {"rule", first->rule}});
    return out;
}

}  // namespace

std::unordered_map<std::string, WriteGroup::Said> WriteGroup::by_record(
    const rules::Evaluation& evaluation) {
    std::unordered_map<std::string, Said> said;
    for (const auto& one : evaluation.unchecked) said[one.record].checked = false;
    for (const auto& one : evaluation.judgements) {
        Said& of = said[one.record];
        of.findings.insert(of.findings.end(), one.findings.begin(), one.findings.end());
        of.judgements.push_back(&one);
    }
    for (auto& [record, of] : said) of.findings = rules::merged(std::move(of.findings));
    return said;
}

Result<Written> WriteGroup::drafted(const domain::Operation& operation, Working* record,
                                    domain::RecordState after) {
    Written written;
    written.id = after.id;
    written.wrote = true;
    const Hash hash = domain::hash_of(after);
    written.record = {std::move(after), domain::version_of(hash), 0};
    const std::size_t line = lines_.size();
    TRY_ASSIGN(domain::Operation issued, issue(operation));
    if (rules_on()) {
        source_.add(rule_record(written.record.state, written.record.version, facts_.name));
    }
    drafts_.push_back({0, line, {}, std::move(issued), record, std::move(written), hash});
    return Written{};  // settle() says what came of it
}

// What it does depends on how a draft ends.
bool WriteGroup::waits_for_drafts(const WriteRequest& request) const {
    if (request.idempotency_key.empty() && !touched_.contains(request.id)) return false;
    return std::any_of(drafts_.begin(), drafts_.end(), [&](const Draft& draft) {
        return draft.written.id == request.id ||
               (!request.idempotency_key.empty() && draft.key == request.idempotency_key);
    });
}

Result<rules::Evaluation> WriteGroup::evaluate() {
    if (!rules_on()) return rules::Evaluation{};
    const auto subjects = source_.last(drafts_.size());
    const auto deleted = [](const rules::RuleRecord& record) { return record.deleted; };
    if (std::none_of(subjects.begin(), subjects.end(), deleted)) {
        return parts_.evaluator->evaluate(subjects, rules::Purpose::LocalWrite, source_);
    }
    std::vector<rules::RuleRecord> alive(subjects.begin(), subjects.end());
    std::erase_if(alive, deleted);
    return parts_.evaluator->evaluate(alive, rules::Purpose::LocalWrite, source_);
}

Result<std::size_t> WriteGroup::settle(std::span<const WriteRequest> requests,
                                       std::vector<Result<Written>>& results) {
    TRY_ASSIGN(const auto evaluation, evaluate());
    auto said = by_record(evaluation);
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
        Draft& draft = drafts_[i];
        const std::size_t place = draft.place;
        Said& of = said[draft.written.id];
        if (draft.record != nullptr) {
            IndexSource source(facts_, parts_);
            TRY(spare_what_stood(of.findings, draft.record->state(), draft.written.record.state,
                                 facts_.name, *parts_.evaluator, source));
        }
        if (rules::verdict_of(of.findings) == rules::VerdictWord::Reject) {
            results.erase(results.begin() + static_cast<std::ptrdiff_t>(place), results.end());
            results.push_back(rejected(of.findings));
            take_back(i);
            drafts_at_once_ = 1;  // where one is rejected the next may be too
            return place + 1;
        }
        if (rules_on()) note(draft, of);
        accept(draft, requests[place]);
        results[place] = std::move(draft.written);
    }
    drafts_.clear();
    drafts_at_once_ = std::min(drafts_at_once_ * 2, most_drafts);
    return results.size();
}

void WriteGroup::note(Draft& draft, const Said& said) {
    Written& written = draft.written;
    if (!said.findings.empty()) {
        Json shown = Json::array();
        for (const auto& finding : said.findings) shown.push_back(rules::to_json(finding));
        written.findings = canonical(shown);
    }
    written.checked = said.checked;
    Rechecks::Written noted{written.id, draft.line, false, std::nullopt};
    noted.judged = said.checked && !written.record.state.deleted;
    for (const auto* one : said.judgements) {
        verdicts_.push_back(verdict_row(*one));
        if (one->again_at && (!noted.again_at || *one->again_at < *noted.again_at)) {
            noted.again_at = one->again_at;
        }
    }
    noted_[written.id] = std::move(noted);
}

void WriteGroup::accept(Draft& draft, const WriteRequest& request) {
    if (request.action == Action::Create) {
        draft.written.same_as = state_.recent.note(draft.operation, now_);
    }
    if (draft.record != nullptr) {
        draft.record->add(std::move(draft.operation), draft.written.record);
    } else {
        fresh_.push_back({draft.line, std::move(draft.operation), draft.hash});
    }
    if (!request.idempotency_key.empty()) {
        keyed_[request.idempotency_key] = {fingerprint(request), draft.written};
    }
}

void WriteGroup::take_back(std::size_t first) {
    for (std::size_t i = drafts_.size(); i-- > first;) {
        const auto touched = touched_.find(drafts_[i].written.id);
        touched->second.pop_back();
        if (touched->second.empty()) touched_.erase(touched);
        --next_seq_;
    }
    lines_.resize(drafts_[first].line);
    if (rules_on()) source_.keep(source_.size() - (drafts_.size() - first));
    drafts_.clear();
}

}  // namespace dutybook::core
