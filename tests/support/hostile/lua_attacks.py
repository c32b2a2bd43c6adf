"""Lua plugins that attack, and their harmless twins: name -> (attack, twin), each the body of a
rule. A body that comes to its end without giving anything gives the finding "ok"; of an attack that
would mean that it got through. `AT_LOAD` runs when the plugin is loaded, before there is any rule to be asked for.
"""

ATTACKS = {
    "loop": ("while true do end", "for i = 1, 1000 do end"),
    "pcall_loop": ("""
        while true do pcall(function() while true do end end) end
        """, "pcall(function() for i = 1, 1000 do end end)"),
    "coroutine_loop": ("""
        coroutine.wrap(function() while true do end end)()
        """, "coroutine.wrap(function() for i = 1, 1000 do end end)()"),
    "coroutine_pcall_loop": ("""
        while true do
          local thread = coroutine.create(function()
            while true do pcall(function() while true do end end) end
          end)
          coroutine.resume(thread)
        end
        """, "coroutine.resume(coroutine.create(function() pcall(error, 'x') end))"),
    "gc_loop": ("""
        local made = setmetatable({}, { __gc = function() while true do end end })
        made = nil
        for i = 1, 1000000 do local rubbish = { i } end
        """, "local made = setmetatable({}, { __index = {} })"),
    "close_loop": ("""
        local meta = {}
        local made = setmetatable({}, meta)
        meta.__close = function() while true do end end
        do local held <close> = made end
        """, """
        local meta = {}
        local made = setmetatable({}, meta)
        meta.__close = function() end
        do local held <close> = made end
        """),
    "pattern": ("""
        string.find(("a"):rep(30000), ("a*"):rep(40) .. "b")
        """, "string.find(('a'):rep(100), 'a*b')"),
    "gsub_pattern": ("""
        local s = ("a"):rep(60000):gsub((".-"):rep(20) .. "b", "")
        """, "local s = ('a'):rep(100):gsub('a', 'b')"),
    "table_move": ("table.move({}, 1, 1000000000, 2)", "table.move({ 1, 2 }, 1, 2, 2)"),
    "table_move_pcall": ("""
        while true do pcall(table.move, {}, 1, 999999, 2) end
        """, "pcall(table.move, { 1 }, 1, 1, 2)"),
    "unpack": ("local n = select('#', table.unpack({}, 1, 100000000))",
               "local n = select('#', table.unpack({ 1, 2 }))"),
    "string_bomb": ("local s = 'x' while true do s = s .. s end", "local s = 'x' .. 'y'"),
    "rep_bomb": ("local s = ('x'):rep(1 << 40)", "local s = ('x'):rep(100)"),
    "table_bomb": ("local t = {} for i = 1, 1 << 50 do t[i] = { i } end",
                   "local t = {} for i = 1, 100 do t[i] = { i } end"),
    "bomb_in_pcall": ("""
        local kept = {}
        while true do pcall(function() kept[#kept + 1] = ('x'):rep(1 << 20) end) end
        """, "pcall(function() return ('x'):rep(100) end)"),
    "recursion": ("local function f() return 1 + f() end return f()",
                  "local function f(n) return n == 0 and 0 or 1 + f(n - 1) end f(50)"),
    "c_recursion": ("""
        local function f() return (("x"):gsub("x", f)) end
        return f()
        """, "local s = ('x'):gsub('x', function() return 'y' end)"),
    "coroutine_recursion": ("""
        local function f() return coroutine.wrap(f)() end
        return f()
        """, "coroutine.wrap(function() return 1 end)()"),
    "string_metatable": ("""
        getmetatable("").__index = function() while true do end end
        """, "local n = ('x'):len()"),
    "string_library": ("""
        for name in pairs(string) do string[name] = function() while true do end end end
        tostring = nil
        error({ code = string })
        """, "local mine = { upper = string.upper }"),
    "tostring_loop": ("""
        error(setmetatable({}, { __tostring = function() while true do end end }))
        """, "local s = tostring(setmetatable({}, { __tostring = function() return 'x' end }))"),
    "index_loop": ("""
        local t = setmetatable({}, { __index = function(t, k) return t[k] end })
        return t.x
        """, "local t = setmetatable({}, { __index = function() return 1 end }) local x = t.x"),
    "many_findings": ("""
        local found = array()
        for i = 1, 10000 do found[i] = { code = "ok" } end
        return found
        """, "return array({ { code = 'ok' } })"),
    "endless_findings": ("""
        local found = array()
        while true do found[#found + 1] = { code = "ok" } end
        """, "return array({ { code = 'ok' } })"),
    "bad_path": ("return { code = 'ok', path = '/no/such/place' }",
                 "return { code = 'ok', path = '/text' }"),
    "other_record": ("return { code = 'ok', records = { 'somebody-else' } }",
                     "return { code = 'ok', records = { subject._id } }"),
    "unknown_code": ("return { code = 'invented' }", "return { code = 'ok' }"),
    "no_table": ("return 42", "return { code = 'ok' }"),
    "circle": ("""
        local value = { code = "ok" }
        value.values = value
        return value
        """, "return { code = 'ok', values = { a = 1 } }"),
    "no_number": ("return { code = 'ok', values = { a = 0 / 0 } }",
                  "return { code = 'ok', values = { a = 1 / 2 } }"),
    "handler_loop": ("""
        xpcall(function() while true do end end, function() while true do end end)
        """, "xpcall(function() error('x') end, function(why) return why end)"),
    "for_close": ("""
        local meta = {}
        local held = setmetatable({}, meta)
        meta.__close = function() while true do end end
        for _ in function() return nil end, nil, nil, held do end
        """, "for _ in function() return nil end do end"),
    "sort_loop": ("table.sort({ 1, 2, 3 }, function() while true do end end)",
                  "table.sort({ 1, 2, 3 }, function(a, b) return a > b end)"),
    "sort_error": ("table.sort({ 1, {}, 'x', false })", "table.sort({ 3, 1, 2 })"),
    "length_insert": ("""
        table.insert(setmetatable({}, { __len = function() return 1 << 53 end }), 1, "x")
        """, "table.insert({ 1 }, 1, 'x')"),
    "length_concat": ("""
        local meta = { __len = function() return 1 << 53 end, __index = tostring }
        local s = table.concat(setmetatable({}, meta))
        """, "local s = table.concat({ 'a', 'b' })"),
    "gsub_callback": ("""
        local s = ("x"):rep(60000):gsub(".", function() for i = 1, 1 << 40 do end end)
        """, "local s = ('x'):rep(60):gsub('.', function() return 'y' end)"),
    "pack_bomb": ("""
        local kept = {}
        while true do kept[#kept + 1] = string.pack("z", ("x"):rep(1 << 16) .. #kept) end
        """, "local s = string.pack('z', 'x')"),
    "wrap_nest": ("""
        local alive = {}
        while true do
          local f = coroutine.wrap(function() coroutine.yield(("x"):rep(1000)) end)
          alive[#alive + 1] = { f, f() }
        end
        """, "local f = coroutine.wrap(function() coroutine.yield(1) end) f()"),
    "library_errors": ("""
        while true do pcall(date.add, ("x"):rep(60000), 1) pcall(text.find, "x", "(") end
        """, "pcall(date.add, 'x', 1)"),
    "library_calendar": ("""
        while true do
          series.occurrences({ start = "0001-01-01", from = "0001-01-01", to = "9999-12-31" })
        end
        """, """
        series.occurrences({ start = "2026-01-01", from = "2026-01-01", to = "2026-02-01" })
        """),
    "deep_values": ("""
        local value = { code = "ok" }
        for i = 1, 100000 do value = { value } end
        return array({ value })
        """, "return array({ { code = 'ok' } })"),
    "huge_value": ("return { code = 'ok', values = { a = ('x'):rep(1 << 24) } }",
                   "return { code = 'ok', values = { a = ('x'):rep(100) } }"),
    "noisy_error": ("log('\\xff\\xfe\\n{') error('\\xff\\xfe\\xc3(\\n' .. ('x'):rep(1 << 20))",
                    "log('fine')"),
    "answer_metatable": ("""
        return setmetatable({}, { __index = function() while true do end end,
                                  __pairs = function() while true do end end,
                                  __len = function() return 1 << 53 end, [1] = 1 }) .. ""
        """, "return setmetatable({ code = 'ok' }, {})"),
    "raised_severity": ("return { code = 'ok', severity = 'catastrophe' }",
                        "return { code = 'ok', severity = 'warn' }"),
    "no_instant": ("return { code = 'ok', passes_at = '99999-99-99T99:99:99Z' }",
                   "return { code = 'ok', passes_at = 'never' }"),
    "no_doors": ("""
        for _, name in ipairs({ "io", "os", "load", "debug", "dofile", "package" }) do
          if _G[name] ~= nil then return { code = "ok" } end
        end
        for _, name in ipairs({ "io", "os", "package", "../rules", "/etc/passwd" }) do
          if pcall(require, name) then return { code = "ok" } end
        end
        error("no door is open")
        """, "local t = { math.floor(1.5) }"),
}

AT_LOAD = {
    "load_loop": ("while true do end", "for i = 1, 1000 do end"),
    "load_bomb": ("local s = 'x' while true do s = s .. s end", "local s = 'x' .. 'y'"),
}


def rule(name, body):
    return f"""
rules["{name}"] = function(subject, needs, context)
  log("began {name}")
  local function deed()
    {body.strip()}
  end
  local given = deed()
  if given ~= nil then return given end
  return {{ code = "ok", path = "/text" }}
end
"""


def text(name, body, at_load):
    """rules.lua of one plugin."""
    if at_load:
        return f'log("began {name}")\n{body.strip()}\n' + rule(name, "")
    return rule(name, body)
