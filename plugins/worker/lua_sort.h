#pragma once
// table.sort for rules. Lua's own picks its pivot by the clock when a list is lopsided: a system
// call that the sandbox kills, and an order of equal elements that differs between sites. This one
// is a stable merge sort: the same list gives the same list, everywhere.

#include <lua.hpp>

namespace dutybook::worker {

int stable_sort(lua_State* state);  // table.sort(list [, before])

}  // namespace dutybook::worker
