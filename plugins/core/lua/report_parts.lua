-- What the reports share.

local common = require "common"
local clock, day_of, each, has, kept, name_of, values_of, within =
  common.clock, common.day_of, common.each, common.has, common.kept, common.name_of,
  common.values_of, common.within

local function texts(context)
  return function(en, es) return context.language == "es" and es or en end
end

local function table_of(labels, rows)
  local columns = array()
  for _, label in ipairs(labels) do columns[#columns + 1] = { label = label } end
  return { type = "table", columns = columns, rows = rows }
end

-- "2026-03-02", or "2026-03-02 - 2026-03-06".
local function span_of(parameters)
  return parameters.from .. (parameters.to ~= parameters.from and " - " .. parameters.to or "")
end

local function people_names(people)
  local index = {}
  for _, person in each(people) do index[person._id] = name_of(person) end
  return function(id) return id and (index[id] or id) or "" end
end

-- The records that stand, ordered by what `key` says of them, then by id.
local function ordered(records, key)
  local list = {}
  for _, one in each(records) do
    if kept(one) then list[#list + 1] = one end
  end
  local function before(a, b)
    local first, second = key(a) or "", key(b) or ""
    if first ~= second then return first < second end
    return a._id < b._id
  end
  table.sort(list, before)
  return list
end

-- In order of a date or instant, the report's local days alone: a need by dates may bring some of
-- the days around them.
local function dated(records, field, parameters, context)
  local list = {}
  for _, one in ipairs(ordered(records, function(it) return it[field] end)) do
    local day = day_of(one[field], one, context)
    if day and within(day, parameters.from, parameters.to) then list[#list + 1] = one end
  end
  return list
end

local rank = { urgent = 1, high = 2, normal = 3, low = 4 }

-- Total and the same everywhere: priority, rank of the goal, due, title, id.
local function sorted_duties(duties, goals)
  local goal_rank, list = {}, {}
  for _, goal in each(goals) do goal_rank[goal._id] = goal.rank end
  for _, duty in each(duties) do
    if kept(duty) and duty.state ~= "cancelled" then
      list[#list + 1] = {
        duty = duty,
        key = { rank[duty.priority], goal_rank[duty.goal] or 1000000, duty.due or "9999", duty.title,
          duty._id },
      }
    end
  end
  table.sort(list, function(a, b)
    for i = 1, 5 do
      if a.key[i] ~= b.key[i] then return a.key[i] < b.key[i] end
    end
    return false
  end)
  return list
end

local function names_of(ids, name)
  local shown = {}
  for _, id in ipairs(values_of(ids)) do shown[#shown + 1] = name(id) end
  return table.concat(shown, ", ")
end

-- Of one person, where the parameter says whom.
local function of_person(parameters, id)
  return parameters.person == nil or has(values_of(id), parameters.person)
end

local function sheet(title, labels, rows)
  return { { type = "heading", level = 1, text = title }, table_of(labels, rows) }
end

local function add_table(blocks, title, labels, rows)
  blocks[#blocks + 1] = { type = "heading", level = 2, text = title }
  blocks[#blocks + 1] = table_of(labels, rows)
  return blocks
end

local function moment(at, record, context) return at and clock(at, record, context) or "" end

-- Steps, agenda points and items are words or objects that hold them.
local function words_of(list)
  local shown = {}
  for _, one in ipairs(values_of(list)) do
    shown[#shown + 1] = type(one) == "table" and (one.text or one.item or one.name or "-") or one
  end
  return table.concat(shown, "; ")
end

local function percent(part, whole)
  return whole == 0 and "" or decimal.div(tostring(part * 100), tostring(whole), 0)
end

-- Sums by key, in the order of the keys: { key, count, minutes }.
local function sums_by(records, key, minutes)
  local sums, keys = {}, {}
  for _, one in ipairs(records) do
    local name = key(one) or "-"
    if sums[name] == nil then
      sums[name] = { name, 0, 0 }
      keys[#keys + 1] = name
    end
    sums[name][2] = sums[name][2] + 1
    sums[name][3] = sums[name][3] + (minutes(one) or 0)
  end
  table.sort(keys)
  local rows = array()
  for _, name in ipairs(keys) do rows[#rows + 1] = sums[name] end
  return rows
end

return {
  texts = texts, table_of = table_of, people_names = people_names, ordered = ordered,
  dated = dated, sorted_duties = sorted_duties, names_of = names_of, of_person = of_person,
  sheet = sheet, add_table = add_table, moment = moment, words_of = words_of,
  percent = percent, sums_by = sums_by, span_of = span_of,
}
