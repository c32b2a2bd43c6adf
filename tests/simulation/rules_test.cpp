// A cross-record rule in every order of arrival: the production engine and plugin host with a real
// worker. What each site wrote while apart lies on a stick of its own; a site that knows nothing
// yet meets the sticks in two hundred orders, and finds the same each time.

#include "base/process.h"
#include "rules/plugin_host.h"
#include "simulation/site.h"
#include "support/source_dir.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <set>

using namespace dutybook;
using namespace dutybook::simulation;

namespace {

constexpr std::size_t orders = 200;

const rules::PackageFiles plugin_files = {{"plugin.json", R"({
      "id": "doses", "version": "1.0.0", "abi": 1, "runtime": "lua",
      "kinds": [{ "kind": "doses.order", "schema": "schemas/order.json" },
                { "kind": "doses.dose", "schema": "schemas/dose.json" }],
      "rules": [{
        "id": "DOSES-R01", "on": "doses.dose", "subject": "dose", "severity": "needs_review",
        "needs": {
          "order": { "kind": "doses.order", "id": "dose.order" },
          "others": { "kind": "doses.dose", "where": { "order": "dose.order" }, "field": "at",
                      "from": "dose.at - PT24H", "to": "dose.at + PT24H" } },
        "messages": { "too_soon": { "en": "{minutes} minutes apart." } } }],
      "limits": { "deadline_ms": 10000 } })"},
                                          {"rules.lua", R"(
      rules["DOSES-R01"] = function(dose, needs)
        local found = array()
        if needs.order == nil then return found end
        for _, other in ipairs(needs.others) do
          if other._id ~= dose._id and other._status ~= "retracted" then
            local apart = math.abs(instant.minutes(dose.at, other.at))
            if apart < needs.order.minutes then
              found[#found + 1] = { code = "too_soon", path = "/at", records = { other._id },
                                    values = { minutes = apart } }
            end
          end
        end
        return found
      end)"},
                                          {"schemas/order.json", R"({
      "$schema": "http://json-schema.org/draft-07/schema#", "title": "Order",
      "x-kind": "doses.order", "x-version": 1, "type": "object",
      "properties": { "minutes": { "type": "integer" } } })"},
                                          {"schemas/dose.json", R"({
      "$schema": "http://json-schema.org/draft-07/schema#", "title": "Dose",
      "x-kind": "doses.dose", "x-version": 1, "x-effective": "at", "x-final": true,
      "type": "object",
      "properties": { "order": { "type": "string", "x-refers": "doses.order", "x-index": true },
                      "at": { "type": "string", "format": "date-time", "x-index": true } } })"}};

// Counts what is judged on the way.
class Counting final : public rules::Evaluator {
public:
    explicit Counting(rules::PluginHost& host) : host_(host) {}
    std::vector<rules::PluginIdentity> plugins(const std::string& space) const override {
        return host_.plugins(space);
    }
    rules::Completion complete(const rules::RuleRecord& record,
                               rules::RecordSource& source) override {
        return host_.complete(record, source);
    }
    Result<rules::Evaluation> evaluate(std::span<const rules::RuleRecord> subjects,
                                       rules::Purpose purpose,
                                       rules::RecordSource& source) override {
        for (const auto& subject : subjects) {
            if (subject.kind == "doses.dose") judged.push_back(subject.id);
        }
        return host_.evaluate(subjects, purpose, source);
    }
    Result<std::vector<std::string>> touched(const std::string& space,
                                             std::span<const rules::RecordChange> changes,
                                             rules::RecordSource& source) override {
        return host_.touched(space, changes, source);
    }
    std::vector<std::string> judged;

private:
    rules::PluginHost& host_;
};

struct Clinic {
    Commons commons;
    Random random{7};
    SystemClock clock;
    std::unique_ptr<rules::PluginHost> host;
    std::unique_ptr<Counting> rules;
    std::map<std::string, testing::MemoryRemote> sticks;

    Clinic() {
        ::signal(SIGPIPE, SIG_IGN);
        const auto schemas = tests::source_dir() / "schemas";
        const auto reader = rules::ManifestReader::open(schemas);
        REQUIRE(reader.has_value());
        auto reading = rules::read_package(plugin_files, "doses", *reader);
        REQUIRE_MESSAGE(reading.errors.empty(), reading.errors.front().text());
        auto sources = rules::read_kind_folder(schemas / "kinds", "core");
        REQUIRE(sources.has_value());
        for (const auto& kind : reading.package.kinds) sources->push_back(kind);
        auto kinds = rules::KindRegistry::build(*sources);
        REQUIRE_MESSAGE(kinds.has_value(), kinds.error().text());
        commons.kinds = *kinds;
        rules::PluginHost::Options options;
        options.worker = program_directory() + "/dutybook-worker";
        options.clock = &clock;
        options.kinds = commons.kinds.get();
        options.zone = "UTC";
        host = std::make_unique<rules::PluginHost>(std::move(options));
        host->activate({{std::move(reading.package), {"school"}, "test"}});
        rules = std::make_unique<Counting>(*host);
        commons.rules = rules.get();
    }

