-- The scheduled times of an order.

local common = require "common"
local each = common.each

local function due_that_day(order, day)
  local weekdays = order.weekdays or config.dose_weekdays
  for _, closed in each(config.closed_days) do
    if closed == day then return false end
  end
  for _, weekday in each(weekdays) do
    if weekday == date.weekday(day) then return true end
  end
  return #weekdays == 0
end

-- The scheduled time that is nearest to an instant: {at, day, time, minutes}; minutes > 0 is late.
local function slot_of(order, at, zone)
  if order == nil or order.kind ~= "scheduled" then return nil end
  local best
  local today = date.of(at, zone)
  for shift = -1, 1 do
    local day = date.add(today, shift)
    for _, time in each(order.times) do
      local due = instant.at(day, time:sub(1, 5), zone)
      local late = instant.minutes(due, at)
      if best == nil or math.abs(late) < math.abs(best.minutes) then
        best = { at = due, day = day, time = time:sub(1, 5), minutes = late }
      end
    end
  end
  return best
end

-- When the window of the scheduled time after a slot begins; nil where none is due within a month.
local function next_window(order, slot, zone)
  for shift = 0, 31 do
    local day, first = date.add(slot.day, shift), nil
    for _, time in each(due_that_day(order, day) and order.times or {}) do
      local due = instant.at(day, time:sub(1, 5), zone)
      if instant.compare(due, slot.at) > 0 and (first == nil or instant.compare(due, first) < 0) then
        first = due
      end
    end
    if first then return instant.add_minutes(first, -config.scheduled_window_min) end
  end
end

return { due_that_day = due_that_day, slot_of = slot_of, next_window = next_window }
