// Plugins: bench_plugin WORKER SCHEMAS RULES OBJECT SECONDS
//
// The same calls through a worker (the slot that the host uses, as many at once as it sends) and in
// this process by the worker's own library, so that the ratio is what isolation costs. RULES is the
// folder tests/bench/rules, OBJECT the word_count example. Prints one JSON object.

#include "base/clock.h"
#include "rules/memory_source.h"
#include "rules/plugin_host.h"
#include "rules/splice.h"
#include "rules/worker_slot.h"
#include "worker/runtime.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

using namespace dutybook;

namespace {

const std::size_t batch = rules::WorkerSlot::Options{}.batch;  // the most that is sent at once
constexpr std::size_t group = 64;  // writes that are judged together: calls of a plugin of one rule
constexpr std::size_t neighbours = 8;  // records that the rule with needs is given

double seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "bench_plugin: %s\n", why.c_str());
    std::exit(1);
}

template <class T>
T must(Result<T> result) {
    if (!result) give_up(result.error().text());
    return std::move(*result);
}

std::string quoted(const std::string& text) {
    return Json(text).dump();
}

rules::RuleRecord duty(std::size_t i) {
    const Millis at = 1'700'000'000'000 + static_cast<Millis>(i) * 60'000;
    rules::RuleRecord record;
    record.id = "duty" + std::to_string(i);
    record.kind = "core.duty";
    record.space = "school";
    record.version = "v" + std::to_string(i);
    record.zone = "America/New_York";
    record.by = "p" + std::to_string(i % 40);
    record.created_at = record.changed_at = at;
    record.fields = {{"title", quoted("Hall and yard duty, group " + std::to_string(i))},
                     {"category", quoted("supervision")},
                     {"priority", quoted(i % 7 == 0 ? "urgent" : "normal")},
                     {"state", quoted(i % 3 == 0 ? "done" : "open")},
                     {"assignee", quoted("p" + std::to_string(i / neighbours))},
                     {"place", quoted("east hall")},
                     {"due", quoted(format_utc(at))}};
    return record;
}

rules::WorkerCall rule_call(const char* rule, std::size_t i, bool needs) {
    std::string others;
    for (std::size_t k = 0; needs && k < neighbours; ++k)
        others += (k > 0 ? "," : "") + rules::record_text(duty(i + k));
    return {"evaluate", rule,
            "{\"subject\":" + rules::record_text(duty(i)) + ",\"needs\":{" +
                (needs ? "\"others\":[" + others + "]" : "") +
                "},\"context\":{\"zone\":\"America/New_York\"}}"};
}

rules::WorkerCall need_call(std::size_t i) {
    rules::RuleRecord record = duty(i);
    record.kind = "core.need";
    record.fields["text"] = quoted("Directions of the science lab in large print");
    return {"evaluate", "WORDS-R01",
            "{\"subject\":" + rules::record_text(record) +
                ",\"needs\":{},\"context\":{\"zone\":\"America/New_York\"}}"};
}

struct Rate {
    double wall = 0, cpu = 0;  // calls a second, and calls a second of processor time
};

