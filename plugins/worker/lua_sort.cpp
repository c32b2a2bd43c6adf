#include "worker/lua_sort.h"

#include <algorithm>

namespace dutybook::worker {

namespace {

// The stack while it sorts: the list, the function or nil, a second list to merge into.
constexpr int list_at = 1, function_at = 2, other_at = 3;

// Whether element `right` of the list belongs before element `left`.
bool before(lua_State* state, int from, lua_Integer right, lua_Integer left) {
    const bool by_function = !lua_isnil(state, function_at);
    if (by_function) lua_pushvalue(state, function_at);
    lua_geti(state, from, right);
    lua_geti(state, from, left);
    bool less = false;
    if (by_function) {
        lua_call(state, 2, 1);
        less = lua_toboolean(state, -1) != 0;
        lua_pop(state, 1);
    } else {
        less = lua_compare(state, -2, -1, LUA_OPLT) != 0;
        lua_pop(state, 2);
    }
    return less;
}

void move(lua_State* state, int from, lua_Integer source, int to, lua_Integer target) {
    lua_geti(state, from, source);
    lua_seti(state, to, target);
}

// [low, middle) and [middle, high) of `from`, each in order, into `to`.
void merge(lua_State* state, int from, int to, lua_Integer low, lua_Integer middle,
           lua_Integer high) {
    lua_Integer left = low, right = middle;
    for (lua_Integer at = low; at < high; ++at) {
        const bool take_right =
            left == middle || (right < high && before(state, from, right, left));
        move(state, from, take_right ? right++ : left++, to, at);
    }
}

}  // namespace

int stable_sort(lua_State* state) {
    luaL_checktype(state, list_at, LUA_TTABLE);
    if (!lua_isnoneornil(state, function_at)) luaL_checktype(state, function_at, LUA_TFUNCTION);
    lua_settop(state, function_at);
    const lua_Integer size = luaL_len(state, list_at);
    lua_createtable(state, static_cast<int>(std::min<lua_Integer>(size, 1 << 20)), 0);
    int from = list_at, to = other_at;
    for (lua_Integer width = 1; width < size; width *= 2) {
        for (lua_Integer low = 1; low <= size; low += 2 * width) {
            merge(state, from, to, low, std::min(low + width, size + 1),
                  std::min(low + 2 * width, size + 1));
        }
        std::swap(from, to);
    }
    if (from != list_at) {
        for (lua_Integer at = 1; at <= size; ++at) move(state, from, at, list_at, at);
    }
    return 0;
}

}  // namespace dutybook::worker
