-- People: CORE-R09 to R13.

local common = require "common"
local blank, clock, day_of, each, has, kept, minutes_of, name_of, within =
  common.blank, common.clock, common.day_of, common.each, common.has, common.kept,
  common.minutes_of, common.name_of, common.within

-- Given and family name without case, accents, hyphens, and suffixes such as Jr or III.
local function plain_name(person)
  local words = {}
  for word in string.gmatch(names.fold(person.given .. " " .. person.family), "[^%s]+") do
    if not has({ "jr", "sr", "ii", "iii", "iv" }, word) then words[#words + 1] = word end
  end
  return table.concat(words, "")
end

rules["CORE-R09"] = function(it, needs)
  local found, seen = array(), {}
  for _, other in each(needs.ids) do
    if other._id ~= it._id and kept(other) then
      for _, mine in each(it.external_ids) do
        for _, theirs in each(other.external_ids) do
          if not seen[other._id] and mine.system == theirs.system and mine.id == theirs.id then
            seen[other._id] = true
            found[#found + 1] = {
              code = "same_id", path = "/external_ids", records = { other._id },
              values = { system = mine.system, id = mine.id, other = name_of(other) },
            }
          end
        end
      end
    end
  end
  for _, other in each(needs.born) do
    if other._id ~= it._id and kept(other) and plain_name(other) == plain_name(it) then
      found[#found + 1] = {
        code = "same_name", path = "/family", records = { other._id },
        values = { other = name_of(other) },
      }
    end
  end
  return found
end

local function pd_hours(activities, courses)
  local hours = "0"
  for _, list in ipairs({ activities or {}, courses or {} }) do
    for _, one in ipairs(list) do
      if kept(one) and one.passed ~= false then hours = decimal.add(hours, one.hours) end
    end
  end
  return hours
end

rules["CORE-R10"] = function(it, needs, context)
  local today = day_of(context.now, it, context)
  if not has(config.para_roles, it.role) or not within(today, it.from, it.to)
    or date.diff(it.from, today) < config.pd_new_days then
    return nil
  end
  local hours = pd_hours(needs.activities, needs.courses)
  if decimal.compare(hours, "0") == 0 then return { code = "none", path = "/person" } end
  if decimal.compare(hours, config.pd_hours) < 0 then
    return { code = "below", path = "/person", values = { hours = hours, aim = config.pd_hours } }
  end
end

local function is_para(roles, day)
  for _, one in each(roles) do
    if kept(one) and has(config.para_roles, one.role) and within(day, one.from, one.to) then
      return true
    end
  end
  return false
end

-- Minutes of a shift that none of the covering shifts shares, and when the first begins.
local function uncovered(shift, cover)
  table.sort(cover, function(a, b)
    local order = instant.compare(a.from, b.from)
    return order < 0 or (order == 0 and a._id < b._id)
  end)
  local at, minutes, first = shift.from, 0, nil
  local function gap(to)
    if instant.compare(at, to) < 0 then
      first = first or at
      minutes = minutes + instant.minutes(at, to)
    end
  end
  for _, one in ipairs(cover) do
    if instant.compare(one.to, at) > 0 and instant.compare(one.from, shift.to) < 0 then
      gap(one.from)
      at = one.to
    end
  end
  gap(shift.to)
  return minutes, first
end

rules["CORE-R11"] = function(it, needs, context)
  local day = day_of(it.from, it, context)
  if not is_para(needs.roles, day) then return nil end
  local named, supervisors = false, {}
  for _, link in each(needs.links) do
    if kept(link) and within(day, link.from, link.to) then
      named, supervisors[link.professional] = true, true
    end
  end
  local strict = kept(needs.site) and has(config.strict_supervision, needs.site.type)
  local severity = not strict and "warn" or nil
  if not named then return { code = "nobody", path = "/person", severity = severity } end
  local cover = {}
  for _, shift in each(needs.cover) do
    if kept(shift) and supervisors[shift.person] then cover[#cover + 1] = shift end
  end
  local minutes, first = uncovered(it, cover)
  if minutes > 0 then
    return {
      code = "gap", path = "/to", severity = severity,
      values = { minutes = minutes, at = clock(first, it, context) },
    }
  end
end

rules["CORE-R11-link"] = function(it, needs)
  local found = array()
  if #config.known_roles > 0 and not has(config.known_roles, it.role) then
    found[#found + 1] = { code = "unknown_role", path = "/role", values = { role = it.role } }
  end
  if not has(config.para_roles, it.role) then return found end
  for _, link in each(needs.links) do
    if kept(link) and (link.to == nil or link.to >= it.from)
      and (it.to == nil or link.from <= it.to) then
      return found
    end
  end
  found[#found + 1] = { code = "no_link", path = "/person" }
  return found
end

-- A request for access is answered by the day that it names, else within the days of FERPA.
rules["CORE-R12-request"] = function(it, needs, context)
  if it.closed_at ~= nil then return nil end
  local asked = day_of(it.at, it, context)
  local due = it.due or date.add(asked, config.access_days)
  if day_of(context.now, it, context) > due then
    return { code = "request", path = "/closed_at", values = { since = asked, due = due } }
  end
end

rules["CORE-R12"] = function(it, needs, context)
  if it.at == nil or it.met_at ~= nil then return nil end
  if instant.minutes(it.at, context.now) > minutes_of(config.need_limit) then
    return {
      code = "open", path = "/met_at",
      values = { since = clock(it.at, it, context), limit = config.need_limit },
    }
  end
end

rules["CORE-R12-explain"] = function(it, needs)
  if it.understood ~= "no" or (kept(needs.need) and needs.need.met_at == nil) then return nil end
  for _, other in each(needs.later) do
    if kept(other) and other._id ~= it._id and instant.compare(other.at, it.at) > 0 then
      return nil
    end
  end
  return { code = "not_understood", path = "/understood", values = { topic = it.topic } }
end

rules["CORE-R12-debrief"] = function(it, needs, context)
  if it.at == nil or not blank(it.debrief) then return nil end
  if instant.minutes(it.at, context.now) > minutes_of(config.debrief_limit) then
    return { code = "no_debrief", path = "/debrief", values = { limit = config.debrief_limit } }
  end
end

rules["CORE-R13"] = function(it, needs)
  local found = array()
  local function tell(code, path, severity, values)
    found[#found + 1] = { code = code, path = path, severity = severity, values = values }
  end
  if it.course then
    local completed = false
    for _, one in each(needs.own) do
      completed = completed or (kept(one) and one.passed ~= false and one.on < it.on)
    end
    if not completed then
      tell("not_completed", "/trainer", nil, { course = it.course, day = it.on })
    end
  end
  if it.group_size and it.trainees and #it.trainees ~= it.group_size then
    tell("group_size", "/group_size", "warn", { size = it.group_size, listed = #it.trainees })
  end
  if it.type == "activity" and blank(it.plan) then tell("no_plan", "/plan", "warn") end
  return found
end
