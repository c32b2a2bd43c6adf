#pragma once
// Which globals a chunk of Lua reads and which it sets, found in its bytecode without running it.

#include <lua.hpp>

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace dutybook::worker {

struct UsedGlobals {
    std::map<std::string, std::uint64_t> read;  // name, line of the first place
    std::set<std::string> set;
};

// Of the function on top of the stack, which must be a chunk that was compiled from text. Empty
// where the bytecode is not that of Lua 5.4 as it is known here.
UsedGlobals globals_of(lua_State* state);

}  // namespace dutybook::worker
