// The index at size: bench_index [records] [folder]. Every aim prints met or missed. The floor of
// joining (clone + decode + bare insert) is measured by scripts/bench; here the bare insert alone.

#include "store/index.h"
#include "store/sqlite.h"

#include "base/clock.h"
#include "base/crypto.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <vector>

using namespace dutybook;

namespace {

double seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

// Of this process, by all threads: what a busy machine does not blur.
double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto of = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return of(usage.ru_utime) + of(usage.ru_stime);
}

struct Watch {
    double begin = seconds(), cpu = cpu_seconds();
    void print(const char* name) const {
        std::printf("%-34s %.1f s (%.1f s of processor)\n", name, seconds() - begin,
                    cpu_seconds() - cpu);
    }
};

// In MiB; memory that is the process's own, and with mapped files.
std::pair<double, double> memory() {
    std::ifstream statm("/proc/self/statm");
    double size = 0, resident = 0, shared = 0;
    statm >> size >> resident >> shared;
    const double page = static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
    return {(resident - shared) * page, resident * page};
}

class Kinds final : public domain::KindCatalog {
public:
    Kinds() {
        duty_.name = "core.duty";
        duty_.effective = "due";
        duty_.fields["priority"].indexed = true;
        duty_.fields["person"].indexed = true;
        duty_.fields["person"].refers = "core.person";
        duty_.fields["state"].indexed = true;
    }
    const domain::KindTraits* find(std::string_view kind) const override {
        return kind == "core.duty" ? &duty_ : nullptr;
    }

private:
    domain::KindTraits duty_;
};

const std::vector<std::string> words{
    "sweep", "hall", "yard", "bus",   "lunch",  "reading", "group",  "desk",  "paper", "phone",
    "nurse", "door", "late", "check", "folder", "meeting", "parent", "print", "count", "clean"};

std::string make_line(std::size_t i, const std::string& id, std::mt19937& random) {
    const Millis at = 1'700'000'000'000 + static_cast<Millis>(i) * 1000;
    std::string title, note;
    for (int w = 0; w < 4; ++w) title += words[random() % words.size()] + " ";
    for (int w = 0; w < 12; ++w) {
        note += (random() % 50 == 0 ? "rare" + std::to_string(random() % 5000)
                                    : words[random() % words.size()]) +
                " ";
    }
    domain::Operation operation;
    operation.hlc = {at, 0};
    operation.at = at;
    operation.verb = domain::Verb::Create;
    operation.record = id;
    operation.kind = "core.duty";
    operation.by = "p" + std::to_string(random() % 40);
    operation.zone = "America/Chicago";
    operation.auth = "socket";
    const char* priorities[] = {"\"high\"", "\"low\"", "\"normal\"", "\"urgent\""};
    operation.changes = {
        {"category", domain::Act::Set, "\"admin\""},
        {"due", domain::Act::Set, "\"" + format_utc(at + 86'400'000) + "\""},
        {"note", domain::Act::Set, "\"" + note + "\""},
        {"person", domain::Act::Set, "\"p" + std::to_string(random() % 1000) + "\""},
        {"priority", domain::Act::Set, priorities[random() % 4]},
        {"state", domain::Act::Set, random() % 10 == 0 ? "\"open\"" : "\"done\""},
        {"title", domain::Act::Set, "\"" + title + "\""}};
    return domain::write_operation(operation).value();
}

// Latencies in milliseconds of `rounds` calls; prints p50, p99 and the verdict on p99.
void measure(const char* name, int rounds, double aim, const std::function<bool()>& call) {
    std::vector<double> times;
    for (int i = 0; i < rounds; ++i) {
        const double begin = seconds();
        if (!call()) {
            std::printf("%-34s failed\n", name);
            return;
        }
        times.push_back((seconds() - begin) * 1000);
    }
    std::sort(times.begin(), times.end());
    const double p50 = times[times.size() / 2], p99 = times[times.size() * 99 / 100];
    std::printf("%-34s p50 %7.3f ms  p99 %7.3f ms  aim < %g: %s\n", name, p50, p99, aim,
                p99 < aim ? "met" : "missed");
}

void verdict(const char* name, double value, const char* unit, double aim) {
    std::printf("%-34s %.2f %s  aim < %g: %s\n", name, value, unit, aim,
                value < aim ? "met" : "missed");
}

struct World {
    std::vector<std::string> ids, lines;
};

World make_world(std::size_t count) {
    World world;
    std::mt19937 random(1);
    for (std::size_t i = 0; i < count; ++i) {
        world.ids.push_back(make_record_id(1'700'000'000'000 + static_cast<Millis>(i) * 1000));
        world.lines.push_back(make_line(i, world.ids.back(), random));
    }
    return world;
}

// What no index can be faster than: the same lines into one table, three indexes made at the end.
void bare_insert(const World& world, const std::string& path) {
    const Watch watch;
    auto db = store::Database::open(path, store::Database::Mode::Create).value();
    (void)db->script(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; BEGIN; "
        "CREATE TABLE r(id TEXT, kind INT, at INT, person TEXT, priority TEXT, "
        "state TEXT, line TEXT)");
    for (std::size_t i = 0; i < world.lines.size(); ++i) {
        (void)db->run("INSERT INTO r VALUES(?1, 1, ?2, 'p1', 'high', 'open', ?3)", world.ids[i], i,
                      world.lines[i]);
    }
    (void)db->script(
        "CREATE UNIQUE INDEX a ON r(id); CREATE INDEX b ON r(kind, at); "
        "CREATE INDEX c ON r(person, at); CREATE INDEX d ON r(priority, at); "
        "CREATE INDEX e ON r(state, at); COMMIT");
    watch.print("bare insert with late indexes");
}

