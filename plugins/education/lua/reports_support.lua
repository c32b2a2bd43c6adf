-- Lists of support, participation, grading, rules and plans.

local common = require "common"
local by_time, day_of, live, minutes_between =
  common.by_time, common.day_of, common.live, common.minutes_between
local behavior = require "behavior"
local rate_of = behavior.rate_of
local report_words = require "report_words"
local words = report_words.words
local report_parts = require "report_parts"
local clock_time, grid, named, namer, ranged, say, sorted_by, title =
  report_parts.clock_time, report_parts.grid, report_parts.named, report_parts.namer,
  report_parts.ranged, report_parts.say, report_parts.sorted_by, report_parts.title

reports["support_log"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local rows, total = array(), 0
  for _, note in ipairs(by_time(ranged(needs.notes, "at", parameters, context), "at")) do
    if not parameters.type or note.type == parameters.type then
      total = total + (note.minutes or 0)
      rows[#rows + 1] = { day_of(note.at, context), t(note.type), note.minutes or "", note.text or "",
                          note.outcome or "", name_of(note.by) }
    end
  end
  return { title(name_of(parameters.student)),
           grid(t, { "Date", "Type", ">Minutes", "What was done", "Outcome", "By" }, rows),
           say(t("Minutes in all") .. ": " .. total) }
end

reports["support_needs"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people, needs.staff)
  local rows = array()
  for _, one in ipairs(by_time(live(needs.requests), "at")) do
    rows[#rows + 1] = { day_of(one.at, context), t(one.type), one.text, name_of(one.noted_by),
                        t(one.state), one.decided_by and name_of(one.decided_by.person) or "" }
  end
  return { title(name_of(parameters.student)),
           grid(t, { "Date", "Type", "Request", "By", "State", "Decided by" }, rows) }
end

reports["participation_trend"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local rows, points = array(), array()
  for _, one in ipairs(by_time(ranged(needs.tallies, "from", parameters, context), "from")) do
    local day, minutes = day_of(one.from, context), minutes_between(one.from, one.to)
    local rate = minutes > 0 and rate_of(one.spoke_up, minutes) or ""
    rows[#rows + 1] = { day, minutes, one.prompted or "", one.spoke_up, one.correct or "", rate }
    if minutes > 0 then points[#points + 1] = { day, rate } end
  end
  return {
    title(t("Participation") .. ": " .. name_of(parameters.student)),
    { type = "chart", chart = "line", title = t("Spoke up"),
      x = { label = t("Date"), kind = "date" }, y = { label = t("Times per hour") },
      series = { { label = t("Spoke up"), points = points } } },
    grid(t, { "Date", ">Minutes", ">Prompted", ">Spoke up", ">Correct", ">Rate per hour" }, rows),
  }
end

-- What waits for the teacher first; a score counts once it is approved.
reports["grading"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local queue, scores = array(), array()
  local items = live(needs.items)
  sorted_by(items, function(item) return item.assignment .. "\1" .. name_of(item.student) end)
  for _, item in ipairs(items) do
    local row = { item.assignment, name_of(item.student), item.score, item.max, item.key_version,
                  name_of(item.graded_by),
                  item.approved_by and name_of(item.approved_by.person)
                    or t("waiting for approval") }
    local list = item.approved_by and scores or queue
    list[#list + 1] = row
  end
  local head = { "Assignment", "Student", ">Score", ">Most", "Key", "Graded by", "Approved by" }
  return { title(t("Grading queue")), grid(t, head, queue), title(t("Scores"), 2),
           grid(t, head, scores) }
end

reports["rule_events"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local rows, classes = array(), {}
  for _, event in ipairs(by_time(ranged(needs.events, "at", parameters, context), "at")) do
    rows[#rows + 1] = { day_of(event.at, context), clock_time(event.at, context),
                        name_of(event.student), event.rule, t(event.type or ""), t(event.action),
                        name_of(event.referred_to), event.minutes_lost or "" }
    if event.type == "disruption" then
      local class = event.class or t("not given")
      local sum = classes[class] or { class, 0, 0 }
      classes[class] = sum
      sum[2], sum[3] = sum[2] + 1, sum[3] + (event.minutes_lost or 0)
    end
  end
  local by_class = array()
  for _, sum in pairs(classes) do by_class[#by_class + 1] = sum end
  return {
    title(t("Rule")),
    grid(t, { "Date", "Time", "Student", "Rule", "Type", "Action", "Referred to",
              ">Minutes lost" }, rows),
    title(t("Disruptions by class"), 2),
    grid(t, { "Class", ">Events", ">Minutes lost" }, by_class),
  }
end

reports["plan_summary"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people, needs.staff, needs.readers)
  local blocks = { title(name_of(parameters.student)) }
  local plans = live(needs.plans)
  for _, plan in ipairs(sorted_by(plans, function(plan) return plan.from end)) do
    local behaviors, strategies = array(), array()
    for _, one in ipairs(plan.behaviors) do
      behaviors[#behaviors + 1] = { one.name or one.id, one.definition or "", one.baseline or "",
                                    one.goal or "" }
    end
    for _, one in ipairs(plan.strategies) do
      strategies[#strategies + 1] = { one.name or one.id, t(one.type or "") }
    end
    blocks[#blocks + 1] = title(plan.from .. " - " .. plan.to, 2)
    blocks[#blocks + 1] = say(t("Owner") .. ": " .. name_of(plan.owner))
    blocks[#blocks + 1] = grid(t, { "Behavior", "Definition", ">Baseline", ">Goal" }, behaviors)
    blocks[#blocks + 1] = grid(t, { "Strategy", "Type" }, strategies)
    blocks[#blocks + 1] = say(t("Read and acknowledged by") .. ": " ..
                              named(plan.acknowledged_by, name_of))
  end
  return blocks
end
