#pragma once
// A Lua state that cannot do harm: bounded memory and instructions, and only what is pure of the
// standard library.
//
// What the two bounds do not catch (a backtracking pattern, table.move over a huge range, anything
// inside one C function) the daemon's wall-clock deadline does; here those functions are bounded
// as well, so that a mistake gives a message instead of a killed worker. Left out: io, os, debug,
// package, load, dofile, collectgarbage, math.random, string.dump, and __gc in metatables
// (a finaliser runs where the instruction hook is off). So that every site gets the same answer,
// pairs goes by sorted keys, next is left out and tostring shows no addresses.

#include "worker/runtime.h"

#include <lua.hpp>

#include <memory>
#include <string>

namespace dutybook::worker {

class LuaState {
public:
    static Result<std::unique_ptr<LuaState>> make(std::uint64_t memory);
    ~LuaState();
    LuaState(const LuaState&) = delete;
    LuaState& operator=(const LuaState&) = delete;

    lua_State* raw() { return state_; }
    // Runs the function and arguments on the stack under a budget of instructions; afterwards
    // `results` values or none. The message of an error names file and line of the plugin.
    Result<void> run(int arguments, int results, std::uint64_t instructions);

private:
    LuaState() = default;
    static void* allocate(void* self, void* block, std::size_t old_size, std::size_t new_size);
    static void on_count(lua_State* state, lua_Debug* place);

    lua_State* state_ = nullptr;
    std::uint64_t memory_limit_ = 0;
    std::uint64_t memory_used_ = 0;
    std::uint64_t instructions_left_ = 0;
    bool expired_ = false;
    lua_Debug refused_at_{};  // where memory was refused last
};

}  // namespace dutybook::worker
