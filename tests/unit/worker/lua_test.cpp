#include "worker/runtime.h"

#include <doctest/doctest.h>

using namespace dutybook;
using namespace dutybook::worker;

namespace {

std::unique_ptr<Runtime> load(const std::string& text, CallLimits limits = {}) {
    auto runtime = load_lua({"test", {{"rules.lua", text}}}, R"({"least":3})", limits, [](auto) {});
    REQUIRE_MESSAGE(runtime.has_value(), (runtime ? "" : runtime.error().text()));
    return std::move(*runtime);
}
std::string evaluate(Runtime& runtime, const std::string& rule, const std::string& input = "{}") {
    const auto answer = runtime.call("evaluate", rule, input);
    return answer ? *answer : "error: " + answer.error().text();
}

}  // namespace

TEST_CASE("a rule gets subject, needs and configuration and answers with findings") {
    const auto runtime = load(R"(
        rules["A"] = function(subject, needs, context)
          if #needs.others >= config.least then
            return { code = "many", path = "/at", values = { n = #needs.others } }
          end
        end)");
    CHECK(evaluate(*runtime, "A", R"({"subject":{},"needs":{"others":[1,2]}})") == "[]");
    CHECK(evaluate(*runtime, "A", R"({"subject":{},"needs":{"others":[1,2,3]}})").find("many") !=
          std::string::npos);
    CHECK(runtime->offered().rules == std::vector<std::string>{"A"});
}

TEST_CASE("another configuration holds for the calls after it") {
    const auto runtime = load("rules['A'] = function() return { code = config.least } end");
    CHECK(evaluate(*runtime, "A") == R"([{"code":3}])");
    REQUIRE(runtime->call("configure", "x", R"({"least":"seven"})"));
    CHECK(evaluate(*runtime, "A") == R"([{"code":"seven"}])");
}

TEST_CASE("an error names file and line of the plugin") {
    const auto runtime = load("\n\nrules['A'] = function() local x = nil; return x.y end");
    CHECK(evaluate(*runtime, "A").find("test/rules.lua:3:") != std::string::npos);
    const auto broken = load_lua({"test", {{"rules.lua", "rules[ = 1"}}}, "{}", {}, [](auto) {});
    REQUIRE_FALSE(broken);
    CHECK(broken.error().text().find("test/rules.lua:1:") != std::string::npos);
}

TEST_CASE("an error that names no place itself is told with the line that led to it") {
    CallLimits limits;
    limits.instructions = 1'000'000;
    limits.memory = 4u << 20;
    const auto runtime = load(R"(
        rules["overflow"] = function()
          local function again() return (string.gsub("a", "a", again)) end
          again()
        end
        rules["depth"] = function()
          local function again() return 1 + again() end
          again()
        end
        rules["memory"] = function()
          local text = "x"
          while true do text = text .. text end
        end
        rules["loop"] = function()
          local function turn() while true do end end
          turn()
        end
        rules["table"] = function()
          error({})
        end
        rules["bare"] = function()
          error("bare", 0)
        end)",
                              limits);
    const std::map<std::string, int> lines = {{"overflow", 3}, {"depth", 7},  {"memory", 12},
                                              {"loop", 15},    {"table", 19}, {"bare", 22}};
    for (const auto& [rule, line] : lines) {
        CAPTURE(rule);
        const std::string told = evaluate(*runtime, rule);
        CAPTURE(told);
        CHECK(told.find("test/rules.lua:" + std::to_string(line) + ": ") != std::string::npos);
    }
}

TEST_CASE("require runs a file of the plugin once and gives what it returns") {
    const LuaFiles files{
        "test",
        {{"rules.lua", R"(
            local words = require("words")
            require "more"
            rules["A"] = function() return { code = words.one .. (require("words") == words and "" or "?") .. loads } end
                           )"},
         {"lua/more.lua", "rules['B'] = function() return { code = require('words').one } end"},
         {"lua/words.lua", "loads = (loads or 0) + 1 return { one = 'eins' }"}}};
    const auto runtime = load_lua(files, "{}", {}, [](auto) {});
    REQUIRE_MESSAGE(runtime.has_value(), (runtime ? "" : runtime.error().text()));
    CHECK(evaluate(**runtime, "A") == R"([{"code":"eins1"}])");
    CHECK(evaluate(**runtime, "B") == R"([{"code":"eins"}])");
    CHECK((*runtime)->offered().undefined.empty());
}

TEST_CASE("a plugin of kinds alone has no code, and loads") {
    const auto runtime = load_lua({"test", {}}, "{}", {}, [](auto) {});
    REQUIRE_MESSAGE(runtime.has_value(), (runtime ? "" : runtime.error().text()));
    CHECK((*runtime)->offered().rules.empty());
}

TEST_CASE("an error in a required file names that file; what is not there cannot be required") {
    const auto refused = [](const std::string& module) {
        const LuaFiles files{
            "test",
            {{"rules.lua", "require 'a'"}, {"lua/a.lua", module}, {"lua/b.lua", "require 'a'"}}};
        const auto runtime = load_lua(files, "{}", {}, [](auto) {});
        return runtime ? std::string() : runtime.error().text();
    };
    CHECK(refused("\nx = = 1").find("test/lua/a.lua:2:") != std::string::npos);
    CHECK(refused("\n\nerror('no')").find("test/lua/a.lua:3: no") != std::string::npos);
    CHECK(refused("require 'b'").find("lua/a.lua requires itself") != std::string::npos);
    for (const char* name : {"nowhere", "../rules", "/etc/passwd", "a.lua", ""}) {
        CAPTURE(name);
        const std::string why = refused("require '" + std::string(name) + "'");
        CHECK(why.find("the plugin has no file lua/") != std::string::npos);
    }
    const auto misspelt =
        load_lua({"test", {{"rules.lua", "require 'a'"}, {"lua/a.lua", "\nlocal x = nmae"}}}, "{}",
                 {}, [](auto) {});
    REQUIRE(misspelt.has_value());
    CHECK((*misspelt)->offered().undefined == std::vector<std::string>{"lua/a.lua:2 nmae"});
}

TEST_CASE("sorting is stable, whatever the list: every site gets one order") {
    // Half of it sorted, half equal: where Lua's own sort would ask the clock for a pivot.
    const auto runtime = load(R"(
        rules["A"] = function()
          local list = {}
          for i = 1, 3000 do list[i] = { key = i <= 1500 and i or 7, at = i } end
          table.sort(list, function(a, b) return a.key < b.key end)
          for i = 2, #list do
            local a, b = list[i - 1], list[i]
            if a.key > b.key or (a.key == b.key and a.at > b.at) then return { code = "no" } end
          end
          local words = { "b", "c", "a" }
          table.sort(words)
          return { code = table.concat(words) .. #list }
        end
        rules["B"] = function() table.sort({ 1, {} }) end
        rules["C"] = function() table.sort({ 2, 1 }, function() error("mine", 0) end) end)");
    CHECK(evaluate(*runtime, "A") == R"([{"code":"abc3000"}])");
    CHECK(evaluate(*runtime, "B").find("attempt to compare") != std::string::npos);
    CHECK(evaluate(*runtime, "C").find("mine") != std::string::npos);
}

TEST_CASE("the budgets hold, and the next call works") {
    CallLimits limits;
    limits.instructions = 1'000'000;
    limits.memory = 4u << 20;
    limits.output = 1000;
    const auto runtime = load(R"(
        rules["loop"] = function() while true do pcall(function() while true do end end) end end
        rules["coroutine"] = function()
          coroutine.wrap(function() while true do pcall(function() while true do end end) end end)()
        end
        rules["memory"] = function() local s = "x" while true do s = s .. s end end
        rules["depth"] = function() local function f() return 1 + f() end return f() end
        rules["output"] = function() return { code = string.rep("x", 2000) } end
        rules["move"] = function() table.move({1}, 1, 1000000000, 2) end
        rules["pattern"] = function() return string.find(string.rep("a", 70000), "a-b") end
        rules["gc"] = function() setmetatable({}, { __gc = function() end }) end
        rules["cycle"] = function() local t = {} t.t = t return t end
        rules["good"] = function() return {} end)",
                              limits);
    for (const char* rule :
         {"loop", "coroutine", "memory", "depth", "output", "move", "pattern", "gc", "cycle"}) {
        CAPTURE(rule);
        CHECK(evaluate(*runtime, rule).rfind("error: ", 0) == 0);
        CHECK(evaluate(*runtime, "good") == "[]");
    }
}

TEST_CASE("nothing that reaches outside or differs from site to site is there") {
    const auto runtime = load(R"(
        rules["A"] = function()
          local found = {}
          for _, name in ipairs({"io","os","debug","load","loadstring","dofile","loadfile",
                                 "collectgarbage","package","next","print"}) do
            if _G[name] ~= nil then found[#found + 1] = name end
          end
          if math.random then found[#found + 1] = "random" end
          if string.dump then found[#found + 1] = "dump" end
          if getmetatable("") then found[#found + 1] = "metatable" end
          for _, name in ipairs({"os","io","../rules","/etc/passwd"}) do  -- of its own files alone
            if pcall(require, name) then found[#found + 1] = "require " .. name end
          end
          return { code = table.concat(found, ",") }
        end
        rules["order"] = function()
          local o = ""
          for k in pairs({ b = 1, a = 2, 7, [9] = 1 }) do o = o .. k end
          return { code = o .. tostring({}) }
        end)");
    CHECK(evaluate(*runtime, "A") == R"([{"code":""}])");
    CHECK(evaluate(*runtime, "order") == R"([{"code":"19abtable"}])");
}

TEST_CASE("JSON comes back as it was") {
    const auto runtime = load("rules['A'] = function(s) return { { values = s } } end");
    const std::string input = R"({"e":[],"n":1,"o":{},"r":1.5,"s":"é\n","t":true})";
    const auto answer = evaluate(*runtime, "A", R"({"subject":)" + input + "}");
    CHECK(Json::parse(answer)[0]["values"] == Json::parse(input));
}
