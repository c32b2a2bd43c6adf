#include "worker/lua_modules.h"

namespace dutybook::worker {

void LuaModules::open(lua_State* state) {
    lua_pushlightuserdata(state, this);
    lua_newtable(state);
    lua_pushcclosure(state, require, 2);
    lua_setglobal(state, "require");
}

Result<void> LuaModules::compile(lua_State* state, const std::string& file) {
    const auto found = files_.texts.find(file);
    if (found == files_.texts.end()) {
        return failure(Code::NotFound, "the plugin has no file " + file);
    }
    const std::string chunk = "@" + files_.plugin + "/" + file;
    const std::string& text = found->second;
    if (luaL_loadbufferx(state, text.data(), text.size(), chunk.c_str(), "t") != LUA_OK) {
        const char* why = lua_tostring(state, -1);
        Error error = malformed(why != nullptr ? why : files_.plugin + "/" + file + " is no Lua");
        lua_pop(state, 1);
        return error;
    }
    used_[file] = globals_of(state);
    return {};
}

// Upvalue 1 is this object, 2 what was loaded: name -> value, or this object while it is loaded.
int LuaModules::require(lua_State* state) {
    auto* self = static_cast<LuaModules*>(lua_touserdata(state, lua_upvalueindex(1)));
    const std::string name = luaL_checkstring(state, 1);
    lua_settop(state, 1);
    lua_pushvalue(state, 1);
    if (lua_rawget(state, lua_upvalueindex(2)) != LUA_TNIL) {
        if (lua_touserdata(state, -1) != self) return 1;
        return luaL_error(state, "lua/%s.lua requires itself, or failed before", name.c_str());
    }
    const auto loaded_is = [&](int value) {
        lua_pushvalue(state, 1);
        lua_pushvalue(state, value);
        lua_rawset(state, lua_upvalueindex(2));
    };
    lua_pushlightuserdata(state, self);
    loaded_is(3);
    lua_settop(state, 1);
    if (const auto compiled = self->compile(state, "lua/" + name + ".lua"); !compiled) {
        return luaL_error(state, "%s", compiled.error().what.c_str());
    }
    lua_call(state, 0, 1);
    if (lua_isnil(state, -1)) {
        lua_pop(state, 1);
        lua_pushboolean(state, 1);
    }
    loaded_is(2);
    return 1;
}

std::vector<std::string> LuaModules::undefined(lua_State* state) const {
    std::set<std::string> set;
    for (const auto& [file, used] : used_) set.insert(used.set.begin(), used.set.end());
    std::vector<std::string> all;
    lua_pushglobaltable(state);
    for (const auto& [file, used] : used_) {
        for (const auto& [name, line] : used.read) {
            lua_pushlstring(state, name.data(), name.size());
            const bool known = lua_rawget(state, -2) != LUA_TNIL || set.count(name) != 0;
            lua_pop(state, 1);
            if (!known) all.push_back(file + ":" + std::to_string(line) + " " + name);
        }
    }
    lua_pop(state, 1);
    return all;
}

}  // namespace dutybook::worker
