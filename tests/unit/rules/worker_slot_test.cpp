// Real workers: a slot over the dutybook-worker beside this program.

#include "rules/worker_slot.h"
#include "base/process.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <chrono>

using namespace dutybook;
using namespace dutybook::rules;

namespace {

const SystemClock the_clock;

// A monotonic clock that tests move; nothing sleeps through a backoff.
class SteppedClock final : public Clock {
public:
    Millis now() const override { return time; }
    Millis monotonic() const override { return time; }
    Millis time = 1'000'000;
};

std::unique_ptr<WorkerSlot> slot(const std::string& lua, const Clock& clock = the_clock) {
    ::signal(SIGPIPE, SIG_IGN);
    WorkerSlot::Options options;
    options.program = program_directory() + "/dutybook-worker";
    options.clock = &clock;
    WorkerLoad load;
    load.plugin = "test";
    load.lua["rules.lua"] = lua;
    load.instructions = 1'000'000'000'000;  // the wall clock has to do it
    return std::make_unique<WorkerSlot>(options, load);
}

std::vector<WorkerCall> calls(std::size_t count, const std::string& rule = "A") {
    std::vector<WorkerCall> all;
    for (std::size_t i = 0; i < count; ++i) {
        all.push_back({"evaluate", rule, R"({"subject":{"n":)" + std::to_string(i) + "}}"});
    }
    return all;
}

constexpr const char* hangs_on_some = R"(
    rules["A"] = function(s)
      if s.n % 2000 == 7 then while true do end end
      return { code = tostring(s.n) }
    end)";

}  // namespace

TEST_CASE("answers come back in order, one per call") {
    const auto worker = slot(hangs_on_some);
    const auto answers = worker->run(calls(5));
    REQUIRE(answers.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) {
        REQUIRE(answers[i].has_value());
        CHECK(*answers[i] == R"([{"code":")" + std::to_string(i) + R"("}])");
    }
    CHECK(worker->status().sandbox.value("seccomp", false));
}

TEST_CASE("poison is isolated: five hanging records of ten thousand fail alone") {
    const auto started = std::chrono::steady_clock::now();
    const auto worker = slot(hangs_on_some);
    const auto answers = worker->run(calls(10'000));
    std::size_t good = 0;
    std::size_t poison = 0;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (answers[i].has_value()) {
            ++good;
        } else {
            ++poison;
            CHECK(i % 2000 == 7);
            CHECK(answers[i].error().code == Code::Internal);
        }
    }
    CHECK(good == 9'995);
    CHECK(poison == 5);
    CHECK(worker->status().state == SlotState::Running);
    CHECK(std::chrono::steady_clock::now() - started < std::chrono::seconds(30));
}

TEST_CASE("a failing call is an error of that call alone, no restart") {
    const auto worker = slot(R"(
        rules["A"] = function(s) if s.n == 1 then error("no") end return {} end)");
    const auto answers = worker->run(calls(3));
    CHECK(answers[0].has_value());
    CHECK(answers[1].error().what.find("rules.lua:2: no") != std::string::npos);
    CHECK(answers[2].has_value());
    CHECK(worker->status().restarts == 0);
}

TEST_CASE("five crashes quarantine the plugin, and a person lifts it") {
    SteppedClock clock;
    const auto worker = slot("rules['A'] = function() while true do end end", clock);
    for (int crash = 1; crash <= 5; ++crash) {
        CHECK(worker->run(calls(1))[0].error().code == Code::Internal);
        if (crash < 5) {
            CHECK(worker->status().state == SlotState::Backoff);
            CHECK(worker->run(calls(1))[0].error().code == Code::Unavailable);
            clock.time += 60'000;
        }
    }
    CHECK(worker->status().state == SlotState::Quarantined);
    clock.time += 3'600'000;
    CHECK(worker->run(calls(1))[0].error().code == Code::Unavailable);
    worker->forgive();
    CHECK(worker->run(calls(1))[0].error().code == Code::Internal);
}

TEST_CASE("crashes that lie far apart do not quarantine") {
    SteppedClock clock;
    const auto worker = slot("rules['A'] = function() while true do end end", clock);
    for (int crash = 1; crash <= 7; ++crash) {
        CHECK(worker->run(calls(1))[0].error().code == Code::Internal);
        clock.time += 300'000;
    }
    CHECK(worker->status().state == SlotState::Backoff);
}

TEST_CASE("a plugin that cannot be loaded says why and is not tried again") {
    const auto worker = slot("rules[ = 1");
    const auto result = worker->warm_up();
    REQUIRE_FALSE(result);
    CHECK(result.error().text().find("rules.lua:1") != std::string::npos);
    CHECK(worker->status().state == SlotState::Broken);
}
