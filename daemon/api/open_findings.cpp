#include "api/open_findings.h"

#include "api/findings.h"
#include "api/walls.h"

#include <algorithm>
#include <limits>

namespace dutybook::api {

namespace {

std::string text_of(const domain::RecordState& state, const std::string& field) {
    const auto found = state.fields.find(field);
    if (found == state.fields.end()) return {};
    const Json value = Json::parse(found->second, nullptr, false);
    return value.is_string() ? value.get<std::string>() : std::string();
}

bool is_about(const domain::RecordState& state, const std::string& person) {
    const std::string quoted = canonical(Json(person));
    return state.created.by == person ||
           std::any_of(state.fields.begin(), state.fields.end(), [&](const auto& field) {
               return field.second.find(quoted) != std::string::npos;
           });
}

struct Candidate {
    const rules::Finding* finding = nullptr;
    std::string when, person;
};

class Collector {
public:
    Collector(const Call& call, core::SpaceService& space)
        : call_(call), space_(space), walls_(call.services, space, reader_of(call)) {}

    // Nothing if it does not concern `person`, or is of a record that the reader may not see.
    Result<std::optional<Candidate>> candidate(const rules::Finding& finding,
                                               const std::string& person) {
        Candidate out;
        out.finding = &finding;
        TRY_ASSIGN(const bool hidden, walls_.hides_some(finding));
        if (hidden) return std::optional<Candidate>();
        bool about = person.empty();
        for (const std::string& id : finding.records) {
            TRY_ASSIGN(const auto record, space_.reader().get(id));
            if (!record) continue;
            const domain::RecordState& state = record->state;
            const auto* const kind = call_.services.book->kinds().find(state.kind);
            about = about || is_about(state, person);
            if (kind != nullptr && out.when.empty()) describe(state, *kind, out);
        }
        return about ? std::optional(std::move(out)) : std::nullopt;
    }

    const std::set<std::string>& opened() const { return walls_.opened(); }

    std::string name_of(const std::string& reference) {
        const auto slash = reference.find('/');
        std::string id = slash == std::string::npos ? reference : reference.substr(slash + 1);
        core::SpaceService* const parent = call_.services.book->space(space_.facts().parent);
        for (core::SpaceService* in : {&space_, parent}) {
            if (in == nullptr) continue;
            const auto record = in->reader().get(id);
            if (!record || !*record || (*record)->state.kind != "core.person") continue;
            return text_of((*record)->state, "given") + " " + text_of((*record)->state, "family");
        }
        return id;
    }

private:
    void describe(const domain::RecordState& state, const domain::KindTraits& kind,
                  Candidate& out) const {
        const std::string at = text_of(state, kind.effective);
        const auto instant = parse_instant(at);
        out.when =
            instant ? local_date(*instant, call_.services.book->site().zone) : at.substr(0, 10);
        for (const auto& [field, traits] : kind.fields) {
            if (traits.refers != "core.person") continue;
            const std::string value = text_of(state, field);
            // Whom it is about goes before who did it.
            const bool first = field == "person" || field == "student" || field == "assignee";
            if (!value.empty() && (first || out.person.empty())) out.person = value;
            if (!value.empty() && first) break;
        }
    }

    const Call& call_;
    core::SpaceService& space_;
    Walls walls_;
};

}  // namespace

Result<OpenFindings> open_findings(const Call& call, core::SpaceService& space,
                                   const OpenFindingsQuery& query) {
    FindingQuery all;
    all.open = true;
    all.limit = std::numeric_limits<std::size_t>::max();
    TRY_ASSIGN(const FindingPage page, find_findings(space, all));
    Collector collector(call, space);
    std::vector<Candidate> candidates;
    for (const auto& finding : page.findings) {
        if (finding.severity < rules::Severity::NeedsReview) continue;
        const bool asked =
            query.records == nullptr ||
            std::any_of(finding.records.begin(), finding.records.end(),
                        [&](const auto& id) { return query.records->count(id) != 0; });
        if (!asked) continue;
        TRY_ASSIGN(auto one, collector.candidate(finding, query.person));
        if (!one || one->when < query.from || (!query.to.empty() && one->when > query.to)) continue;
        candidates.push_back(std::move(*one));
    }
    std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
        if (a.finding->severity != b.finding->severity) {
            return a.finding->severity > b.finding->severity;
        }
        return a.when > b.when;
    });
    OpenFindings out;
    out.behind = collector.opened();
    out.more = candidates.size() - std::min(candidates.size(), query.most);
    candidates.resize(candidates.size() - out.more);
    for (const auto& one : candidates) {
        const rules::Finding& finding = *one.finding;
        const std::string text = call.services.plugins->host().message(finding, query.language);
        out.shown.push_back({one.when, finding.rule + ": " + text,
                             one.person.empty() ? "" : collector.name_of(one.person),
                             finding.records.empty() ? "" : finding.records.front(), finding.rule});
    }
    return out;
}

}  // namespace dutybook::api
