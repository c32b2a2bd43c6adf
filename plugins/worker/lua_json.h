#pragma once
// JSON text to Lua values and back.
//
// Objects and arrays become tables that remember what they were, so that an empty array is written
// as [] again; a table made by the plugin is an array if it holds 1..n and nothing else, an object
// otherwise, and an empty one an array unless made with object{}. Members that are null are left
// out; null in an array is json.null. Whole numbers become Lua integers.

#include "base/result.h"

#include <lua.hpp>

#include <string>
#include <string_view>

namespace dutybook::worker {

// Registers the two marks and the globals `array`, `object` and `null`. Call once per state, from
// protected code.
void open_json(lua_State* state);
// Pushes one value. Raises a Lua error on text that is not JSON (the daemon's text always is).
void push_json(lua_State* state, std::string_view text);
// Appends the value at `index` as JSON. Raises a Lua error that names the place of what JSON cannot
// hold (functions, cycles, numbers that are not finite, mixed tables) or an answer over `limit`.
void append_json(lua_State* state, int index, std::string& out, std::size_t limit);

}  // namespace dutybook::worker
