-- Progress against goals, for staff and for families.

local common = require "common"
local live = common.live
local behavior = require "behavior"
local strategy_of = behavior.strategy_of
local families = require "families"
local naming = families.naming
local report_words = require "report_words"
local words = report_words.words
local report_parts = require "report_parts"
local grid, keys_of, namer, ranged, say, sorted_by, title =
  report_parts.grid, report_parts.keys_of, report_parts.namer, report_parts.ranged,
  report_parts.say, report_parts.sorted_by, report_parts.title

-- Measurements of one student by goal, each in order of date.
local function by_goal(points)
  local goals = {}
  for _, point in ipairs(live(points)) do
    goals[point.goal] = goals[point.goal] or {}
    table.insert(goals[point.goal], point)
  end
  for _, list in pairs(goals) do sorted_by(list, function(point) return point.date end) end
  return goals
end

local function progress_chart(t, goal, list)
  local points = array()
  for _, point in ipairs(list) do points[#points + 1] = { point.date, point.value } end
  return { type = "chart", chart = "line", title = goal, x = { label = t("Date"), kind = "date" },
           y = { label = list[1].unit }, series = { { label = list[1].unit, points = points } },
           goal = list[#list].target }
end

-- For the family, in its language. It reads this student's records alone.
reports["progress_report"] = function(parameters, needs, context)
  local pupil = live(needs.student)[1]
  local t = words(pupil and pupil.home_language or context.language)
  local name_of = namer(needs.people, needs.approvers)
  local first = title(t("Progress report") .. ": " .. name_of(parameters.student))
  first.language = (pupil and pupil.home_language or context.language) == "es" and "es" or "en"
  local blocks = {
    first,
    say(t("Period") .. ": " .. parameters.period, "note"),
    say(t("Dear family,") .. " " .. t("this is how your child is doing.")),
  }
  local function add(block) blocks[#blocks + 1] = block end
  -- What names another student is not shown, whoever wrote it.
  local names_another = naming(parameters.student, needs)
  local function shown(text)
    if names_another(text) ~= "full" then return text end
    return t("(left out: it names another student)")
  end
  local report
  for _, one in ipairs(live(needs.reports)) do report = one end
  local headings = { summary = "Summary", curriculum = "What the class learns",
                     helped = "What helped", next = "What is next" }
  local function sections(part)
    for _, section in ipairs(report and report.sections or {}) do
      if (section.part or "summary") == part then
        add(title(shown(section.heading or t(headings[part])), 2))
        add(say(shown(section.text)))
      end
    end
  end
  if report and report.plain_text then add(say(shown(report.plain_text))) end
  sections("summary")
  sections("curriculum")
  local goals = by_goal(needs.points)
  for goal, list in pairs(goals) do
    local first, last = list[1], list[#list]
    add(title(t("Goal") .. ": " .. shown(goal), 2))
    add(progress_chart(t, shown(goal), list))
    add(grid(t, { "First", "Now", "Target", "Unit", "Help given" },
             { { first.value, last.value, last.target or "", last.unit,
                 t(last.prompt_level or "") } }))
  end
  if #keys_of(goals) == 0 then add(say(t("No measurements in this period."), "note")) end
  sections("helped")
  local worked = {}
  for _, use in ipairs(ranged(needs.uses, "at", parameters, context)) do
    if use.result == "worked" then worked[use.strategy] = (worked[use.strategy] or 0) + 1 end
  end
  local rows = array()
  for strategy, count in pairs(worked) do
    local label = strategy
    for _, plan in ipairs(live(needs.plans)) do
      local planned = strategy_of(plan, strategy)
      label = planned and planned.name or label
    end
    rows[#rows + 1] = { shown(label), count }
  end
  if #rows > 0 then
    add(title(t("What helped"), 2))
    add(grid(t, { "Strategy", ">Worked" }, rows))
  end
  sections("next")
  if report then
    add(say(t("Approved by") .. ": " .. name_of(report.approved_by.person), "note"))
  else
    add(say(t("Not approved yet: do not send."), "strong"))
  end
  add({ type = "signature", label = t("Teacher") })
  return blocks
end

reports["progress_graph"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local blocks = { title(name_of(parameters.student)) }
  for goal, list in pairs(by_goal(needs.points)) do
    local rows = array()
    for _, point in ipairs(list) do
      rows[#rows + 1] = { point.date, point.value, point.of or "", point.unit,
                          t(point.prompt_level or "") }
    end
    blocks[#blocks + 1] = progress_chart(t, goal, list)
    blocks[#blocks + 1] = grid(t, { "Date", ">Value", ">Most", "Unit", "Help given" }, rows)
  end
  return blocks
end