void load(store::Index& index, const World& world) {
    constexpr std::size_t in_run = 1000;
    const domain::Frontier none;
    const Watch whole;
    (void)index.begin_bulk();
    for (std::size_t first = 0; first < world.lines.size(); first += in_run) {
        const std::size_t size = std::min(in_run, world.lines.size() - first);
        const store::Run run{
            "northsite-1111",     first + 1, &none, std::span(world.lines).subspan(first, size),
            std::string(40, 'a'), 1};
        const auto applied = index.apply({&run, 1});
        if (!applied) std::printf("apply: %s\n", applied.error().text().c_str());
    }
    whole.print("bulk load without late indexes");
    (void)index.end_bulk();
    whole.print("bulk load");
    const Watch text;
    while (true) {
        const auto more = index.catch_up_search(5000);
        if (!more || !*more) break;
    }
    text.print("full text");
}

// Ids as a client has them: from lists spread over the years.
std::vector<std::string> some_ids(store::IndexReader& reader, std::size_t count) {
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < 200; ++i) {
        store::Query query{.kind = "core.duty", .limit = 20};
        query.until = 1'700'086'400'000 + static_cast<Millis>(i * count / 200 + 20) * 1000;
        const auto page = reader.list(query);
        if (!page) continue;
        for (const auto& record : page->records) ids.push_back(record.state.id);
    }
    std::shuffle(ids.begin(), ids.end(), std::mt19937(4));
    return ids;
}

void queries(store::IndexReader& reader, std::size_t count) {
    const std::vector<std::string> ids = some_ids(reader, count);
    std::mt19937 random(2);
    measure("point read", 2000, 1, [&] {
        const auto record = reader.get(ids[random() % ids.size()]);
        return record && record->has_value();
    });
    measure("list of a kind, 50", 500, 2, [&] {
        store::Query query{.kind = "core.duty", .limit = 50};
        query.until = 1'700'086'400'000 + static_cast<Millis>(random() % count) * 1000;
        return static_cast<bool>(reader.list(query));
    });
    measure("filtered list, 50", 500, 2, [&] {
        return static_cast<bool>(
            reader.list({.kind = "core.duty",
                         .where = {{"person", "\"p" + std::to_string(random() % 1000) + "\""}},
                         .limit = 50}));
    });
    measure("filtered list, two fields, 20", 500, 2, [&] {
        return static_cast<bool>(
            reader.list({.kind = "core.duty",
                         .where = {{"person", "\"p" + std::to_string(random() % 1000) + "\""},
                                   {"priority", "\"high\""}},
                         .limit = 20}));
    });
    measure("search, frequent word, 50", 300, 20, [&] {
        return static_cast<bool>(
            reader.list({.text = words[random() % words.size()], .limit = 50}));
    });
    measure("search, two words and kind, 50", 300, 20, [&] {
        return static_cast<bool>(reader.list(
            {.kind = "core.duty",
             .text = words[random() % words.size()] + " " + words[random() % words.size()],
             .limit = 50}));
    });
    measure("search, rare and frequent word", 300, 20, [&] {
        return static_cast<bool>(
            reader.list({.text = "rare" + std::to_string(random() % 5000) + " hall"}));
    });
}

int fill(const std::string& folder, std::size_t count) {
    const World world = make_world(count);
    std::printf("%zu records, %zu bytes of JSON in the first\n", count, world.lines[0].size());
    bare_insert(world, folder + "/bare.db");
    const Kinds kinds;
    const std::string path = folder + "/index.db";
    auto index = store::open_sqlite_index(path, kinds);
    if (!index) return 1;
    load(**index, world);
    const Watch close;
    if (!(*index)->close_cleanly()) return 1;
    close.print("clean close");
    std::printf("file: %.0f MB\n", static_cast<double>(std::filesystem::file_size(path)) / 1e6);
    return 0;
}

int ask(const std::string& folder, std::size_t count) {
    const auto before = memory();
    const Kinds kinds;
    const double begin = seconds();
    auto index = store::open_sqlite_index(folder + "/index.db", kinds);
    if (!index) {
        std::printf("open: %s\n", index.error().text().c_str());
        return 1;
    }
    verdict("start-up", seconds() - begin, "s", 1);
    queries((*index)->reader(), count);
    verdict("memory after opening and reading", memory().first - before.first, "MiB", 150);

    const domain::Frontier none;
    std::mt19937 random(3);
    std::size_t next = count;
    measure("apply of one create", 500, 5, [&] {
        const std::vector<std::string> lines{make_line(next, "new" + std::to_string(next), random)};
        ++next;
        const store::Run run{"northsite-1111", next, &none, lines, "", 1};
        return static_cast<bool>((*index)->apply({&run, 1}));
    });
    return (*index)->close_cleanly() ? 0 : 1;
}

// Each part in a process of its own, so that memory is that part's.
bool apart(const std::function<int()>& part) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        const int status = part();
        std::fflush(stdout);
        _exit(status);
    }
    int status = 1;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t count = argc > 1 ? std::stoul(argv[1]) : 1'000'000;
    const std::string folder = argc > 2 ? argv[2] : "bench-index";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    const bool done =
        apart([&] { return fill(folder, count); }) && apart([&] { return ask(folder, count); });
    std::filesystem::remove_all(folder);
    return done ? 0 : 1;
}
