#include "worker/lua_json.h"
#include "worker/lua_library.h"
#include "worker/lua_modules.h"
#include "worker/lua_state.h"
#include "worker/runtime.h"

#include <array>

namespace dutybook::worker {

namespace {

// The tables that a plugin fills in, by the verb that looks into them.
constexpr std::array<std::pair<std::string_view, const char*>, 4> tables{{{"evaluate", "rules"},
                                                                          {"complete", "complete"},
                                                                          {"report", "reports"},
                                                                          {"migrate", "migrate"}}};

constexpr std::uint64_t load_instructions = 50'000'000;

class LuaRuntime final : public Runtime {
public:
    LuaRuntime(std::unique_ptr<LuaState> state, LuaFiles files, const CallLimits& limits,
               LogLine log)
        : modules_(std::move(files)),
          state_(std::move(state)),
          limits_(limits),
          log_(std::move(log)) {}

    Result<void> load(std::string_view configuration) {
        lua_State* lua = state_->raw();
        configuration_ = configuration;
        lua_pushcfunction(lua, [](lua_State* s) {
            auto* self = static_cast<LuaRuntime*>(lua_touserdata(s, 1));
            open_json(s);
            open_library(s);
            self->modules_.open(s);
            for (const auto& [verb, table] : tables) {
                lua_newtable(s);
                lua_setglobal(s, table);
            }
            push_json(s, self->configuration_);
            lua_setglobal(s, "config");
            lua_pushlightuserdata(s, self);
            lua_pushcclosure(s, log_line, 1);
            lua_setglobal(s, "log");
            return 0;
        });
        lua_pushlightuserdata(lua, this);
        TRY(state_->run(1, 0, load_instructions));
        if (!modules_.any()) return {};  // a plugin of kinds alone
        TRY(modules_.compile(lua, "rules.lua"));
        return state_->run(0, 0, load_instructions);
    }

    Offered offered() const override {
        Offered all;
        std::array<std::vector<std::string>*, tables.size()> lists{&all.rules, &all.completes,
                                                                   &all.reports, &all.migrates};
        lua_State* lua = state_->raw();
        for (std::size_t i = 0; i < tables.size(); ++i) {
            lua_getglobal(lua, tables[i].second);
            if (lua_istable(lua, -1)) {
                lua_pushnil(lua);
                while (lua_next(lua, -2) != 0) {
                    if (lua_type(lua, -2) == LUA_TSTRING && lua_isfunction(lua, -1)) {
                        lists[i]->emplace_back(lua_tostring(lua, -2));
                    }
                    lua_pop(lua, 1);
                }
            }
            lua_settop(lua, 0);
        }
        all.undefined = modules_.undefined(lua);
        return all;
    }

    std::string version() const override { return LUA_RELEASE; }

    Result<std::string> call(std::string_view verb, std::string_view name,
                             std::string_view input) override {
        if (verb == "configure") return configure(input);
        verb_ = verb;
        name_ = name;
        input_ = input;
        output_.clear();
        logged_ = 0;
        lua_State* lua = state_->raw();
        lua_pushcfunction(lua, call_protected);
        lua_pushlightuserdata(lua, this);
        TRY(state_->run(1, 0, limits_.instructions));
        return std::move(output_);
    }

private:
    Result<std::string> configure(std::string_view configuration) {
        configuration_ = configuration;
        lua_State* lua = state_->raw();
        lua_pushcfunction(lua, [](lua_State* s) {
            push_json(s, static_cast<LuaRuntime*>(lua_touserdata(s, 1))->configuration_);
            lua_setglobal(s, "config");
            return 0;
        });
        lua_pushlightuserdata(lua, this);
        TRY(state_->run(1, 0, load_instructions));
        return std::string("{}");
    }

    // Finds the plugin's function, hands it its arguments and writes its answer, all of it inside
    // the protected call. What a verb's function is given: evaluate(subject, needs, context),
    // complete(record, needs, context), report(parameters, needs, context), migrate(record).
    static int call_protected(lua_State* s) {
        auto* self = static_cast<LuaRuntime*>(lua_touserdata(s, 1));
        const char* table = nullptr;
        for (const auto& [verb, name] : tables) {
            if (verb == self->verb_) table = name;
        }
        if (table == nullptr) return luaL_error(s, "unknown verb");
        lua_getglobal(s, table);
        if (!lua_istable(s, -1)) return luaL_error(s, "'%s' is no table any more", table);
        lua_pushlstring(s, self->name_.data(), self->name_.size());
        lua_rawget(s, -2);
        if (!lua_isfunction(s, -1)) {
            return luaL_error(s, "the plugin has no function %s[\"%s\"]", table,
                              std::string(self->name_).c_str());
        }
        push_json(s, self->input_);
        const int input = lua_gettop(s);
        const auto member = [s, input](const char* key) {
            lua_pushstring(s, key);
            lua_rawget(s, input);
        };
        member(self->verb_ == "evaluate" ? "subject"
               : self->verb_ == "report" ? "parameters"
                                         : "record");
        if (self->verb_ != "migrate") {
            member("needs");
            member("context");
        }
        lua_remove(s, input);
        lua_call(s, lua_gettop(s) - input + 1, 1);
        self->write_answer(s);
        return 0;
    }

    // Lists may be given as nothing, as one item or as a list; objects as nothing or an object.
    void write_answer(lua_State* s) {
        const bool list = verb_ == "evaluate" || verb_ == "report";
        if (lua_isnil(s, -1)) {
            output_ = list ? "[]" : "{}";
            return;
        }
        if (!lua_istable(s, -1)) luaL_error(s, "the answer must be a table or nil");
        const bool one = list && lua_rawlen(s, -1) == 0 && (lua_pushnil(s), lua_next(s, -2) != 0);
        if (one) lua_pop(s, 2);
        if (one) output_ += '[';
        append_json(s, -1, output_, limits_.output);
        if (one) output_ += ']';
        if (!list && output_ == "[]") output_ = "{}";
    }

    static int log_line(lua_State* s) {
        auto* self = static_cast<LuaRuntime*>(lua_touserdata(s, lua_upvalueindex(1)));
        std::size_t size = 0;
        const char* text = luaL_tolstring(s, 1, &size);
        if (++self->logged_ <= 100) self->log_({text, std::min<std::size_t>(size, 1024)});
        return 0;
    }

    LuaModules modules_;
    std::unique_ptr<LuaState> state_;
    CallLimits limits_;
    LogLine log_;
    std::string_view configuration_, verb_, name_, input_;  // of the call under way
    std::string output_;
    int logged_ = 0;
};

}  // namespace

Result<std::unique_ptr<Runtime>> load_lua(const LuaFiles& files, std::string_view configuration,
                                          const CallLimits& limits, LogLine log) {
    TRY_ASSIGN(auto state, LuaState::make(limits.memory));
    auto runtime = std::make_unique<LuaRuntime>(std::move(state), files, limits, std::move(log));
    TRY(runtime->load(configuration));
    return std::unique_ptr<Runtime>(std::move(runtime));
}

}  // namespace dutybook::worker
