#pragma once
// A plugin's Lua files: rules.lua, with which it begins, and lua/NAME.lua, which require("NAME")
// runs once; what it returns (or true) is what every require("NAME") gives. There is no search
// path: what a plugin can require lies in its package.

#include "worker/lua_globals.h"
#include "worker/runtime.h"

#include <lua.hpp>

namespace dutybook::worker {

class LuaModules {
public:
    explicit LuaModules(LuaFiles files) : files_(std::move(files)) {}
    LuaModules(const LuaModules&) = delete;
    LuaModules& operator=(const LuaModules&) = delete;

    // Sets the global `require`, which lives as long as this object. Inside a protected call.
    void open(lua_State* state);
    bool any() const { return !files_.texts.empty(); }
    // Leaves the compiled file on the stack, or nothing.
    Result<void> compile(lua_State* state, const std::string& file);
    // Globals that a compiled file reads, and that nobody sets: as Offered::undefined.
    std::vector<std::string> undefined(lua_State* state) const;

private:
    static int require(lua_State* state);

    const LuaFiles files_;
    std::map<std::string, UsedGlobals> used_;  // file, its globals
};

}  // namespace dutybook::worker
