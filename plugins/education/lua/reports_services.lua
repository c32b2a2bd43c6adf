-- Reports about special education: services, sessions, who may give them.

local common = require "common"
local active, bare, by_time, contains, day_of, listed, live, minutes_between, percent, same =
  common.active, common.bare, common.by_time, common.contains, common.day_of, common.listed,
  common.live, common.minutes_between, common.percent, common.same
local services = require "services"
local delivered, missed, monday_of = services.delivered, services.missed, services.monday_of
local qualification = require "qualification"
local qualified = qualification.qualified
local report_words = require "report_words"
local words = report_words.words
local report_parts = require "report_parts"
local clock_time, grid, named, namer, ranged, say, sorted_by, title =
  report_parts.clock_time, report_parts.grid, report_parts.named, report_parts.namer,
  report_parts.ranged, report_parts.say, report_parts.sorted_by, report_parts.title

-- Weeks from Monday to Sunday that begin in the range and that the service runs through.
reports["iep_minutes"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local rows = array()
  local services = live(needs.services)
  sorted_by(services, function(one) return name_of(one.student) .. "\1" .. one.service end)
  for _, service in ipairs(services) do
    if not parameters.student or same(parameters.student, service.student) then
      local prescribed, given, short = 0, 0, 0
      local why = { absent = 0, cancelled = 0, staff = 0, other = 0, total = 0 }
      local first = service.from > parameters.from and service.from or parameters.from
      local last = service.to and service.to < parameters.to and service.to or parameters.to
      local monday = monday_of(first)
      if monday < first and first <= last then monday = date.add(monday, 7) end
      while first <= last and date.add(monday, 4) <= last do
        local friday, sunday = date.add(monday, 4), date.add(monday, 6)
        local runs = active(service.from, service.to, monday)
          and active(service.from, service.to, friday)
          and not listed(config.weeks_without_service, monday)
        if runs then
          local from = instant.at(monday, "00:00", context.zone)
          local to = instant.at(date.add(sunday, 1), "00:00", context.zone)
          local minutes = delivered(needs.sessions, service, from, to)
          local reasons = missed(needs.missed, service, monday, sunday)
          for reason, sum in pairs(reasons) do why[reason] = why[reason] + sum end
          prescribed, given = prescribed + service.minutes_per_week, given + minutes
          short = short + math.max(0, service.minutes_per_week - minutes - reasons.total)
        end
        monday = date.add(monday, 7)
      end
      rows[#rows + 1] = { name_of(service.student), service.service, name_of(service.para),
                          prescribed, given, why.absent, why.cancelled, why.staff, why.other,
                          short, percent(given, prescribed) }
    end
  end
  return {
    title(t("Service")),
    say(parameters.from .. " - " .. parameters.to, "note"),
    grid(t, { "Student", "Service", "Aide", ">Prescribed", ">Delivered", ">Missed: absent",
              ">Missed: cancelled", ">Missed: staff", ">Missed: other", ">Missed: no reason",
              ">Percent" }, rows),
  }
end

reports["special_education"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local day = parameters.on or day_of(context.now, context)
  local rows, sums, students, seen = array(), {}, 0, {}
  local placements = live(needs.placements)
  sorted_by(placements, function(one) return name_of(one.student) end)
  for _, one in ipairs(placements) do
    if active(one.begin, one["end"], day) then
      local setting = one.setting or t("not given")
      local sum = sums[setting] or { setting, 0, "0" }
      sums[setting] = sum
      if not seen[bare(one.student)] then students = students + 1 end
      seen[bare(one.student)] = true
      sum[2] = sum[2] + 1
      sum[3] = decimal.add(sum[3], one.hours_per_week or "0")
      local note = ""
      if one.iep_review and one.iep_begin and one.iep_review < one.iep_begin then
        note = "review is before the IEP begins"
      elseif one.iep_review and one.iep_review < day then
        note = "review overdue"
      end
      rows[#rows + 1] = { name_of(one.student), setting, one.hours_per_week or "",
                          one.iep_begin or "", one.iep_review or "", one.iep_end or "", t(note) }
    end
  end
  local by_setting = array()
  for _, sum in pairs(sums) do by_setting[#by_setting + 1] = sum end
  return {
    title(t("Placements")),
    say(day .. ": " .. t("Students") .. " " .. students, "note"),
    title(t("By setting"), 2),
    grid(t, { "Setting", ">Students", ">Hours a week" }, by_setting),
    title(t("Placements"), 2),
    grid(t, { "Student", "Setting", ">Hours a week", "IEP from", "IEP review", "IEP to", "Note" },
         rows),
  }
end

reports["session_log"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local rows, weeks, single = array(), {}, 0
  for _, session in ipairs(by_time(ranged(needs.sessions, "from", parameters, context), "from")) do
    local fits = (not parameters.setting or session.setting == parameters.setting)
      and (not parameters.student or contains(session.students, parameters.student))
      and (not parameters.para or same(session.para, parameters.para))
      and (not parameters.one_to_one or session.group_size == 1)
    if fits then
      local day, minutes = day_of(session.from, context), minutes_between(session.from, session.to)
      -- A log about one student names no other.
      local group = parameters.student and name_of(parameters.student)
        or named(session.students, name_of)
      rows[#rows + 1] = { day, clock_time(session.from, context), clock_time(session.to, context),
                          minutes, t(session.setting), group, session.group_size,
                          session.goal or session.activity or "", name_of(session.para),
                          name_of(session.teacher), clock_time(session.picked_up_at, context) }
      if session.group_size == 1 then single = single + minutes end
      local key = (session.class or session.setting) .. "\1" .. monday_of(day)
      local sum = weeks[key] or { session.class or t(session.setting), monday_of(day), 0 }
      weeks[key], sum[3] = sum, sum[3] + minutes
    end
  end
  local by_week = array()
  for _, sum in pairs(weeks) do by_week[#by_week + 1] = sum end
  return {
    title(t("Service")),
    grid(t, { "Date", "From", "To", ">Minutes", "Setting", "Students", ">Group", "Activity", "Aide",
              "Teacher", "Picked up" }, rows),
    say(t("One-to-one minutes") .. ": " .. single),
    title(t("Minutes of support by class and week"), 2),
    grid(t, { "Class", "Week", ">Minutes" }, by_week),
  }
end

-- Why somebody may instruct or may not, in the words of the columns.
local function why_qualified(status)
  if not config.title_i then return true, "no Title I program" end
  if not status.secondary then return false, "no secondary diploma" end
  if status.degree then return true, "degree" end
  if status.test then return true, "assessment passed" end
  if status.enough then return true, "two years of study" end
  return false, "hours are missing"
end

reports["qualification_status"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local rows, seen = array(), {}
  local function by_person(list)
    local index = {}
    for _, one in ipairs(list) do
      local id = bare(one.person)
      index[id] = index[id] or {}
      table.insert(index[id], one)
    end
    return index
  end
  local educations, assessments = by_person(needs.educations), by_person(needs.assessments)
  for _, role in ipairs(sorted_by(live(needs.roles), function(one) return name_of(one.person) end)) do
    local id = bare(role.person)
    local asked = not parameters.person or same(parameters.person, id)
    if asked and not seen[id] and listed(config.support_roles, role.role)
      and active(role.from, role.to, parameters.on) then
      seen[id] = true
      local status = qualified(educations[id] or {}, assessments[id] or {}, parameters.on)
      local good, why = why_qualified(status)
      local hours = status.hours .. " / " .. status.wanted
      rows[#rows + 1] = { name_of(id), t("instruction"), t(status.secondary and "yes" or "no"),
                          hours, status.degree or "", status.test or "", t(good and "yes" or "no"),
                          t(why) }
      rows[#rows + 1] = { name_of(id), t("other duties"), t(status.secondary and "yes" or "no"),
                          hours, status.degree or "", status.test or "", t("yes"), t("exempt") }
    end
  end
  return {
    title(t("Qualification")),
    say(parameters.on, "note"),
    grid(t, { "Person", "Duty class", "Diploma", ">Hours of study", "Degree", "Assessment",
              "Qualified", "Why" }, rows),
  }
end
