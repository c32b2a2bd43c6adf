-- What the reports share.

local common = require "common"
local bare, day_of, listed, live = common.bare, common.day_of, common.listed, common.live

local function title(text, level) return { type = "heading", level = level or 1, text = text } end
local function say(text, style) return { type = "text", text = text, style = style } end

-- Column names, right-aligned where they begin with ">".
local function columns(t, list)
  local all = array()
  for _, label in ipairs(list) do
    local right = label:sub(1, 1) == ">"
    local plain = right and label:sub(2) or label
    all[#all + 1] = { id = plain:lower():gsub("[^%w]+", "_"), label = t(plain),
                      align = right and "right" or nil }
  end
  return all
end

local function grid(t, list, rows)
  return { type = "table", columns = columns(t, list), rows = rows }
end

-- A function that gives a person's name by id, from lists of people.
local function namer(...)
  local by_id = {}
  for _, list in ipairs({ ... }) do
    for _, person in ipairs(list) do
      by_id[bare(person._id)] = person.given .. " " .. person.family
    end
  end
  return function(id) return id and (by_id[bare(id)] or bare(id)) or "" end
end

local function named(list, name_of)
  local all = {}
  for _, id in ipairs(list or {}) do all[#all + 1] = name_of(id) end
  return table.concat(all, ", ")
end

local function clock_time(at, context) return at and instant.time(at, context.zone) or "" end

-- Sorted by the texts that `key` gives, then by id.
local function sorted_by(list, key)
  table.sort(list, function(a, b)
    local first, second = key(a), key(b)
    if first ~= second then return first < second end
    return (a._id or "") < (b._id or "")
  end)
  return list
end

local function keys_of(map)
  local all = {}
  for key in pairs(map) do all[#all + 1] = key end
  return all
end

-- Records of the report's local days: a need by dates may bring some of the days around them.
local function ranged(list, field, parameters, context)
  local kept = {}
  for _, record in ipairs(live(list)) do
    local day = record[field]
    if #day > 10 then day = day_of(day, context) end
    if parameters.from <= day and day <= parameters.to then kept[#kept + 1] = record end
  end
  return kept
end

-- Days on which school is held: the school's weekdays without its free days.
local function school_day(day)
  return listed(config.school_weekdays, date.weekday(day)) and not listed(config.free_days, day)
end

local function count_school_days(from, to)
  local total = 0
  while from <= to do
    if school_day(from) then total = total + 1 end
    from = date.add(from, 1)
  end
  return total
end

return {
  title = title, say = say, grid = grid, namer = namer, named = named, clock_time = clock_time,
  sorted_by = sorted_by, keys_of = keys_of, ranged = ranged, school_day = school_day,
  count_school_days = count_school_days,
}
