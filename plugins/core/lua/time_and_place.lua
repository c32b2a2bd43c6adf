-- Time and place: CORE-R01 to R03, availability.

local common = require "common"
local copy_ids, day_of, each, hours_of, kept, values_of, within =
  common.copy_ids, common.day_of, common.each, common.hours_of, common.kept, common.values_of,
  common.within

-- What a record says about where a person is: half-open, so that 08:00-09:00 and 09:00-10:00 touch.
local function stay(record)
  if record._kind == "core.meeting" then
    if record.when == nil then return nil end
    local to = record["until"] or instant.add_minutes(record.when, config.meeting_minutes)
    return { from = record.when, to = to, site = nil, where = record.where or record.title or "-" }
  end
  if record.from == nil or record.to == nil then return nil end
  return {
    from = record.from, to = record.to, site = record.site,
    where = record.site or record.place or record.category or "-",
  }
end

local function share_person(a, b)
  local there = {}
  for _, p in ipairs(values_of(a.person or a.who)) do there[p] = true end
  for _, p in ipairs(values_of(b.person or b.who)) do
    if there[p] then return true end
  end
  return false
end

local function clash(a, b)
  local first, second = stay(a), stay(b)
  if first == nil or second == nil then return nil end
  local kinds = { [a._kind] = true, [b._kind] = true }
  local work = kinds["core.work_time"]
  -- Time worked is the account of a shift, not a second place: it clashes with its like alone.
  if work and a._kind ~= b._kind then return nil end
  local minutes = instant.overlap(first.from, first.to, second.from, second.to)
  -- The same words whichever of the two is judged.
  local left, right = first, second
  if instant.compare(second.from, first.from) < 0
    or (instant.compare(second.from, first.from) == 0 and b._id < a._id) then
    left, right = second, first
  end
  local found = { records = { b._id }, path = a.person and "/person" or "/who" }
  if minutes > 0 then
    if kinds["core.meeting"] and kinds["core.shift"] then
      local shift = a._kind == "core.shift" and a or b
      if shift.kind ~= nil and shift.kind ~= "duty" then return nil end
      found.code, found.severity = "meeting_on_duty", "warn"
      found.values = { b = shift.site or shift.place }
      return found
    end
    found.code = "overlap"
    found.values = { minutes = minutes, a = left.where, b = right.where }
    -- Free again when the other ends, and the way between two sites is behind.
    local apart = first.site and second.site and first.site ~= second.site
    found.passes_at = apart and instant.add_minutes(second.to, config.travel_minutes) or second.to
    return found
  end
  if left.site and right.site and left.site ~= right.site then
    local gap = instant.minutes(left.to, right.from)
    if gap >= 0 and gap < config.travel_minutes then
      found.code, found.severity = "travel", "warn"
      found.values = {
        minutes = gap, a = left.where, b = right.where, needed = config.travel_minutes,
      }
      return found
    end
  end
end

rules["CORE-R01"] = function(it, needs, context)
  local found, seen = array(), {}
  for _, list in ipairs({
    needs.shifts, needs.guest_shifts, needs.meetings, needs.guest_meetings, needs.times,
  }) do
    for _, other in ipairs(list) do
      if other._id ~= it._id and not seen[other._id] and kept(other) and share_person(it, other) then
        seen[other._id] = true
        found[#found + 1] = clash(it, other)
      end
    end
  end
  if it._kind == "core.shift" then
    for _, leave in each(needs.leaves) do
      local first, last = day_of(it.from, it, context), day_of(it.to, it, context)
      -- Leave without an end is one day.
      if kept(leave) and last >= leave.from and first <= (leave.to or leave.from) then
        found[#found + 1] = {
          code = "on_leave", path = "/person", records = { leave._id },
          values = { from_ = leave.from, to_ = leave.to or leave.from },
        }
      end
    end
  end
  return found
end

-- Worked: elapsed, less meal breaks that are long enough and off duty (29 CFR 785.18, 785.19).
local function worked_minutes(time)
  local minutes = instant.minutes(time.from, time.to)
  for _, pause in each(time.breaks) do
    local length = instant.minutes(pause.from, pause.to)
    if pause.relieved == true and length >= config.meal_minutes then minutes = minutes - length end
  end
  return minutes
end

local function week_of(day)
  return date.add(day, -((date.weekday(day) - config.week_starts) % 7))
end

local function contract_on(contracts, day)
  local best
  for _, one in each(contracts) do
    if kept(one) and within(day, one.from, one.to) and one.hours_per_week
      and (best == nil or one.from > best.from) then
      best = one
    end
  end
  return best
end

rules["CORE-R02"] = function(it, needs, context)
  local week = week_of(day_of(it.from, it, context))
  local total, times = 0, array()
  for _, time in ipairs(needs.times) do
    if kept(time) and time._id ~= it._id and time.to
      and week_of(day_of(time.from, time, context)) == week then
      total = total + worked_minutes(time)
      times[#times + 1] = time
    end
  end
  total = hours_of(total + worked_minutes(it))
  local contract = contract_on(needs.contracts, week)
    or contract_on(needs.contracts, day_of(it.from, it, context))
  local agreed = contract and contract.hours_per_week or config.contract_hours
  local found = array()
  if decimal.compare(total, agreed) > 0 then
    found[#found + 1] = {
      code = "over_contract", severity = "warn", records = copy_ids(times, it._id),
      values = { worked = total, week = week, agreed = agreed, over = decimal.sub(total, agreed) },
    }
  end
  if decimal.compare(total, config.overtime_hours) > 0 then
    found[#found + 1] = {
      code = "overtime", records = copy_ids(times, it._id),
      values = {
        worked = total, week = week, limit = config.overtime_hours,
        over = decimal.sub(total, config.overtime_hours),
      },
    }
  end
  return found
end

rules["CORE-R03"] = function(it)
  if instant.compare(it.to, it.from) <= 0 then return { code = "backward", path = "/to" } end
  local found = array()
  for _, pause in each(it.breaks) do
    if instant.compare(pause.to, pause.from) <= 0 or instant.compare(pause.from, it.from) < 0
      or instant.compare(pause.to, it.to) > 0 then
      return { code = "break_outside", path = "/breaks" }
    end
    local length = instant.minutes(pause.from, pause.to)
    if pause.relieved ~= true and length >= config.meal_minutes then
      found[1] = {
        code = "break_worked", severity = "info", path = "/breaks",
        values = { minutes = length, hours = hours_of(worked_minutes(it)) },
      }
    end
  end
  return found
end

-- Told only where the person has said anything about the days around the shift.
rules["CORE-available"] = function(it, needs)
  local around = 8 * 1440
  local near = array()
  for _, time in each(needs.times) do
    if kept(time) and instant.minutes(it.from, time.to) > -around then near[#near + 1] = time end
  end
  if #near == 0 then return nil end
  table.sort(near, function(a, b)
    local order = instant.compare(a.from, b.from)
    return order < 0 or (order == 0 and a._id < b._id)
  end)
  local upto, covered = it.from, 0
  for _, time in ipairs(near) do
    if instant.compare(time.to, upto) > 0 then
      covered = covered + instant.overlap(upto, it.to, time.from, time.to)
      upto = time.to
    end
  end
  local outside = instant.minutes(it.from, it.to) - covered
  if outside > 0 then
    return { code = "outside", path = "/from", values = { minutes = outside } }
  end
end

return { worked_minutes = worked_minutes, contract_on = contract_on, week_of = week_of }
