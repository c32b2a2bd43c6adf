#include "worker/lua_state.h"
#include "worker/lua_sort.h"

#include <cstdlib>

namespace dutybook::worker {

namespace {

constexpr int hook_interval = 1000;              // instructions between two looks at the budget
constexpr std::size_t pattern_subject = 65'536;  // bytes that a pattern is matched against
constexpr std::size_t pattern_size = 256;
constexpr lua_Integer move_limit = 1'000'000;  // elements of one table.move, unpack or concat

LuaState*& self_of(lua_State* state) {
    return *static_cast<LuaState**>(lua_getextraspace(state));
}

// string.find and its kin with bounded subject and pattern; the original is upvalue 1.
int bounded_pattern(lua_State* state) {
    std::size_t subject = 0;
    std::size_t pattern = 0;
    luaL_checklstring(state, 1, &subject);
    luaL_checklstring(state, 2, &pattern);
    if (subject > pattern_subject) return luaL_argerror(state, 1, "text over 64 KiB");
    if (pattern > pattern_size) return luaL_argerror(state, 2, "pattern over 256 bytes");
    lua_pushvalue(state, lua_upvalueindex(1));
    lua_insert(state, 1);
    lua_call(state, lua_gettop(state) - 1, LUA_MULTRET);
    return lua_gettop(state);
}

// table.move, table.unpack and table.concat: the range is arguments `first` and `first + 1`.
template <int first>
int bounded_range(lua_State* state) {
    const lua_Integer from = luaL_optinteger(state, first, 1);
    const lua_Integer to = luaL_optinteger(state, first + 1, 0);
    if (to > from && static_cast<lua_Unsigned>(to) - static_cast<lua_Unsigned>(from) >
                         static_cast<lua_Unsigned>(move_limit)) {
        return luaL_argerror(state, first + 1, "range over 1,000,000");
    }
    lua_pushvalue(state, lua_upvalueindex(1));
    lua_insert(state, 1);
    lua_call(state, lua_gettop(state) - 1, LUA_MULTRET);
    return lua_gettop(state);
}

int safe_setmetatable(lua_State* state) {
    luaL_checktype(state, 1, LUA_TTABLE);
    if (lua_istable(state, 2)) {
        for (const char* forbidden : {"__gc", "__close"}) {
            lua_pushstring(state, forbidden);
            lua_rawget(state, 2);
            if (!lua_isnil(state, -1)) return luaL_argerror(state, 2, "no finalisers here");
            lua_pop(state, 1);
        }
    }
    lua_pushvalue(state, lua_upvalueindex(1));
    lua_insert(state, 1);
    lua_call(state, lua_gettop(state) - 1, 1);
    return 1;
}

// One step of an iteration over sorted keys: upvalue 1 is the table, 2 the keys, 3 the position.
int sorted_step(lua_State* state) {
    while (true) {
        const lua_Integer position = lua_tointeger(state, lua_upvalueindex(3)) + 1;
        lua_pushinteger(state, position);
        lua_replace(state, lua_upvalueindex(3));
        if (lua_rawgeti(state, lua_upvalueindex(2), position) == LUA_TNIL) return 1;
        lua_pushvalue(state, -1);
        if (lua_rawget(state, lua_upvalueindex(1)) != LUA_TNIL) return 2;
        lua_settop(state, 0);  // removed while iterating
    }
}

// Numbers before text, each ascending; other keys have no order that two sites share.
int key_before(lua_State* state) {
    const bool a = lua_type(state, 1) == LUA_TNUMBER;
    const bool b = lua_type(state, 2) == LUA_TNUMBER;
    lua_pushboolean(state, a != b ? a : lua_compare(state, 1, 2, LUA_OPLT));
    return 1;
}

// pairs in the order of the keys: Lua's own order differs from process to process, and a rule must
// give every site the same answer. Upvalue 1 is table.sort.
int sorted_pairs(lua_State* state) {
    luaL_checktype(state, 1, LUA_TTABLE);
    lua_settop(state, 1);
    lua_newtable(state);
    lua_Integer count = 0;
    lua_pushnil(state);
    while (lua_next(state, 1) != 0) {
        lua_pop(state, 1);
        const int type = lua_type(state, -1);
        if (type != LUA_TNUMBER && type != LUA_TSTRING) {
            return luaL_error(state, "pairs takes tables with numbers and text as keys");
        }
        lua_pushvalue(state, -1);
        lua_rawseti(state, 2, ++count);
    }
    lua_pushvalue(state, lua_upvalueindex(1));
    lua_pushvalue(state, 2);
    lua_pushcfunction(state, key_before);
    lua_call(state, 2, 0);
    lua_pushinteger(state, 0);
    lua_pushcclosure(state, sorted_step, 3);
    return 1;
}

// Addresses differ from process to process.
int plain_tostring(lua_State* state) {
    const int type = lua_type(state, 1);
    const bool address = type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TTHREAD ||
                         type == LUA_TUSERDATA || type == LUA_TLIGHTUSERDATA;
    if (address && luaL_getmetafield(state, 1, "__tostring") == LUA_TNIL) {
        lua_pushstring(state, luaL_typename(state, 1));
        return 1;
    }
    luaL_tolstring(state, 1, nullptr);
    return 1;
}

void wrap(lua_State* state, const char* table, const char* name, lua_CFunction wrapper) {
    lua_getglobal(state, table);
    lua_getfield(state, -1, name);
    lua_pushcclosure(state, wrapper, 1);
    lua_setfield(state, -2, name);
    lua_pop(state, 1);
}

void remove(lua_State* state, const char* table, const char* name) {
    lua_getglobal(state, table);
    lua_pushnil(state);
    lua_setfield(state, -2, name);
    lua_pop(state, 1);
}

int open_safe_libraries(lua_State* state) {
    luaL_requiref(state, LUA_GNAME, luaopen_base, 1);
    luaL_requiref(state, LUA_TABLIBNAME, luaopen_table, 1);
    luaL_requiref(state, LUA_STRLIBNAME, luaopen_string, 1);
    luaL_requiref(state, LUA_MATHLIBNAME, luaopen_math, 1);
    luaL_requiref(state, LUA_UTF8LIBNAME, luaopen_utf8, 1);
    luaL_requiref(state, LUA_COLIBNAME, luaopen_coroutine, 1);
    lua_settop(state, 0);
    for (const char* name : {"dofile", "loadfile", "load", "loadstring", "require",
                             "collectgarbage", "print", "warn", "next"}) {
        lua_pushnil(state);
        lua_setglobal(state, name);
    }
    remove(state, "math", "random");
    remove(state, "math", "randomseed");
    remove(state, "string", "dump");
    for (const char* name : {"find", "match", "gmatch", "gsub"}) {
        wrap(state, "string", name, bounded_pattern);
    }
    lua_getglobal(state, "table");
    lua_pushcfunction(state, stable_sort);
    lua_setfield(state, -2, "sort");
    lua_pop(state, 1);
    wrap(state, "table", "move", bounded_range<2>);
    wrap(state, "table", "unpack", bounded_range<2>);
    wrap(state, "table", "concat", bounded_range<3>);
    lua_getglobal(state, "setmetatable");
    lua_pushcclosure(state, safe_setmetatable, 1);
    lua_setglobal(state, "setmetatable");
    lua_getglobal(state, "table");
    lua_getfield(state, -1, "sort");
    lua_pushcclosure(state, sorted_pairs, 1);
    lua_setglobal(state, "pairs");
    lua_register(state, "tostring", plain_tostring);
    // Methods of strings come from a copy that no plugin can reach: s:find() cannot be poisoned.
    lua_pushliteral(state, "");
    lua_getmetatable(state, -1);
    lua_newtable(state);
    lua_getglobal(state, "string");
    lua_pushnil(state);
    while (lua_next(state, -2) != 0) {
        lua_pushvalue(state, -2);
        lua_insert(state, -2);
        lua_rawset(state, -5);
    }
    lua_pop(state, 1);
    lua_setfield(state, -2, "__index");
    lua_pushboolean(state, 0);
    lua_setfield(state, -2, "__metatable");
    lua_settop(state, 0);
    return 0;
}

// Of the innermost function in Lua; allocates nothing. A line of 0 where there is none.
lua_Debug innermost(lua_State* state) {
    constexpr int most_levels = 250;  // C functions above it; Lua itself takes 200
    lua_Debug place{};
    for (int level = 0; level < most_levels && lua_getstack(state, level, &place) != 0; ++level) {
        lua_getinfo(state, "Sl", &place);
        if (place.currentline > 0) return place;
    }
    return {};
}

// Not every message begins with file and line: an overflow inside a library has none.
int with_place(lua_State* state) {
    if (lua_type(state, 1) != LUA_TSTRING) {
        lua_settop(state, 0);
        lua_pushliteral(state, "an error that is no text");
    }
    if (std::string_view(lua_tostring(state, -1)).find(".lua:") != std::string_view::npos) return 1;
    const lua_Debug place = innermost(state);
    if (place.currentline > 0) {
        lua_pushfstring(state, "%s:%d: %s", place.short_src, place.currentline,
                        lua_tostring(state, -1));
    }
    return 1;
}

}  // namespace

Result<std::unique_ptr<LuaState>> LuaState::make(std::uint64_t memory) {
    std::unique_ptr<LuaState> self(new LuaState);
    self->memory_limit_ = memory;
    self->state_ = lua_newstate(allocate, self.get());
    if (self->state_ == nullptr) return failure(Code::Internal, "no memory for a Lua state");
    self_of(self->state_) = self.get();
    lua_pushcfunction(self->state_, open_safe_libraries);
    TRY(self->run(0, 0, 1'000'000));
    return self;
}

LuaState::~LuaState() {
    if (state_ != nullptr) lua_close(state_);
}

void* LuaState::allocate(void* self, void* block, std::size_t old_size, std::size_t new_size) {
    auto& state = *static_cast<LuaState*>(self);
    if (block == nullptr) old_size = 0;  // then it is a type, not a size
    if (new_size == 0) {
        std::free(block);
        state.memory_used_ -= old_size;
        return nullptr;
    }
    if (new_size > old_size && state.memory_used_ + (new_size - old_size) > state.memory_limit_) {
        if (state.state_ != nullptr) state.refused_at_ = innermost(state.state_);
        return nullptr;
    }
    void* moved = std::realloc(block, new_size);
    if (moved != nullptr) state.memory_used_ += new_size - old_size;
    return moved;
}

void LuaState::on_count(lua_State* state, lua_Debug* /*place*/) {
    LuaState& self = *self_of(state);
    if (!self.expired_ && self.instructions_left_ > hook_interval) {
        self.instructions_left_ -= hook_interval;
        return;
    }
    // From now on every instruction fails, or a pcall would swallow the one error and go on.
    self.expired_ = true;
    lua_sethook(state, on_count, LUA_MASKCOUNT, 1);
    luaL_where(state, 0);
    lua_pushliteral(state, "the instruction budget is used up");
    lua_concat(state, 2);
    lua_error(state);
}

Result<void> LuaState::run(int arguments, int results, std::uint64_t instructions) {
    expired_ = false;
    refused_at_ = {};
    instructions_left_ = instructions;
    lua_sethook(state_, on_count, LUA_MASKCOUNT, hook_interval);
    const int handler = lua_gettop(state_) - arguments;
    lua_pushcfunction(state_, with_place);
    lua_insert(state_, handler);
    const int status = lua_pcall(state_, arguments, results, handler);
    lua_sethook(state_, nullptr, 0, 0);
    lua_remove(state_, handler);
    if (status == LUA_OK) return {};
    std::size_t size = 0;
    const char* text = lua_tolstring(state_, -1, &size);
    std::string message = text != nullptr ? std::string(text, std::min<std::size_t>(size, 1024))
                                          : std::string("an error that is no text");
    lua_settop(state_, handler - 1);
    if (status == LUA_ERRMEM) {  // no handler is asked: there is no memory for it
        message = "the memory limit is reached";
        if (refused_at_.currentline > 0) {
            message = std::string(refused_at_.short_src) + ':' +
                      std::to_string(refused_at_.currentline) + ": " + message;
        }
    }
    return failure(Code::Internal, std::move(message));
}

}  // namespace dutybook::worker
