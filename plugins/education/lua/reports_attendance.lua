-- The attendance summary.

local common = require "common"
local bare, listed, live, percent, same =
  common.bare, common.listed, common.live, common.percent, common.same
local attendance = require "attendance"
local ABSENT, meaning = attendance.ABSENT, attendance.meaning
local report_words = require "report_words"
local words = report_words.words
local report_parts = require "report_parts"
local count_school_days, grid, keys_of, namer, say, title =
  report_parts.count_school_days, report_parts.grid, report_parts.keys_of, report_parts.namer,
  report_parts.say, report_parts.title

-- Attendance: a day with two different codes counts for neither until a person has settled it.
local function days_of_student(events)
  local days = {}
  for _, event in ipairs(events) do
    local seen = days[event.date]
    local code = meaning(event.code)
    if not seen then
      days[event.date] = { code = code, codes = { event.code } }
    elseif not listed(seen.codes, event.code) then
      seen.codes[#seen.codes + 1] = event.code
      if seen.code ~= code then seen.conflict = true end
    end
  end
  return days
end

reports["attendance_summary"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local from, to = parameters.from, parameters.to
  local events, enrolled, cache = {}, {}, {}
  local function days(first, last)
    local key = first .. last
    cache[key] = cache[key] or count_school_days(first, last)
    return cache[key]
  end
  for _, role in ipairs(live(needs.enrolments)) do
    local first = role.from and role.from > from and role.from or from
    local last = role.to and role.to < to and role.to or to
    local here = not parameters.school or bare(role.site) == bare(parameters.school)
    local id = bare(role.person)
    if here and first <= last then
      enrolled[id] = math.max(enrolled[id] or 0, days(first, last))
    end
  end
  for _, event in ipairs(live(needs.events)) do
    local here = not parameters.school or not event.school or event.school == parameters.school
    if event.scope == "day" and here then
      local id = bare(event.student)
      events[id] = events[id] or {}
      table.insert(events[id], event)
      enrolled[id] = enrolled[id] or days(from, to)
    end
  end
  local ids = keys_of(enrolled)
  table.sort(ids, function(a, b)
    local first, second = name_of(a), name_of(b)
    if first ~= second then return first < second end
    return a < b
  end)
  local order = { "Excused Absence", "Unexcused Absence", "Tardy", "Early departure", "Partial" }
  local rows, conflicts, total = array(), array(), { 0, 0, 0, 0, 0, present = 0, days = 0 }
  for _, id in ipairs(ids) do
    if not parameters.student or same(parameters.student, id) then
      local sums, open, away = {}, 0, 0
      for i in ipairs(order) do sums[i] = 0 end
      for day, seen in pairs(days_of_student(events[id] or {})) do
        if seen.conflict then
          open = open + 1
          table.sort(seen.codes)
          conflicts[#conflicts + 1] = { name_of(id), day, table.concat(seen.codes, ", ") }
        else
          for i, code in ipairs(order) do
            if seen.code == code then sums[i] = sums[i] + 1 end
          end
          if ABSENT[seen.code] then away = away + 1 end
        end
      end
      local counted = enrolled[id] - open
      local present = math.max(0, counted - away)
      rows[#rows + 1] = { name_of(id), enrolled[id], present, sums[1], sums[2], sums[3], sums[4],
                          sums[5], percent(present, counted), open }
      for i in ipairs(order) do total[i] = total[i] + sums[i] end
      total.present, total.days = total.present + present, total.days + counted
    end
  end
  rows[#rows + 1] = { t("in all"), total.days, total.present, total[1], total[2], total[3],
                      total[4], total[5], percent(total.present, total.days), #conflicts }
  local list = { "Student", ">Days enrolled", ">Present", ">Excused Absence", ">Unexcused Absence",
                 ">Tardy", ">Early departure", ">Partial", ">Percent", ">Open conflicts" }
  local blocks = { title(t("Attendance")), say(from .. " - " .. to, "note"), grid(t, list, rows) }
  if #conflicts > 0 then
    blocks[#blocks + 1] = title(t("Two codes for one day"), 2)
    blocks[#blocks + 1] = grid(t, { "Student", "Date", "Codes" }, conflicts)
  end
  return blocks
end
