#pragma once
// The host library that every Lua plugin has: exact and heavy computation (library_*.h) as global
// tables `date`, `instant`, `decimal`, `names`, `deadline`, `series`. See plugins/README.md for
// the functions as authors read of them.

#include <lua.hpp>

namespace dutybook::worker {

void open_library(lua_State* state);  // from protected code

}  // namespace dutybook::worker