double processor_seconds(pid_t process) {
    clockid_t clock = CLOCK_PROCESS_CPUTIME_ID;
    timespec time{};
    if (process != 0 && clock_getcpuclockid(process, &clock) != 0) return 0;
    if (clock_gettime(clock, &time) != 0) return 0;
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// Of a function that does `calls`; `worker` is the process that helps with it, or 0.
Rate rate(double most, std::size_t calls, const std::function<void()>& one_batch,
          pid_t worker = 0) {
    const auto used = [&] {
        return processor_seconds(0) + (worker > 0 ? processor_seconds(worker) : 0);
    };
    const double begin = seconds(), cpu = used();
    std::size_t done = 0;
    double now = begin;
    for (; now - begin < most; now = seconds()) {
        one_batch();
        done += calls;
    }
    return {static_cast<double>(done) / (now - begin), static_cast<double>(done) / (used() - cpu)};
}

void keep_best(Rate& best, Rate found) {
    best.wall = std::max(best.wall, found.wall);
    best.cpu = std::max(best.cpu, found.cpu);
}

void compare(const char* name, std::vector<rules::WorkerCall> calls, rules::WorkerSlot& slot,
             worker::Runtime& runtime, double most) {
    const auto in_worker = [&] {
        for (const auto& answer : slot.run(calls))
            if (!answer) give_up(answer.error().text());
    };
    const auto in_process = [&] {
        for (const auto& call : calls) must(runtime.call(call.verb, call.name, call.input));
    };
    in_worker();
    in_process();
    // Alternating, so that a busy machine disturbs both alike.
    Rate isolated, direct;
    for (int round = 0; round < 5; ++round) {
        keep_best(isolated, rate(most / 10, calls.size(), in_worker, slot.status().pid));
        keep_best(direct, rate(most / 10, calls.size(), in_process));
    }
    std::printf(
        "\"%s\": {\"worker\": %.1f, \"in_process\": %.1f, \"worker_cpu\": %.1f, "
        "\"in_process_cpu\": %.1f}, ",
        name, isolated.wall, direct.wall, isolated.cpu, direct.cpu);
}

// The whole way of a verdict: needs looked up, text spliced, worker, answer checked.
void whole_host(const std::string& program, const std::string& schemas, const std::string& folder,
                double most) {
    const SystemClock clock;
    const auto kinds =
        must(rules::KindRegistry::build(must(rules::read_kind_folder(schemas + "/kinds", "core"))));
    const auto reader = must(rules::ManifestReader::open(schemas));
    auto reading = rules::read_package_folder(folder, reader);
    for (const Error& error : reading.errors) give_up(error.text());
    rules::PluginHost::Options options;
    options.worker = program;
    options.clock = &clock;
    options.kinds = kinds.get();
    options.zone = "America/New_York";
    rules::PluginHost host(std::move(options));
    host.activate({{reading.package, {"school"}, "bench"}});
    rules::MemorySource source("school");
    std::vector<rules::RuleRecord> subjects;
    for (std::size_t i = 0; i < batch; ++i) {
        subjects.push_back(duty(i));
        source.put(subjects.back());
    }
    const auto judge = [&] {
        const auto evaluation = must(host.evaluate(subjects, rules::Purpose::Stored, source));
        if (!evaluation.unchecked.empty()) give_up(evaluation.unchecked.front().why);
    };
    judge();
    std::printf("\"host_records\": %.1f, ", rate(most / 2, batch, judge).wall);
}

void start_and_memory(const std::string& program, const rules::WorkerLoad& load) {
    std::vector<double> times;
    std::uint64_t resident = 0;
    for (int i = 0; i < 11; ++i) {
        const double begin = seconds();
        const auto process = must(rules::WorkerProcess::start(program, load, {}));
        times.push_back((seconds() - begin) * 1000);
        resident = rules::resident_memory(process->pid());
    }
    std::sort(times.begin(), times.end());
    std::printf("\"start_ms\": %.2f, \"fresh_bytes\": %llu, ", times[times.size() / 2],
                static_cast<unsigned long long>(resident));
}

rules::WorkerSlot::Options slot_options(const std::string& program, const Clock& clock) {
    rules::WorkerSlot::Options options;
    options.program = program;
    options.clock = &clock;
    return options;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) give_up("usage: bench_plugin WORKER SCHEMAS RULES OBJECT SECONDS");
    std::signal(SIGPIPE, SIG_IGN);
    const std::string program = argv[1], schemas = argv[2], folder = argv[3], object = argv[4];
    const double most = std::stod(argv[5]);
    const SystemClock clock;
    const auto files = must(rules::read_package_files(folder));

    rules::WorkerLoad lua;
    lua.plugin = "bench_rules";
    lua.lua["rules.lua"] = files.at("rules.lua");
    rules::WorkerSlot lua_slot(slot_options(program, clock), lua);
    const auto quiet = [](std::string_view) {};
    const auto lua_runtime = must(worker::load_lua({lua.plugin, lua.lua}, "{}", {}, quiet));
    std::vector<rules::WorkerCall> plain, needing, native;
    for (std::size_t i = 0; i < batch; ++i) {
        plain.push_back(rule_call("BENCH-R01", i, false));
        needing.push_back(rule_call("BENCH-R02", i, true));
        native.push_back(need_call(i));
    }
    std::printf("{");
    compare("lua", plain, lua_slot, *lua_runtime, most);
    compare("lua_needs", needing, lua_slot, *lua_runtime, most);

    rules::WorkerLoad words;
    words.plugin = "word_count";
    words.native = true;
    words.object = object;
    rules::WorkerSlot native_slot(slot_options(program, clock), words);
    const auto native_runtime = must(worker::load_native(object, "{}", {}, quiet));
    compare("native", native, native_slot, *native_runtime, most);
    native.resize(group);
    compare("native_group", native, native_slot, *native_runtime, most);
    whole_host(program, schemas, folder, most);
    start_and_memory(program, lua);
    const int pid = lua_slot.status().pid;
    std::printf("\"resident_bytes\": %llu}\n",
                static_cast<unsigned long long>(pid > 0 ? rules::resident_memory(pid) : 0));
}
