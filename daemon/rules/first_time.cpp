#include "rules/first_time.h"

#include "rules/never.h"

#include <algorithm>

namespace dutybook::rules {

namespace {

constexpr int most_steps = 64;  // one for each dose, shift or booking that is in the way

// A field's instant; nothing where it holds a calendar date or something else.
std::optional<Millis> instant_of(const std::string& value) {
    const Json json = Json::parse(value, nullptr, false);
    if (!json.is_string()) return std::nullopt;
    const auto instant = parse_instant(json.get<std::string>());
    return instant ? std::optional(*instant) : std::nullopt;
}

RuleRecord moved(const RuleRecord& subject, Millis from, Millis to) {
    RuleRecord out = subject;
    for (auto& [name, value] : out.fields) {
        const auto at = instant_of(value);
        if (at && *at >= from) value = canonical(Json(format_in_zone(*at + to - from, out.zone)));
    }
    return out;
}

}  // namespace

Result<std::optional<Millis>> first_time(Evaluator& evaluator, const RuleRecord& subject,
                                         const domain::KindTraits& kind,
                                         std::span<const Finding> findings, RecordSource& source) {
    std::optional<Millis> next = latest_limit(findings);
    const auto effective = subject.fields.find(kind.effective);
    const auto asked =
        effective == subject.fields.end() ? std::nullopt : instant_of(effective->second);
    if (!next || !asked || *next <= *asked) {
        return next && *next < never_passes ? next : std::nullopt;
    }
    for (int step = 0; step < most_steps && *next < never_passes; ++step) {
        const RuleRecord then = moved(subject, *asked, *next);
        TRY_ASSIGN(const auto evaluation, evaluator.evaluate({&then, 1}, Purpose::Check, source));
        const auto still = latest_limit(evaluation.findings());
        if (!still || *still <= *next) return next;
        next = still;
    }
    return std::optional<Millis>{};
}

}  // namespace dutybook::rules