    std::unique_ptr<Site> site(const std::string& id) {
        auto made = std::make_unique<Site>(id, commons, random);
        REQUIRE(made->start(false).has_value());
        return made;
    }
    // What the site holds by now, as a stick that nobody else writes to.
    void put_on_stick(Site& site, const std::string& name) {
        commons.remotes.clear();
        commons.remotes[name];
        REQUIRE(site.seal().has_value());
        const auto outcome = site.contact(name);
        REQUIRE_MESSAGE(outcome.ok, outcome.error->text());
        sticks[name] = commons.remotes[name];
    }
    void meet(Site& site, const std::string& name) {
        commons.remotes = {{name, sticks.at(name)}};
        const auto outcome = site.contact(name);
        REQUIRE_MESSAGE(outcome.ok, outcome.error->text());
        judge_all(site);
    }
    static void judge_all(Site& site) {
        while (true) {
            const auto more = site.engine().recheck(64);
            REQUIRE_MESSAGE(more.has_value(), more.error().text());
            if (!*more) return;
        }
    }
};

void write(Site& site, core::Action action, const std::string& id, const std::string& kind,
           Json fields) {
    core::WriteRequest request;
    request.action = action;
    request.id = id;
    request.kind = kind;
    request.fields = std::move(fields);
    request.reason = "entered in error";
    request.caller.by = "nurse";
    const auto written = site.write(request);
    REQUIRE_MESSAGE(written.has_value(), written.error().text());
}

void dose(Site& site, const std::string& id, const std::string& order, const std::string& time) {
    write(site, core::Action::Create, id, "doses.dose",
          {{"order", order}, {"at", "2026-03-02T" + time + ":00Z"}});
}

void order(Site& site, const std::string& id, int minutes) {
    write(site, core::Action::Create, id, "doses.order", {{"minutes", minutes}});
}

std::set<std::string> findings(Site& site) {
    std::set<std::string> ids;
    const auto places = site.engine().index().reader().findings("", "", 1000);
    REQUIRE(places.has_value());
    for (const auto& place : *places) ids.insert(place.id);
    return ids;
}

std::string id_of(const std::vector<std::string>& doses) {
    return rules::finding_id("DOSES-R01", "too_soon", doses);
}

}  // namespace

TEST_CASE("two doses at two sites are one finding, in two hundred orders of arrival") {
    Clinic clinic;
    const auto office = clinic.site("officeaa");
    const auto north = clinic.site("northaaa");
    const auto south = clinic.site("southaaa");
    const auto east = clinic.site("eastaaaa");
    order(*office, "o1", 240);
    order(*office, "o2", 240);
    clinic.put_on_stick(*office, "orders");
    dose(*north, "d1", "o1", "08:00");
    dose(*north, "d5", "o2", "08:00");
    clinic.put_on_stick(*north, "north-morning");
    write(*north, core::Action::Retract, "d5", "", {});
    clinic.put_on_stick(*north, "north-evening");
    dose(*south, "d2", "o1", "09:00");
    dose(*south, "d3", "o1", "20:00");
    clinic.put_on_stick(*south, "south");
    dose(*east, "d4", "o2", "09:00");
    clinic.put_on_stick(*east, "east");
    write(*office, core::Action::Patch, "o2", "", {{"minutes", 30}});
    clinic.put_on_stick(*office, "orders-amended");

    std::vector<std::string> names;
    for (const auto& [name, stick] : clinic.sticks) names.push_back(name);
    REQUIRE(names.size() == 6);
    const std::set<std::string> expected{id_of({"d1", "d2"})};
    std::set<std::string> digests;
    std::set<std::vector<std::string>> tried;
    while (tried.size() < orders) {
        for (std::size_t i = names.size(); i > 1; --i) {
            std::swap(names[i - 1], names[clinic.random.below(i)]);
        }
        if (!tried.insert(names).second) continue;
        const auto fresh = clinic.site("fresh" + clinic.random.word(3));
        for (const auto& name : names) clinic.meet(*fresh, name);
        CHECK(findings(*fresh) == expected);
        digests.insert(fresh->digest());
    }
    CHECK(digests.size() == 1);
    std::cout << tried.size()
              << " orders of arrival of 6 sticks: the same finding, the same digest\n";
}

TEST_CASE("an amended order's doses are judged again, and nothing else is") {
    Clinic clinic;
    const auto site = clinic.site("officeaa");
    for (const char* name : {"o1", "o2", "o3"}) order(*site, name, 240);
    for (int i = 0; i < 30; ++i) {
        dose(*site, "d" + std::to_string(i), "o" + std::to_string(i % 3 + 1),
             "0" + std::to_string(i % 10) + ":00");
    }
    Clinic::judge_all(*site);
    clinic.rules->judged.clear();
    write(*site, core::Action::Patch, "o2", "", {{"minutes", 60}});
    Clinic::judge_all(*site);
    const std::set<std::string> judged(clinic.rules->judged.begin(), clinic.rules->judged.end());
    CHECK(clinic.rules->judged.size() == 10);
    CHECK(judged.size() == 10);
    for (const auto& id : judged) CHECK(std::stoi(id.substr(1)) % 3 == 1);
    std::cout << "one of three orders amended, 30 doses: " << clinic.rules->judged.size()
              << " evaluations\n";
}
