#pragma once
// One loaded plugin. Calls come on the worker's one thread. Input and output are JSON text; the
// shapes are in plugins/README.md.

#include "base/json.h"
#include "base/result.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dutybook::worker {

struct CallLimits {
    std::uint64_t memory = 64u << 20;         // bytes a Lua state may hold
    std::uint64_t instructions = 20'000'000;  // Lua instructions per call
    std::uint64_t output = 1u << 20;          // bytes of one answer
};

struct Offered {  // what the plugin implements, for the daemon to hold against the manifest
    std::vector<std::string> rules, completes, reports, migrates;
    // "rules.lua:12 nmae": place and name of each global that is read and that nobody sets.
    std::vector<std::string> undefined;
};

class Runtime {
public:
    virtual ~Runtime() = default;
    virtual Offered offered() const = 0;
    virtual std::string version() const = 0;
    // verb: evaluate, complete, report, migrate; configure replaces the configuration.
    virtual Result<std::string> call(std::string_view verb, std::string_view name,
                                     std::string_view input) = 0;
};

using LogLine = std::function<void(std::string_view)>;

struct LuaFiles {
    std::string plugin;                        // for messages: "bus_duty"
    std::map<std::string, std::string> texts;  // rules.lua, lua/NAME.lua for each require("NAME")
};
Result<std::unique_ptr<Runtime>> load_lua(const LuaFiles& files, std::string_view configuration,
                                          const CallLimits& limits, LogLine log);
Result<std::unique_ptr<Runtime>> load_native(const std::string& object,
                                             std::string_view configuration,
                                             const CallLimits& limits, LogLine log);

}  // namespace dutybook::worker
