-- Reports about behavior and strategies.

local common = require "common"
local before, by_time, day_of, live, minutes_between, same =
  common.before, common.by_time, common.day_of, common.live, common.minutes_between, common.same
local behavior = require "behavior"
local behavior_of, primary, rate_of, strategy_of =
  behavior.behavior_of, behavior.primary, behavior.rate_of, behavior.strategy_of
local report_words = require "report_words"
local words = report_words.words
local report_parts = require "report_parts"
local clock_time, grid, namer, ranged, say, school_day, sorted_by, title =
  report_parts.clock_time, report_parts.grid, report_parts.namer, report_parts.ranged,
  report_parts.say, report_parts.school_day, report_parts.sorted_by, report_parts.title

-- Windows by day. Of windows of primary observers that overlap the first counts.
local function observed_days(list, context)
  local days, reached = {}, nil
  for _, seen in ipairs(by_time(live(list), "from")) do
    local day = day_of(seen.from, context)
    local one = days[day] or { count = 0, minutes = 0, windows = {} }
    days[day] = one
    local minutes = minutes_between(seen.from, seen.to)
    local why
    if not primary(seen) then
      why = "second observer"
    elseif reached and before(seen.from, reached) then
      why = "overlaps, not summed"
    elseif minutes <= 0 or not seen.count then
      why = "not observed"
    else
      one.count, one.minutes = one.count + seen.count, one.minutes + minutes
      reached = seen.to
    end
    one.windows[#one.windows + 1] = { seen = seen, minutes = minutes, why = why }
  end
  return days
end

reports["bip_frequency"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people, needs.observers)
  local days = observed_days(needs.observations, context)
  local points, rows = array(), array()
  local day = parameters.from
  while day <= parameters.to do
    local one = days[day]
    if one and one.minutes > 0 then
      points[#points + 1] = { day, rate_of(one.count, one.minutes) }
    elseif school_day(day) then
      points[#points + 1] = array({ day })  -- a gap: not observed is not zero
    end
    for _, window in ipairs(one and one.windows or {}) do
      local seen = window.seen
      rows[#rows + 1] = {
        day, clock_time(seen.from, context), clock_time(seen.to, context), window.minutes,
        seen.count or "", not window.why and rate_of(seen.count, window.minutes) or "",
        name_of(seen.observer), window.why and t(window.why) or "",
      }
    end
    if not one and school_day(day) then
      rows[#rows + 1] = { day, "", "", "", "", "", "", t("not observed") }
    end
    day = date.add(day, 1)
  end
  local phases, goal, label = array(), nil, parameters.behavior
  local plans = live(needs.plans)
  sorted_by(plans, function(plan) return plan.from end)
  for _, plan in ipairs(plans) do
    local behavior = behavior_of(plan, parameters.behavior)
    if behavior and plan.from <= parameters.to and plan.to >= parameters.from then
      goal, label = behavior.goal or goal, behavior.name or label
      if plan.from >= parameters.from then
        phases[#phases + 1] = { x = plan.from, label = t("Plan from") .. " " .. plan.from }
      end
    end
  end
  return {
    title(label .. ": " .. name_of(parameters.student)),
    { type = "chart", chart = "line", title = label, x = { label = t("Date"), kind = "date" },
      y = { label = t("Times per hour") }, series = { { label = label, points = points } },
      goal = goal, phases = phases },
    grid(t, { "Date", "From", "To", ">Minutes", ">Count", ">Rate per hour", "Observer", "Note" },
         rows),
  }
end

reports["abc_patterns"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local sums, hours = {}, {}
  for _, event in ipairs(ranged(needs.events, "at", parameters, context)) do
    if not parameters.behavior or event.behavior == parameters.behavior then
      local key = event.antecedent .. "\1" .. event.behavior .. "\1" .. event.consequence
      sums[key] = sums[key] or { event.antecedent, event.behavior, event.consequence, 0 }
      sums[key][4] = sums[key][4] + 1
      local hour = clock_time(event.at, context):sub(1, 2) .. ":00"
      hours[hour] = (hours[hour] or 0) + 1
    end
  end
  local rows, by_hour = array(), array()
  for _, row in pairs(sums) do rows[#rows + 1] = row end
  table.sort(rows, function(a, b)
    if a[4] ~= b[4] then return a[4] > b[4] end
    return table.concat(a, "\1", 1, 3) < table.concat(b, "\1", 1, 3)
  end)
  for hour, count in pairs(hours) do by_hour[#by_hour + 1] = { hour, count } end
  return {
    title(t("Patterns") .. ": " .. name_of(parameters.student)),
    grid(t, { "Before", "Behavior", "After", ">Events" }, rows),
    title(t("Time of day"), 2),
    grid(t, { "Hour", ">Events" }, by_hour),
  }
end

-- The type of a use: its own, or what the plan says of the strategy.
local function type_of(use, plans)
  if use.type then return use.type end
  for _, plan in ipairs(plans) do
    local planned = same(plan._id, use.plan) and strategy_of(plan, use.strategy)
    if planned then return planned.type end
  end
end

reports["strategy_results"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local plans = live(needs.plans)
  local sums, kinds, minutes = {}, {}, 0
  for _, use in ipairs(ranged(needs.uses, "at", parameters, context)) do
    local kind = type_of(use, plans) or "other"
    local sum = sums[use.strategy] or { use.strategy, t(kind), 0, 0, 0, 0 }
    sums[use.strategy] = sum
    sum[3] = sum[3] + 1
    local at = ({ worked = 4, partly = 5, did_not = 6 })[use.result]
    if at then sum[at] = sum[at] + 1 end
    kinds[kind] = (kinds[kind] or 0) + 1
  end
  for _, day in pairs(observed_days(needs.observations, context)) do
    minutes = minutes + day.minutes
  end
  local rows = array()
  for _, sum in pairs(sums) do rows[#rows + 1] = sum end
  local praise, corrections = kinds.reinforcement or 0, kinds.correction or 0
  local redirects = kinds.redirect or 0
  return {
    title(t("Strategies") .. ": " .. name_of(parameters.student)),
    grid(t, { "Strategy", "Type", ">Used", ">Worked", ">Partly", ">Did not" }, rows),
    say(t("Praise to correction") .. ": " .. praise .. " : " .. corrections),
    say(t("Redirects per hour observed") .. ": " ..
        (minutes > 0 and rate_of(redirects, minutes) or t("not observed"))),
  }
end
