#include "worker/lua_json.h"

#include "base/json.h"

#include <cmath>
#include <vector>

namespace dutybook::worker {

namespace {

constexpr int depth_limit = 64;
char array_mark;  // addresses are registry keys
char object_mark;
char null_mark;

void mark(lua_State* state, void* key) {
    lua_rawgetp(state, LUA_REGISTRYINDEX, key);
    lua_setmetatable(state, -2);
}

bool has_mark(lua_State* state, int index, void* key) {
    if (lua_getmetatable(state, index) == 0) return false;
    lua_rawgetp(state, LUA_REGISTRYINDEX, key);
    const bool same = lua_rawequal(state, -1, -2) != 0;
    lua_pop(state, 2);
    return same;
}

void push_value(lua_State* state, const Json& value) {
    luaL_checkstack(state, 4, "too deep");
    switch (value.type()) {
        case Json::value_t::object:
            lua_createtable(state, 0, static_cast<int>(value.size()));
            for (const auto& [key, member] : value.items()) {
                if (member.is_null()) continue;
                lua_pushlstring(state, key.data(), key.size());
                push_value(state, member);
                lua_rawset(state, -3);
            }
            mark(state, &object_mark);
            break;
        case Json::value_t::array: {
            lua_createtable(state, static_cast<int>(value.size()), 0);
            lua_Integer position = 0;
            for (const Json& element : value) {
                push_value(state, element);
                lua_rawseti(state, -2, ++position);
            }
            mark(state, &array_mark);
            break;
        }
        case Json::value_t::string: {
            const auto& text = value.get_ref<const std::string&>();
            lua_pushlstring(state, text.data(), text.size());
            break;
        }
        case Json::value_t::boolean:
            lua_pushboolean(state, value.get<bool>());
            break;
        case Json::value_t::number_integer:
        case Json::value_t::number_unsigned:
            lua_pushinteger(state, value.get<lua_Integer>());
            break;
        case Json::value_t::number_float:
            lua_pushnumber(state, value.get<double>());
            break;
        default:
            lua_pushlightuserdata(state, &null_mark);
            break;
    }
}

class Writer {
public:
    Writer(lua_State* state, std::string& out, std::size_t limit)
        : state_(state), out_(out), limit_(limit) {}

    // `index` is absolute.
    void value(int index, int depth) {
        if (depth > depth_limit) fail("nested too deep, or a table that holds itself");
        luaL_checkstack(state_, 6, "too deep");
        switch (lua_type(state_, index)) {
            case LUA_TNIL:
                put("null");
                break;
            case LUA_TBOOLEAN:
                put(lua_toboolean(state_, index) != 0 ? "true" : "false");
                break;
            case LUA_TNUMBER:
                number(index);
                break;
            case LUA_TSTRING: {
                std::size_t size = 0;
                const char* text = lua_tolstring(state_, index, &size);
                string({text, size});
                break;
            }
            case LUA_TTABLE:
                table(index, depth);
                break;
            case LUA_TLIGHTUSERDATA:
                put("null");
                break;
            default:
                fail(std::string("a ") + luaL_typename(state_, index) + " is not JSON");
        }
    }

private:
    [[noreturn]] void fail(const std::string& why) {
        lua_pushlstring(state_, why.data(), why.size());
        lua_error(state_);
        __builtin_unreachable();
    }

    void put(std::string_view text) {
        if (out_.size() + text.size() > limit_) {
            luaL_error(state_, "the answer is larger than the plugin's output limit");
        }
        out_.append(text);
    }

    void number(int index) {
        if (lua_isinteger(state_, index) != 0) {
            const lua_Integer whole = lua_tointeger(state_, index);
            if (whole > 9007199254740991 || whole < -9007199254740991) {
                luaL_error(state_, "a whole number beyond 2^53; write it as a string");
            }
            put(std::to_string(whole));
            return;
        }
        const double real = lua_tonumber(state_, index);
        if (!std::isfinite(real)) luaL_error(state_, "a number that is not finite");
        put(canonical(Json(real)));
    }

    void string(std::string_view text) {
        const std::string dumped =
            Json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        put(dumped);
    }

    bool is_array(int index) {
        const auto length = static_cast<lua_Integer>(lua_rawlen(state_, index));
        lua_Integer count = 0;
        lua_pushnil(state_);
        while (lua_next(state_, index) != 0) {
            lua_pop(state_, 1);
            ++count;
            const bool positional = lua_isinteger(state_, -1) != 0 &&
                                    lua_tointeger(state_, -1) >= 1 &&
                                    lua_tointeger(state_, -1) <= length;
            if (!positional) {
                const bool text = lua_type(state_, -1) == LUA_TSTRING;
                lua_pop(state_, 1);
                if (text && length == 0) return false;
                luaL_error(state_, "a table that is neither an array nor an object of names");
            }
        }
        return count > 0 || !has_mark(state_, index, &object_mark);
    }

    void table(int index, int depth) {
        if (is_array(index)) {
            put("[");
            const auto length = static_cast<lua_Integer>(lua_rawlen(state_, index));
            for (lua_Integer i = 1; i <= length; ++i) {
                if (i > 1) put(",");
                lua_rawgeti(state_, index, i);
                value(lua_gettop(state_), depth + 1);
                lua_pop(state_, 1);
            }
            put("]");
            return;
        }
        put("{");
        bool first = true;
        lua_pushnil(state_);
        while (lua_next(state_, index) != 0) {
            if (!first) put(",");
            first = false;
            std::size_t size = 0;
            const char* key = lua_tolstring(state_, -2, &size);
            string({key, size});
            put(":");
            value(lua_gettop(state_), depth + 1);
            lua_pop(state_, 1);
        }
        put("}");
    }

    lua_State* state_;
    std::string& out_;
    std::size_t limit_;
};

int marked(lua_State* state, void* key) {
    if (lua_isnoneornil(state, 1)) {
        lua_settop(state, 0);
        lua_newtable(state);
    }
    luaL_checktype(state, 1, LUA_TTABLE);
    lua_settop(state, 1);
    mark(state, key);
    return 1;
}

void make_mark(lua_State* state, void* key) {
    lua_newtable(state);
    lua_pushboolean(state, 0);
    lua_setfield(state, -2, "__metatable");
    lua_rawsetp(state, LUA_REGISTRYINDEX, key);
}

}  // namespace

void open_json(lua_State* state) {
    make_mark(state, &array_mark);
    make_mark(state, &object_mark);
    lua_register(state, "array", [](lua_State* s) { return marked(s, &array_mark); });
    lua_register(state, "object", [](lua_State* s) { return marked(s, &object_mark); });
    lua_pushlightuserdata(state, &null_mark);
    lua_setglobal(state, "null");
}

void push_json(lua_State* state, std::string_view text) {
    bool good = false;
    {
        const Json value = Json::parse(text, nullptr, false);
        good = !value.is_discarded();
        if (good) push_value(state, value);
    }
    if (!good) luaL_error(state, "the input is not JSON");
}

void append_json(lua_State* state, int index, std::string& out, std::size_t limit) {
    Writer(state, out, limit).value(lua_absindex(state, index), 0);
}

}  // namespace dutybook::worker
