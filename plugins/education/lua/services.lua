-- IEP services and sessions: EDU-R05, R06, R08.

local common = require "common"
local active, before, by_time, contains, day_of, earlier, has_role, later, listed, live,
  minutes_between, others, roles_on, same =
  common.active, common.before, common.by_time, common.contains, common.day_of, common.earlier,
  common.has_role, common.later, common.listed, common.live, common.minutes_between,
  common.others, common.roles_on, common.same

-- Whether a session delivers a service: it names it, or it is the same aide and names none.
local function delivers(session, service)
  if not contains(session.students, service.student) then return false end
  if session.assignment then return same(session.assignment, service._id) end
  if session.service then return session.service == service.service end
  return same(session.para, service.para)
end

-- Minutes of the sessions between two instants; time in two sessions at once counts once.
local function delivered(sessions, service, from, to)
  local spans = {}
  for _, session in ipairs(live(sessions)) do
    if delivers(session, service) and instant.overlap(session.from, session.to, from, to) > 0 then
      spans[#spans + 1] = { _id = session._id, from = later(session.from, from),
                            to = earlier(session.to, to) }
    end
  end
  local total, reached = 0, nil
  for _, span in ipairs(by_time(spans, "from")) do
    local start = reached and later(span.from, reached) or span.from
    if before(start, span.to) then
      total = total + minutes_between(start, span.to)
      reached = span.to
    end
  end
  return total
end

-- Minutes that were written down as missed, by reason, for dates in [first, last].
local function missed(list, service, first, last)
  local by = { absent = 0, cancelled = 0, staff = 0, other = 0, total = 0 }
  for _, one in ipairs(live(list)) do
    if same(one.assignment, service._id) and first <= one.date and one.date <= last then
      by[one.reason] = by[one.reason] + one.minutes
      by.total = by.total + one.minutes
    end
  end
  return by
end

local function monday_of(day) return date.add(day, 1 - date.weekday(day)) end

-- The last week that is over, if the service ran through all of it and school was held.
rules["EDU-R05.week"] = function(service, needs, context)
  local monday = date.add(monday_of(day_of(context.now, context)), -7)
  local sunday = date.add(monday, 6)
  if not active(service.from, service.to, monday) then return nil end
  if not active(service.from, service.to, date.add(monday, 4)) then return nil end
  if listed(config.weeks_without_service, monday) then return nil end
  local from = instant.at(monday, "00:00", context.zone)
  local to = instant.at(date.add(sunday, 1), "00:00", context.zone)
  local given = delivered(needs.sessions, service, from, to)
  local short = service.minutes_per_week - given
  if short <= 0 then return nil end
  local why = missed(needs.missed, service, monday, sunday)
  local values = { prescribed = service.minutes_per_week, given = given, short = short,
                   week = monday, absent = why.absent, cancelled = why.cancelled,
                   staff = why.staff, other = why.other,
                   unexplained = math.max(0, short - why.total) }
  return { code = why.total >= short and "short_with_reason" or "short", values = values,
           path = "/minutes_per_week" }
end

rules["EDU-R05"] = function(session, needs, context)
  local found = array()
  local day = day_of(session.from, context)
  for _, service in ipairs(live(needs.services)) do
    if service.max_group and active(service.from, service.to, day)
      and delivers(session, service) and session.group_size > service.max_group then
      found[#found + 1] = { code = "group_too_large", path = "/group_size",
                            records = { service._id },
                            values = { size = session.group_size, most = service.max_group } }
    end
  end
  return found
end

rules["EDU-R06.form"] = function(session)
  if not before(session.from, session.to) then return { code = "no_window", path = "/to" } end
  if session.group_size ~= #session.students then
    return { code = "group_size", path = "/group_size",
             values = { size = session.group_size, named = #session.students } }
  end
end

rules["EDU-R06"] = function(session, needs, context)
  local found = array()
  for _, other in ipairs(others(session, needs.others)) do
    local shared = instant.overlap(session.from, session.to, other.from, other.to)
    if shared > 0 and (session.group_size == 1 or other.group_size == 1) then
      found[#found + 1] = { code = "one_to_one_overlap", records = { other._id },
                            values = { minutes = shared } }
    end
  end
  if not session.billable then return found end
  for _, field in ipairs({ "service", "place", "supervisor" }) do
    if not session[field] then
      found[#found + 1] = { code = "bill_lacks_" .. field, path = "/" .. field }
    end
  end
  local day = day_of(session.from, context)
  for _, role in ipairs(live(needs.roles)) do
    if listed(config.federal_funds, role.funding) and active(role.from, role.to, day) then
      found[#found + 1] = { code = "federal_funds", path = "/billable", records = { role._id } }
    end
  end
  return found
end

-- Minutes of [from, to) that no shift covers.
local function uncovered(shifts, from, to)
  local reached, open = from, 0
  for _, shift in ipairs(by_time(shifts, "from")) do
    if before(reached, to) and before(reached, shift.to) and before(shift.from, to) then
      if before(reached, shift.from) then open = open + minutes_between(reached, shift.from) end
      reached = shift.to
    end
  end
  if before(reached, to) then open = open + minutes_between(reached, to) end
  return open
end

rules["EDU-R08"] = function(session, needs, context)
  local found = array()
  local day = day_of(session.from, context)
  local held = roles_on(needs.roles, session.teacher, day)
  local teaches = has_role(needs.roles, session.teacher, day, config.teacher_roles)
  if same(session.teacher, session.para) and not teaches then
    found[#found + 1] = { code = "own_teacher", path = "/teacher" }
  elseif #held > 0 and not teaches then
    found[#found + 1] = { code = "not_a_teacher", path = "/teacher" }
  end
  local there = {}
  for _, shift in ipairs(live(needs.shifts)) do
    local here = not session.school or not shift.site or session.school == shift.site
    if shift.kind ~= "travel" and here then there[#there + 1] = shift end
  end
  -- A school that does not keep its teachers' shifts is not told that they are away.
  if #live(needs.shifts) > 0 or config.teacher_shifts_kept then
    local away = uncovered(there, session.from, session.to)
    if away > 0 then
      found[#found + 1] = { code = "teacher_away", path = "/teacher", values = { minutes = away } }
    end
  end
  if needs.lesson and same(needs.lesson.teacher, session.para) and not teaches then
    found[#found + 1] = { code = "own_lesson_plan", path = "/lesson_plan",
                          records = { needs.lesson._id } }
  end
  if session.setting == "after_class" and not session.picked_up_at then
    found[#found + 1] = { code = "no_pickup", path = "/picked_up_at", severity = "warn" }
  end
  return found
end

return { delivered = delivered, missed = missed, monday_of = monday_of }
