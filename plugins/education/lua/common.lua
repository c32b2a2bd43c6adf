-- What the education rules share: lists, times, roles, and which records count.

-- "p1" of an id that may name its space, "district/p1".
local function bare(id)
  return id and (id:match("([^/]+)$") or id)
end

local function same(a, b)
  return a ~= nil and b ~= nil and bare(a) == bare(b)
end

local function contains(list, id)
  for _, each in ipairs(list or {}) do
    if same(each, id) then return true end
  end
  return false
end

local function listed(list, word)
  for _, each in ipairs(list or {}) do
    if each == word then return true end
  end
  return false
end

-- Records that count: what was entered in error does not.
local function live(list)
  local kept = {}
  for _, record in ipairs(list or {}) do
    if record._status ~= "retracted" then kept[#kept + 1] = record end
  end
  return kept
end

local function others(record, list)
  local kept = {}
  for _, other in ipairs(live(list)) do
    if other._id ~= record._id then kept[#kept + 1] = other end
  end
  return kept
end

local function before(a, b) return instant.compare(a, b) < 0 end
local function earlier(a, b) return before(a, b) and a or b end
local function later(a, b) return before(a, b) and b or a end

local function by_time(list, field)
  table.sort(list, function(a, b)
    local order = instant.compare(a[field], b[field])
    if order ~= 0 then return order < 0 end
    return a._id < b._id
  end)
  return list
end

local function day_of(at, context) return date.of(at, context.zone) end

-- The local day as two instants: 23 or 25 hours where clocks change.
local function whole_day(day, context)
  return instant.at(day, "00:00", context.zone),
    instant.at(date.add(day, 1), "00:00", context.zone)
end

local function active(from, to, day)
  return (not from or from <= day) and (not to or day <= to)
end

-- Minutes as a whole number (rounded down), for messages and tables.
local function minutes_between(from, to)
  return math.floor(instant.minutes(from, to))
end

local function percent(part, whole)
  if whole == 0 then return "" end
  return decimal.div(tostring(part * 100), tostring(whole), 1)
end

local function word_in(folded, name)
  return name ~= "" and (" " .. folded .. " "):find(" " .. name .. " ", 1, true) ~= nil
end

-- Roles that a person has on a day.
local function roles_on(roles, person, day)
  local found = {}
  for _, role in ipairs(live(roles)) do
    if (person == nil or same(role.person, person)) and active(role.from, role.to, day) then
      found[#found + 1] = role.role
    end
  end
  return found
end

local function has_role(roles, person, day, wanted)
  for _, role in ipairs(roles_on(roles, person, day)) do
    if listed(wanted, role) then return true end
  end
  return false
end

return {
  bare = bare, same = same, contains = contains, listed = listed, live = live, others = others,
  before = before, earlier = earlier, later = later, by_time = by_time, day_of = day_of,
  whole_day = whole_day, active = active, minutes_between = minutes_between, percent = percent,
  word_in = word_in, roles_on = roles_on, has_role = has_role,
}
