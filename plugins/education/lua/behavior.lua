-- Behavior: EDU-R03, R04, S03.

local common = require "common"
local active, before, contains, day_of, listed, live, others, same =
  common.active, common.before, common.contains, common.day_of, common.listed, common.live,
  common.others, common.same

rules["EDU-R03.form"] = function(seen)
  if not before(seen.from, seen.to) then return { code = "no_window", path = "/to" } end
  local field = seen.method == "frequency" and "count"
    or (seen.method == "duration" or seen.method == "latency") and "durations_s"
    or "intervals"
  if seen[field] == nil then
    return { code = "nothing_recorded", path = "/" .. field, values = { field = field } }
  end
end

local function behavior_of(plan, id)
  for _, behavior in ipairs(plan and plan.behaviors or {}) do
    if behavior.id == id then return behavior end
  end
end

local function primary(seen) return (seen.purpose or "primary") == "primary" end

rules["EDU-R03"] = function(seen, needs, context)
  local found = array()
  local plan = needs.plan
  local day = day_of(seen.from, context)
  if not plan or plan._status == "retracted" then
    found[#found + 1] = { code = "no_plan", path = "/plan" }
  else
    local about = { plan._id }
    if not active(plan.from, plan.to, day) then
      found[#found + 1] = { code = "inactive_plan", path = "/plan", records = about,
                            values = { from = plan.from, to = plan.to, date = day } }
    end
    if not behavior_of(plan, seen.behavior) then
      found[#found + 1] = { code = "not_in_plan", path = "/behavior", records = about,
                            values = { behavior = seen.behavior } }
    end
    if not contains(plan.acknowledged_by, seen.observer) and not same(plan.owner, seen.observer)
    then
      found[#found + 1] = { code = "not_acknowledged", path = "/observer", records = about }
    end
  end
  for _, other in ipairs(others(seen, needs.others)) do
    local shared = instant.overlap(seen.from, seen.to, other.from, other.to)
    if primary(seen) and primary(other) and shared > 0 then
      found[#found + 1] = { code = "overlap", records = { other._id },
                            values = { minutes = shared } }
    end
  end
  return found
end

-- Count per hour of a window, exact: 6 in 40 minutes is 9.00.
local function rate_of(count, minutes)
  return decimal.div(tostring(count * 60), tostring(minutes), 2)
end

rules["EDU-R04"] = function(record, needs)
  local windows, events = live(needs.observations), live(needs.events_near)
  if record._kind == "education.behavior_observation" then
    windows, events = { record }, live(needs.events)
  elseif #others(record, events) == #events then
    events[#events + 1] = record  -- asked beforehand, it is not stored yet
  end
  local found = array()
  for _, window in ipairs(windows) do
    local inside = {}
    for _, event in ipairs(events) do
      if not before(event.at, window.from) and before(event.at, window.to) then
        inside[#inside + 1] = event._id
      end
    end
    local mine = record == window or listed(inside, record._id)
    if mine and window.method == "frequency" and window.count and #inside > window.count then
      local records = { window._id }
      for _, id in ipairs(inside) do records[#records + 1] = id end
      found[#found + 1] = { code = "more_events", records = records,
                            values = { count = window.count, events = #inside } }
    end
  end
  return found
end

local function strategy_of(plan, id)
  for _, strategy in ipairs(plan and plan.strategies or {}) do
    if strategy.id == id then return strategy end
  end
end

rules["EDU-S03"] = function(use, needs)
  local planned = needs.plan and strategy_of(needs.plan, use.strategy)
  if not planned and not (use.off_plan_reason or ""):find("%S") then
    return { code = "off_plan", path = "/off_plan_reason", values = { strategy = use.strategy } }
  end
end

return {
  behavior_of = behavior_of, primary = primary, rate_of = rate_of, strategy_of = strategy_of,
}
