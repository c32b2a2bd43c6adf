#include "rules/first_time.h"

#include "base/clock.h"
#include "rules/never.h"

#include <doctest/doctest.h>

using namespace dutybook;
using namespace dutybook::rules;

namespace {

// A room that is taken at times: a booking must not overlap one of them.
class TakenRoom final : public Evaluator {
public:
    std::vector<std::pair<Millis, Millis>> taken;

    std::vector<PluginIdentity> plugins(const std::string&) const override { return {}; }
    Completion complete(const RuleRecord&, RecordSource&) override { return {}; }
    Result<Evaluation> evaluate(std::span<const RuleRecord> subjects, Purpose purpose,
                                RecordSource&) override {
        CHECK(purpose == Purpose::Check);
        Evaluation out;
        out.judgements.push_back({subjects[0].id, "", "", "", "", of(subjects[0]), {}, {}});
        return out;
    }
    Result<std::vector<std::string>> touched(const std::string&, std::span<const RecordChange>,
                                             RecordSource&) override {
        return std::vector<std::string>{};
    }
    std::vector<Finding> of(const RuleRecord& booking) const {
        const Millis from = instant(booking, "from"), to = instant(booking, "to");
        std::vector<Finding> found;
        for (const auto& [begin, end] : taken) {
            if (from >= end || to <= begin) continue;
            Finding finding;
            finding.passes_at = end;
            found.push_back(finding);
        }
        return found;
    }
    static Millis instant(const RuleRecord& booking, const std::string& field) {
        return *parse_instant(Json::parse(booking.fields.at(field)).get<std::string>());
    }
};

class Nothing final : public RecordSource {
    Result<NeedAnswer> find(const NeedQuery&) override { return NeedAnswer{}; }
};

Millis at(const std::string& time) {
    return *parse_instant("2026-03-02T" + time + ":00-05:00");
}

RuleRecord booking(const std::string& from, const std::string& to) {
    RuleRecord out;
    out.id = "b";
    out.zone = "America/New_York";
    out.fields["from"] = "\"2026-03-02T" + from + ":00-05:00\"";
    out.fields["to"] = "\"2026-03-02T" + to + ":00-05:00\"";
    return out;
}

std::optional<Millis> first(TakenRoom& room, const RuleRecord& asked) {
    domain::KindTraits kind;
    kind.effective = "from";
    Nothing source;
    const auto found = room.of(asked);
    return *first_time(room, asked, kind, found, source);
}

}  // namespace

TEST_CASE("the first time is behind everything that is in the way, each in turn") {
    TakenRoom room;
    room.taken = {
        {at("08:00"), at("09:00")}, {at("09:30"), at("10:00")}, {at("11:00"), at("12:00")}};
    CHECK(first(room, booking("08:30", "08:45")) == at("09:00"));
    CHECK(first(room, booking("08:30", "09:30")) == at("10:00"));  // an hour: no place before 10:00
    CHECK(first(room, booking("08:30", "10:00")) == at("12:00"));
    CHECK_FALSE(first(room, booking("12:00", "13:00")).has_value());
}

TEST_CASE("where one limit never passes there is no first time") {
    TakenRoom room;
    room.taken = {{at("08:00"), at("09:00")}, {at("09:30"), never_passes}};
    CHECK(first(room, booking("08:00", "08:30")) == at("09:00"));
    CHECK_FALSE(first(room, booking("08:00", "09:00")).has_value());
}
