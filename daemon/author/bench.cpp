#include "author/bench.h"

#include "author/cases.h"
#include "author/tools.h"

#include <algorithm>
#include <chrono>
#include <ostream>

namespace dutybook::author {

namespace {

using Time = std::chrono::steady_clock;
constexpr std::size_t batch = 64;
constexpr double least_seconds = 1;

double milliseconds_since(Time::time_point began) {
    return std::chrono::duration<double, std::milli>(Time::now() - began).count();
}

// What the cases are about, each record under an id of its own.
std::vector<rules::RuleRecord> records_of(const ReadCases& cases) {
    std::vector<rules::RuleRecord> records;
    const auto add = [&](const Json& described, const std::string& case_name) {
        if (!described.is_object() || !described.contains("kind")) return;
        rules::RuleRecord record;
        record.kind = described.value("kind", "");
        record.id = described.value("id", "record" + case_name);
        record.space = described.value("space", BenchSpace::space_name);
        record.status = domain::Status::Final;
        const Json fields = described.value("fields", Json::object());
        for (const auto& [name, value] : fields.items()) {
            if (!value.is_null()) record.fields[name] = canonical(value);
        }
        record.version = case_name;  // any will do: nothing is stored
        records.push_back(std::move(record));
    };
    for (std::size_t i = 0; i < cases.cases.size(); ++i) {
        const Json& test = cases.cases[i].text;
        for (const Json& given : test.value("given", Json::array())) add(given, std::to_string(i));
        const Json deed = test.value("do", Json::object());
        for (const char* verb : {"write", "check"}) {
            if (deed.contains(verb)) add(deed[verb], std::to_string(i));
        }
    }
    return records;
}

bool judges(const rules::Manifest& manifest, const std::string& kind) {
    return std::any_of(manifest.rules.begin(), manifest.rules.end(), [&](const auto& rule) {
        const auto& kinds = rule.needs.kinds;
        return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
    });
}

struct Measured {
    double start_ms = 0, p50_ms = 0, p99_ms = 0, seconds = 0;
    std::uint64_t records = 0, rounds = 0, memory = 0;
};

Result<Measured> measure(BenchSpace& space, const std::vector<rules::RuleRecord>& subjects) {
    Measured measured;
    const auto plugin = space.host().find(space.plugin());
    const auto began = Time::now();
    if (const auto started = plugin->slot->warm_up(); !started) {
        return code_error(plugin->package.manifest, started.error().why);
    }
    measured.start_ms = milliseconds_since(began);

    std::vector<double> each;
    for (const auto& subject : subjects) {
        const auto one = Time::now();
        TRY(space.host().evaluate({&subject, 1}, rules::Purpose::Stored, space.records()));
        each.push_back(milliseconds_since(one));
    }
    std::sort(each.begin(), each.end());
    measured.p50_ms = each[each.size() / 2];
    measured.p99_ms = each[each.size() * 99 / 100];

    std::vector<rules::RuleRecord> many;
    while (many.size() < batch) many.insert(many.end(), subjects.begin(), subjects.end());
    const auto all = Time::now();
    do {
        TRY(space.host().evaluate(many, rules::Purpose::Stored, space.records()));
        measured.records += many.size();
        ++measured.rounds;
        measured.seconds = milliseconds_since(all) / 1000;
    } while (measured.seconds < least_seconds);
    measured.memory = plugin->slot->status().resident;
    return measured;
}

int say_errors(const std::vector<Error>& errors, bool json, std::ostream& out) {
    print_errors(errors, json, out);
    return 3;
}

}  // namespace

int run_bench(const std::filesystem::path& folder, const Surroundings& surroundings, bool json,
              std::ostream& out) {
    const LoadedPlugins loaded = load_with_required(folder, surroundings);
    if (!loaded.errors.empty()) return say_errors(loaded.errors, json, out);
    const auto& package = loaded.packages.front();
    const auto cases = read_cases(package.files, package.manifest.id, surroundings.schemas);
    if (!cases.errors.empty()) return say_errors(cases.errors, json, out);
    BenchSpace space(loaded, surroundings);
    space.reset("UTC", SystemClock().now(), Json::object());
    std::vector<rules::RuleRecord> subjects;
    for (auto& record : records_of(cases)) {
        if (judges(package.manifest, record.kind)) subjects.push_back(record);
        space.records().put(std::move(record));
    }
    if (subjects.empty()) {
        return say_errors({malformed(package.manifest.id +
                                     "/tests: its cases hold no record that a rule judges")},
                          json, out);
    }
    const auto measured = measure(space, subjects);
    if (!measured) return say_errors({measured.error()}, json, out);
    const double rate = static_cast<double>(measured->records) / measured->seconds;
    if (json) {
        out << canonical({{"plugin", package.manifest.id},
                          {"records", subjects.size()},
                          {"rules", package.manifest.rules.size()},
                          {"judged_per_second", rate},
                          {"p50_ms", measured->p50_ms},
                          {"p99_ms", measured->p99_ms},
                          {"start_ms", measured->start_ms},
                          {"memory", measured->memory}})
            << '\n';
        return 0;
    }
    out << package.manifest.id << ": " << static_cast<std::uint64_t>(rate)
        << " records judged per second by " << package.manifest.rules.size() << " rules, over "
        << subjects.size() << " records of the test cases\n"
        << "one alone: " << measured->p50_ms << " ms (the slowest of a hundred " << measured->p99_ms
        << " ms)\n"
        << "the worker started in " << measured->start_ms << " ms and uses "
        << (measured->memory >> 20U) << " MiB\n";
    return 0;
}

}  // namespace dutybook::author
