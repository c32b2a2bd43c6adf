// dutybook-worker: see README.md for the order of start, the frames and the shared page.

#include "base/frame.h"
#include "worker/runtime.h"
#include "worker/sandbox.h"

#include <date/tz.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <new>

namespace {

using namespace dutybook;
using namespace dutybook::worker;

constexpr int socket_fd = 3;
constexpr int progress_fd = 4;
// Address space above the plugin's own limit and what the program has when it is shut in: a batch
// and its answers, libraries.
constexpr std::uint64_t batch_memory = 128u << 20;

// Finished calls of the batch under way, read by the daemon after a crash or a deadline.
std::atomic<std::uint64_t>* map_progress() {
    void* page =
        ::mmap(nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, progress_fd, 0);
    return page == MAP_FAILED ? nullptr : new (page) std::atomic<std::uint64_t>(0);
}

// In the sandbox there is no file to read a zone from.
void read_all_time_zones() {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    for (const auto& zone : date::get_tzdb().zones) {
        try {
            (void)zone.get_info(now);
        } catch (const std::exception&) {
            // A file beside the zones that is none (leap-seconds.list, ...).
        }
    }
}

std::uint64_t address_space() {
    std::uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

struct Loaded {
    std::unique_ptr<Runtime> runtime;
    SandboxLevel level;
};

std::vector<std::string> readable_paths(const std::string& object) {
    if (object.empty()) return {};
    return {object, "/lib", "/usr/lib", "/lib64", "/usr/local/lib", "/etc/ld.so.cache"};
}

Result<Loaded> load(const Json& request) {
    const Json& wanted = request.at("limits");
    CallLimits limits;
    limits.memory = wanted.value("memory", limits.memory);
    limits.instructions = wanted.value("instructions", limits.instructions);
    limits.output = wanted.value("output", limits.output);
    const bool native = request.at("runtime") == "native";
    const std::string object = native ? request.at("object").get<std::string>() : std::string();
    const std::string configuration = request.at("configuration").dump();
    const LogLine log = [](std::string_view line) { (void)write_frame(socket_fd, 'G', line); };

    TRY(limit_resources(address_space() + limits.memory + batch_memory));
    Loaded loaded;
    TRY_ASSIGN(loaded.level, enter_stage_one(readable_paths(object)));
    TRY(write_frame(socket_fd, 'S', {}));  // from here on the plugin's own deadline counts
    if (native) {
        TRY_ASSIGN(loaded.runtime, load_native(object, configuration, limits, log));
        TRY(enter_stage_two());
    } else {
        // Lua needs nothing of stage one: the last lock is on before a line of it runs.
        TRY(enter_stage_two());
        const LuaFiles files{request.at("plugin").get<std::string>(),
                             request.at("files").get<std::map<std::string, std::string>>()};
        TRY_ASSIGN(loaded.runtime, load_lua(files, configuration, limits, log));
    }
    return loaded;
}

std::string describe(const Loaded& loaded, bool native) {
    const Offered offered = loaded.runtime->offered();
    Json ready = {{"landlock", loaded.level.landlock},
                  {"seccomp", loaded.level.seccomp},
                  {native ? "abi" : "lua", loaded.runtime->version()},
                  {"rules", offered.rules},
                  {"completes", offered.completes},
                  {"reports", offered.reports},
                  {"migrates", offered.migrates},
                  {"undefined", offered.undefined}};
    return ready.dump();
}

// One line: what a message holds of line ends would break the answers' count.
void append_line(std::string& out, char mark, std::string_view text) {
    out += mark;
    const std::size_t begin = out.size();
    out += text;
    for (const char end : {'\r', '\n'}) {
        for (auto at = out.find(end, begin); at != std::string::npos; at = out.find(end, at)) {
            out[at] = ' ';
        }
    }
    out += '\n';
}

std::string answer(Runtime& runtime, std::string_view batch, std::atomic<std::uint64_t>& done) {
    std::string answers;
    done.store(0, std::memory_order_release);
    while (!batch.empty()) {
        const std::string_view line = batch.substr(0, batch.find('\n'));
        batch.remove_prefix(std::min(batch.size(), line.size() + 1));
        const auto space = line.find(' ');
        const auto tab = line.find('\t');
        if (space == std::string_view::npos || tab == std::string_view::npos || space > tab) {
            append_line(answers, '-', "a call that cannot be read");
        } else {
            const auto result =
                runtime.call(line.substr(0, space), line.substr(space + 1, tab - space - 1),
                             line.substr(tab + 1));
            append_line(answers, result ? '+' : '-', result ? *result : result.error().text());
        }
        done.fetch_add(1, std::memory_order_release);
    }
    return answers;
}

int serve() {
    auto* progress = map_progress();
    if (progress == nullptr) return 2;
    ::close(progress_fd);
    read_all_time_zones();

    const auto request = read_frame(socket_fd);
    if (!request || request->type != 'L') return 2;
    const Json wanted = Json::parse(request->payload);
    auto loaded = load(wanted);
    if (!loaded) {
        (void)write_frame(socket_fd, 'E', loaded.error().text());
        return 2;
    }
    if (!write_frame(socket_fd, 'R', describe(*loaded, wanted.at("runtime") == "native"))) return 1;
    while (true) {
        const auto batch = read_frame(socket_fd);
        if (!batch) return 0;
        if (batch->type != 'C') return 2;
        if (!write_frame(socket_fd, 'A', answer(*loaded->runtime, batch->payload, *progress))) {
            return 1;
        }
    }
}

}  // namespace

int main() {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // never outlive the daemon, not even in a loop
    try {
        // No destructors of a plugin at the end, no flushing: the kernel cleans up.
        ::_exit(serve());
    } catch (const std::exception& error) {
        (void)write_frame(socket_fd, 'E', error.what());
        ::_exit(2);
    }
}
