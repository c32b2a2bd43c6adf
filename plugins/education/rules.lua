-- Education: rules EDU-R01 to EDU-R16 and EDU-S01 to EDU-S05, completions and reports.
--
-- A rule judges as of the time of the act. Two records that disagree both stay; a finding that
-- names both is the same finding whichever of the two was judged.

-- Small helpers --------------------------------------------------------------------------------

-- "p1" of an id that may name its space, "district/p1".
local function bare(id)
  return id and (id:match("([^/]+)$") or id)
end

local function same(a, b)
  return a ~= nil and b ~= nil and bare(a) == bare(b)
end

local function contains(list, id)
  for _, each in ipairs(list or {}) do
    if same(each, id) then return true end
  end
  return false
end

local function listed(list, word)
  for _, each in ipairs(list or {}) do
    if each == word then return true end
  end
  return false
end

-- Records that count: what was entered in error does not.
local function live(list)
  local kept = {}
  for _, record in ipairs(list or {}) do
    if record._status ~= "retracted" then kept[#kept + 1] = record end
  end
  return kept
end

local function others(record, list)
  local kept = {}
  for _, other in ipairs(live(list)) do
    if other._id ~= record._id then kept[#kept + 1] = other end
  end
  return kept
end

local function before(a, b) return instant.compare(a, b) < 0 end
local function earlier(a, b) return before(a, b) and a or b end
local function later(a, b) return before(a, b) and b or a end

local function by_time(list, field)
  table.sort(list, function(a, b)
    local order = instant.compare(a[field], b[field])
    if order ~= 0 then return order < 0 end
    return a._id < b._id
  end)
  return list
end

local function day_of(at, context) return date.of(at, context.zone) end

-- The local day as two instants: 23 or 25 hours where clocks change.
local function whole_day(day, context)
  return instant.at(day, "00:00", context.zone),
    instant.at(date.add(day, 1), "00:00", context.zone)
end

local function active(from, to, day)
  return (not from or from <= day) and (not to or day <= to)
end

-- Minutes as a whole number (rounded down), for messages and tables.
local function minutes_between(from, to)
  return math.floor(instant.minutes(from, to))
end

local function percent(part, whole)
  if whole == 0 then return "" end
  return decimal.div(tostring(part * 100), tostring(whole), 1)
end

local function word_in(folded, name)
  return name ~= "" and (" " .. folded .. " "):find(" " .. name .. " ", 1, true) ~= nil
end

-- Roles that a person has on a day.
local function roles_on(roles, person, day)
  local found = {}
  for _, role in ipairs(live(roles)) do
    if (person == nil or same(role.person, person)) and active(role.from, role.to, day) then
      found[#found + 1] = role.role
    end
  end
  return found
end

local function has_role(roles, person, day, wanted)
  for _, role in ipairs(roles_on(roles, person, day)) do
    if listed(wanted, role) then return true end
  end
  return false
end

-- Attendance: EDU-R01, EDU-R02, EDU-R16 --------------------------------------------------------

local ABSENT = { ["Excused Absence"] = true, ["Unexcused Absence"] = true }

-- What other systems recorded is taken in as it is and told, not refused.
local function of_import(record)
  return record._source == "imported" and "needs_review" or nil
end

rules["EDU-R01.form"] = function(event)
  if event.code == "Tardy" and not event.arrived then
    return { code = "no_arrival", path = "/arrived", severity = of_import(event) }
  end
  if event.code == "Early departure" and not event.left then
    return { code = "no_leaving", path = "/left", severity = of_import(event) }
  end
end

-- "In Attendance" and "Present" say the same.
local function meaning(code)
  return code == "In Attendance" and "Present" or code
end

local function same_slot(a, b)
  return a.scope == b.scope
    and a.class == b.class
    and a.period == b.period
    and (not a.school or not b.school or a.school == b.school)
end

rules["EDU-R01"] = function(event, needs)
  local found = array()
  for _, other in ipairs(others(event, needs.others)) do
    if same_slot(event, other) and meaning(event.code) ~= meaning(other.code) then
      local first, second = event.code, other.code
      if second < first then first, second = second, first end
      found[#found + 1] = {
        code = "two_codes",
        records = { other._id },
        values = { first = first, second = second, date = event.date },
      }
    end
  end
  return found
end

-- From when to when a period of the day lasts, by the school's bell schedule; nothing if the
-- schedule does not name it.
local function bell(event, context)
  local times = event.period and config.bell_schedule[event.period]
  if not times then return nil end
  return instant.at(event.date, times.from, context.zone),
    instant.at(event.date, times.to, context.zone)
end

-- The spans of time in which an attendance event says that the student was not there.
local function absent_spans(event, context)
  local from, to
  if event.scope == "day" then
    from, to = whole_day(event.date, context)
  else
    from, to = bell(event, context)
  end
  if not from then return {} end
  if ABSENT[event.code] then return { { from, to } } end
  local spans = {}
  local late = event.code == "Tardy" or event.code == "Partial"
  local early = event.code == "Early departure" or event.code == "Partial"
  if late and event.arrived then spans[#spans + 1] = { from, event.arrived } end
  if early and event.left then spans[#spans + 1] = { event.left, to } end
  return spans
end

-- A moment is taken as a span of no length; it lies in [from, to).
local function within(span, record)
  local from, to = record.from or record.at, record.to
  if record.from and to then return instant.overlap(span[1], span[2], from, to) > 0 end
  return not before(from, span[1]) and before(from, span[2])
end

local function against_absence(event, act, context)
  for _, span in ipairs(absent_spans(event, context)) do
    if within(span, act) then return true end
  end
  return false
end

-- Judged from both sides: the attendance event and what speaks against it.
rules["EDU-R02"] = function(record, needs, context)
  local found = array()
  local function check(event, act)
    if not against_absence(event, act, context) then return end
    local other = record == event and act or event
    found[#found + 1] = {
      code = "absent",
      records = { other._id },
      values = { code = event.code, at = instant.in_zone(act.from or act.at, context.zone) },
    }
  end
  if record._kind == "education.attendance_event" then
    for _, name in ipairs({ "sessions", "observations", "abc_events", "strategies", "tests",
                            "counts", "doses" }) do
      for _, act in ipairs(live(needs[name])) do
        -- A dose that was not given says nothing about where the student was.
        if name ~= "doses" or act.status == "completed" then check(record, act) end
      end
    end
    return found
  end
  for _, name in ipairs({ "absences_from", "absences_at", "absences_of", "absences_seen" }) do
    for _, event in ipairs(live(needs[name])) do check(event, record) end
  end
  return found
end

-- Where and when a record says that the student was present; nothing where it does not say.
local function presence(record, context)
  if record._kind == "education.support_session" then
    if not record.school then return nil end
    return { place = record.school, from = record.from, to = record.to }
  end
  if ABSENT[record.code] then return nil end
  local place = record.school or record._space
  local from, to
  if record.scope == "day" then
    from, to = whole_day(record.date, context)
    return { place = place, from = record.arrived or from, to = record.left or to }
  end
  from, to = bell(record, context)
  from = record.arrived or from
  if not from then return nil end
  to = record.left or to or instant.add_minutes(from, config.class_minutes)
  return { place = place, from = from, to = to }
end

rules["EDU-R16"] = function(record, needs, context)
  local here = presence(record, context)
  if not here then return nil end
  local found = array()
  for _, name in ipairs({ "events", "sessions", "events_of", "sessions_of" }) do
    for _, other in ipairs(others(record, needs[name])) do
      local there = presence(other, context)
      local shared = there
        and there.place ~= here.place
        and instant.overlap(here.from, here.to, there.from, there.to)
      if shared and shared > 0 then
        local first, second = here.place, there.place
        if second < first then first, second = second, first end
        found[#found + 1] = {
          code = "two_schools",
          records = { other._id },
          values = { first = first, second = second, minutes = shared },
        }
      end
    end
  end
  return found
end

-- Behavior: EDU-R03, EDU-R04, EDU-S03 ----------------------------------------------------------

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

-- IEP services and sessions: EDU-R05 to EDU-R08 ------------------------------------------------

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

-- The rule of a state for "two years of study" on a day: the newest that is in force.
local function two_years(day)
  local best
  for _, rule in ipairs(config.title_i_rules) do
    local fits = rule.state == config.state or rule.state == "*"
    local better = not best or (best.state == "*" and rule.state ~= "*")
      or (best.state == rule.state and best.effective_from < rule.effective_from)
    if fits and rule.effective_from <= day and better then best = rule end
  end
  return best
end

local DEGREES = { associate = true, bachelor = true, master = true }

-- 34 CFR 200.58: a secondary diploma or equivalent, and study, a degree or an assessment.
local function qualified(educations, assessments, day)
  local rule = two_years(day)
  local status = { secondary = false, hours = "0", enough = false,
                   wanted = rule and rule.hours or "48" }
  for _, one in ipairs(live(educations)) do
    if one.on <= day then
      if one.level == "secondary" then
        status.secondary = true
      elseif DEGREES[one.level] and (one.kind or "degree") == "degree" then
        status.secondary, status.enough, status.degree = true, true, one.level
      elseif one.hours then
        status.hours = decimal.add(status.hours, one.hours)
      end
    end
  end
  if decimal.compare(status.hours, status.wanted) >= 0 then status.enough = true end
  for _, one in ipairs(live(assessments)) do
    local cut = rule and rule.cut_scores and rule.cut_scores[one.name]
    local good = one.passed
    if cut and one.score then good = decimal.compare(one.score, cut) >= 0 end
    if good and one.on <= day then status.enough, status.test = true, one.name end
  end
  return status
end

rules["EDU-R07"] = function(record, needs, context)
  if not config.title_i then return nil end
  local person, path, day
  if record._kind == "core.duty" then
    if not listed(config.instructional_categories, record.category) then return nil end
    person, path, day = record.assignee, "/assignee", record.due or record.occurrence_date
  else
    person, path, day = record.para, "/para", record.from
  end
  if not person or not day then return nil end
  if #day > 10 then day = day_of(day, context) end
  for _, name in ipairs({ "roles_para", "roles_assignee" }) do
    if has_role(needs[name], person, day, config.teacher_roles) then return nil end
  end
  local educations, assessments = needs.education_para, needs.assessments_para
  if record._kind == "core.duty" then
    educations, assessments = needs.education_assignee, needs.assessments_assignee
  end
  if #live(educations) == 0 and #live(assessments) == 0 then
    return { code = "nothing_on_file", path = path, severity = "warn" }
  end
  local status = qualified(educations, assessments, day)
  if not status.secondary then return { code = "no_secondary", path = path } end
  if not status.enough then
    return { code = "not_qualified", path = path,
             values = { hours = status.hours, wanted = status.wanted } }
  end
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

-- Supervision: EDU-R09, EDU-R10 ----------------------------------------------------------------

-- Boarded less those who were released with a signature by then.
local function expected_on(trip, at)
  local boarded = trip.boarded and #trip.boarded > 0 and trip.boarded or trip.roster
  local gone = 0
  for _, one in ipairs(trip.released or {}) do
    local signed = one.sig and not before(at, one.at)
    if signed and contains(boarded, one.student) then gone = gone + 1 end
  end
  return #boarded - gone
end

rules["EDU-R09"] = function(count, needs)
  local found = array()
  if count.counted ~= count.expected then
    found[#found + 1] = { code = "mismatch", path = "/counted",
                          values = { counted = count.counted, expected = count.expected,
                                     difference = math.abs(count.expected - count.counted) } }
  end
  local trip = needs.trip
  if not trip or trip._status == "retracted" then return found end
  local expected = expected_on(trip, count.at)
  if expected ~= count.expected then
    found[#found + 1] = { code = "wrong_expected", path = "/expected", records = { trip._id },
                          values = { expected = count.expected, by_roster = expected } }
  end
  local last
  for _, other in ipairs(others(count, needs.others)) do
    if before(other.at, count.at) and (not last or before(last.at, other.at)) then last = other end
  end
  local since = last and last.at or trip.leave
  local gap = minutes_between(since, count.at)
  if gap > config.headcount_minutes then
    found[#found + 1] = { code = "late", severity = "warn", path = "/at",
                          records = { last and last._id or trip._id },
                          values = { minutes = gap, most = config.headcount_minutes } }
  end
  return found
end

-- While the trip is out: a count is due.
rules["EDU-R09.due"] = function(trip, needs, context)
  if before(context.now, trip.leave) then return nil end
  local counts = by_time(live(needs.counts), "at")
  if not before(context.now, trip["return"]) then
    if #counts == 0 then return { code = "never_counted" } end
    return nil
  end
  local last = #counts > 0 and counts[#counts].at or trip.leave
  local gap = minutes_between(last, context.now)
  if gap > config.headcount_minutes then
    return { code = "due", values = { minutes = gap, most = config.headcount_minutes } }
  end
end

local function ratio_of(post)
  return post.ratio_max or config.students_per_adult[post.place]
end

rules["EDU-R10"] = function(post)
  local expected, adults, most = post.students_expected or 0, #(post.staff or {}), ratio_of(post)
  if adults == 0 then
    return { code = "nobody", path = "/staff", values = { students = expected } }
  end
  if most and expected > most * adults then
    return { code = "too_many", path = "/students_expected",
             values = { students = expected, adults = adults, most = most,
                        each = decimal.div(tostring(expected), tostring(adults), 1) } }
  end
end

-- Tests and grading: EDU-R11, EDU-R12 ----------------------------------------------------------

-- First day of the school year that a day lies in.
local function year_start(day)
  local start = day:sub(1, 5) .. config.school_year_starts
  return start <= day and start or date.add(start, -1, "year")
end

local function trained(trainings, person, day)
  for _, one in ipairs(live(trainings)) do
    if same(one.person, person) and listed(config.test_training_courses, one.course)
      and one.passed ~= false and year_start(day) <= one.on and one.on <= day
      and (not one.valid_through or day <= one.valid_through) then
      return true
    end
  end
  return false
end

rules["EDU-R11"] = function(session, needs, context)
  local found = array()
  if not trained(needs.administrator_training, session.administrator, session.date) then
    found[#found + 1] = { code = "untrained", path = "/administrator" }
  end
  for i, proctor in ipairs(session.proctors or {}) do
    if not trained(needs.proctor_training, proctor, session.date) then
      found[#found + 1] = { code = "untrained_proctor", path = "/proctors",
                            values = { proctor = bare(proctor), place = i } }
      break
    end
  end
  local signed = session.security_agreement
  if not same(signed.person, session.administrator) then
    found[#found + 1] = { code = "agreement_of_other", path = "/security_agreement" }
  end
  if before(session.from, signed.at) or day_of(signed.at, context) < year_start(session.date) then
    found[#found + 1] = { code = "agreement_date", path = "/security_agreement" }
  end
  -- Once the sheet is final, every planned accommodation has an entry.
  if session._status ~= "final" then return found end
  for _, plan in ipairs(live(needs.plans)) do
    local seen = not active(plan.from, plan.to, session.date)
    for _, use in ipairs(live(needs.uses)) do
      if same(use.student, plan.student) and use.accommodation == plan.accommodation then
        seen = true
      end
    end
    if not seen then
      found[#found + 1] = { code = "no_entry", records = { plan._id },
                            values = { accommodation = plan.accommodation } }
    end
  end
  return found
end

local function plan_for(use, plans)
  for _, plan in ipairs(live(plans)) do
    if plan.accommodation == use.accommodation and same(plan.student, use.student) then
      return plan
    end
  end
end

-- Base x factor, rounded up to the minute; nothing where one of them is not known.
local function extended(use, needs)
  local plan = plan_for(use, needs.plans)
  local base = use.base_minutes or needs.session and needs.session.base_minutes
  local factor = use.factor or plan and plan.factor
  if not base or not factor then return nil end
  return math.tointeger(tonumber(decimal.round(decimal.mul(tostring(base), factor), 0, "up")))
end

complete["education.accommodation_use"] = function(use, needs)
  local minutes = extended(use, needs)
  if not minutes then return {} end
  -- What a person wrote stays; EDU-R11.use tells that it differs.
  return { minutes_computed = minutes, minutes_allowed = use.minutes_allowed or minutes }
end

rules["EDU-R11.use"] = function(use, needs)
  local found = array()
  local plan = plan_for(use, needs.plans)
  local some = #live(needs.plans) > 0
  if use.given and (not use.planned or (some and not plan)) then
    found[#found + 1] = { code = "unplanned", path = "/given",
                          values = { accommodation = use.accommodation } }
  end
  if use.planned and not use.given then
    found[#found + 1] = { code = "not_given", path = "/given",
                          severity = use.not_given_reason and "warn" or nil,
                          values = { accommodation = use.accommodation } }
  end
  local minutes = extended(use, needs)
  if minutes and use.minutes_allowed and use.minutes_allowed ~= minutes then
    found[#found + 1] = { code = "minutes_changed", path = "/minutes_allowed",
                          values = { allowed = use.minutes_allowed, computed = minutes } }
  end
  -- The plan may have come after the entry, which then had no time filled in.
  local allowed = use.minutes_allowed or minutes
  if allowed and use.minutes_used and use.minutes_used > allowed then
    found[#found + 1] = { code = "over_time", path = "/minutes_used",
                          values = { used = use.minutes_used, allowed = allowed } }
  end
  if use.scribe and use.verbatim ~= true then
    found[#found + 1] = { code = "not_verbatim", path = "/verbatim" }
  end
  return found
end

rules["EDU-R12.form"] = function(item)
  local below = decimal.compare(item.score, "0") < 0
  if below or decimal.compare(item.score, item.max) > 0 then
    return { code = "out_of_range", path = "/score",
             values = { score = item.score, max = item.max } }
  end
end

rules["EDU-R12"] = function(item, needs, context)
  local found = array()
  local ids, versions, seen = {}, {}, { [item.key_version] = true }
  for _, other in ipairs(others(item, needs.others)) do
    if other.class == item.class then
      ids[#ids + 1] = other._id
      seen[other.key_version] = true
    end
  end
  for version in pairs(seen) do versions[#versions + 1] = version end
  if #versions > 1 then
    found[#found + 1] = { code = "mixed_keys", records = ids,
                          values = { versions = table.concat(versions, ", ") } }
  end
  local approved = item.approved_by
  if item.counts and not approved then
    found[#found + 1] = { code = "not_approved", path = "/counts" }
  end
  if approved then
    local day = day_of(approved.at, context)
    local held = roles_on(needs.roles, approved.person, day)
    local teaches = has_role(needs.roles, approved.person, day, config.teacher_roles)
    if (same(approved.person, item.graded_by) or #held > 0) and not teaches then
      found[#found + 1] = { code = "approver", path = "/approved_by" }
    end
  end
  return found
end

-- Interpreting and families: EDU-R13 to EDU-R15 ------------------------------------------------

-- Languages by their tag, "es-MX"; rosters also write their names.
local LANGUAGES = { spanish = "es", espanol = "es", castellano = "es", spa = "es", english = "en",
                    ingles = "en", eng = "en" }

local function language(tag)
  local word = names.fold(tag:match("^[^-_ ]+") or tag)
  return LANGUAGES[word] or word
end

local function speaks(person, tag)
  for _, each in ipairs(person.languages or {}) do
    if language(each) == language(tag) then return true end
  end
  return false
end

rules["EDU-R13"] = function(event, needs, context)
  local found = array()
  local day = day_of(event.from, context)
  local enrolled = #live(needs.enrolments) > 0 or event.relation == "student"
    or event.relation == "sibling" or has_role(needs.roles, nil, day, { "student" })
  if enrolled then found[#found + 1] = { code = "student_interprets", path = "/interpreter" } end
  if event.setting == "IEP_meeting" and not event.qualified then
    found[#found + 1] = { code = "not_qualified", path = "/qualified" }
  end
  if not event.confidentiality_ack then
    found[#found + 1] = { code = "no_confidentiality", path = "/confidentiality_ack" }
  end
  local person = needs.interpreter
  if language(event.from_lang) == language(event.to_lang) then
    found[#found + 1] = { code = "same_language", path = "/to_lang" }
  elseif person and not (speaks(person, event.from_lang) and speaks(person, event.to_lang)) then
    found[#found + 1] = { code = "pair_not_declared", path = "/interpreter",
                          values = { from = event.from_lang, to = event.to_lang } }
  end
  if event.setting == "phone" and #(event.parties or {}) < 3 then
    found[#found + 1] = { code = "parties", path = "/parties", severity = "warn",
                          values = { named = #(event.parties or {}) } }
  end
  return found
end

local function text_of(report)
  local parts = { report.plain_text or "", report.unit or "" }
  for _, section in ipairs(report.sections or {}) do
    parts[#parts + 1] = (section.heading or "") .. " . " .. (section.text or "")
  end
  return table.concat(parts, " . ")
end

-- How another student is named: "full" by given and family name or by another name on file,
-- "given" by one of the two alone, nil not at all. Staff, guardians and the student's own names may
-- be there. `lists` holds pupil_roles, pupils and everyone.
local function naming(student, lists)
  local pupils, own, others = {}, {}, {}
  for _, role in ipairs(live(lists.pupil_roles)) do pupils[bare(role.person)] = true end
  for _, pupil in ipairs(live(lists.pupils)) do pupils[bare(pupil.person)] = true end
  for _, person in ipairs(live(lists.everyone)) do
    if pupils[bare(person._id)] and not same(person._id, student) then
      others[#others + 1] = person
    else
      own[names.fold(person.given)], own[names.fold(person.family)] = true, true
    end
  end
  return function(text)
    text = names.fold(text)
    local partly
    for _, person in ipairs(others) do
      local first, last = names.fold(person.given), names.fold(person.family)
      if word_in(text, first .. " " .. last) or word_in(text, last .. " " .. first) then
        return "full"
      end
      for _, other in ipairs(person.other_names or {}) do
        local name = names.fold(other)
        if name:find(" ", 1, true) and word_in(text, name) then return "full" end
      end
      local named = (not own[first] and word_in(text, first))
        or (not own[last] and word_in(text, last))
      if named then partly = "given" end
    end
    return partly
  end
end

rules["EDU-R14"] = function(report, needs, context)
  local found = array()
  local lists = { pupil_roles = needs.pupil_roles, pupils = needs.pupils, everyone = needs.people }
  -- The name itself is left out: a finding is seen by more people than the report.
  local named = naming(report.student, lists)(text_of(report))
  if named == "full" then
    found[#found + 1] = { code = "other_student" }
  elseif named == "given" then
    found[#found + 1] = { code = "maybe_other_student", severity = "warn" }
  end
  local day = day_of(report.approved_by.at, context)
  local held = roles_on(needs.approver_roles, report.approved_by.person, day)
  if #held > 0 and not has_role(needs.approver_roles, report.approved_by.person, day,
                                config.teacher_roles) then
    found[#found + 1] = { code = "not_by_teacher", path = "/approved_by",
                          severity = "needs_review" }
  end
  local home = needs.student and needs.student[1] and needs.student[1].home_language
  if home and language(home) ~= language(report.language) then
    found[#found + 1] = { code = "language", path = "/language", severity = "needs_review",
                          values = { home = home, language = report.language } }
  end
  if report.reading_level and report.reading_level > config.reading_level_most then
    found[#found + 1] = { code = "hard_to_read", path = "/reading_level", severity = "warn",
                          values = { level = report.reading_level,
                                     most = config.reading_level_most } }
  end
  return found
end

-- 34 CFR 300.320(a)(3)(ii): as often as report cards. The newest period without a report.
rules["EDU-R14.due"] = function(service, needs, context)
  local today = day_of(context.now, context)
  local newest
  for _, period in ipairs(config.report_periods) do
    local due = date.add(period.ends, config.report_grace_days)
    local given = not active(service.from, service.to, period.ends)
    for _, report in ipairs(live(needs.reports)) do
      if report.period == period.name then given = true end
    end
    if due < today and not given and (not newest or newest.ends < period.ends) then
      newest = period
    end
  end
  if newest then
    return { code = "no_report", values = { period = newest.name, ended = newest.ends } }
  end
end

-- 34 CFR 99.32: party and legitimate interest; 99.32(d) exempts some parties.
rules["EDU-R15"] = function(disclosure, needs, context)
  if #live(needs.students) == 0 then return nil end
  if listed(config.disclosure_exempt, disclosure.legal_basis) then return nil end
  local found = array()
  for _, field in ipairs({ "to_party", "purpose", "legal_basis" }) do
    if not (disclosure[field] or ""):find("%S") then
      found[#found + 1] = { code = "no_" .. field, path = "/" .. field }
    end
  end
  for _, student in ipairs(live(needs.students)) do
    local special = listed(student.plans, "IEP")
    if special and not disclosure.at then
      found[#found + 1] = { code = "no_date", path = "/at", records = { student._id } }
    end
  end
  return found
end

-- Rules of the daily work: EDU-S01, S02, S04 to S06 ---------------------------------------------

rules["EDU-S01"] = function(event)
  if not listed(config.allowed_actions, event.action) and not event.referred_to then
    return { code = "refer", path = "/action", values = { action = event.action } }
  end
end

rules["EDU-S02"] = function(tally)
  if not before(tally.from, tally.to) then return { code = "no_window", path = "/to" } end
  if (tally.correct or 0) > tally.spoke_up then
    return { code = "more_correct", path = "/correct",
             values = { correct = tally.correct, spoke_up = tally.spoke_up } }
  end
end

rules["EDU-S04"] = function(request, needs, context)
  if request.state == "asked" then return nil end
  local decided = request.decided_by
  if not decided then return { code = "not_decided", path = "/decided_by" } end
  local day = day_of(decided.at, context)
  local teaches = has_role(needs.roles, decided.person, day, config.teacher_roles)
  if not same(decided.person, request.teacher) and not teaches then
    return { code = "not_by_teacher", path = "/decided_by" }
  end
end

rules["EDU-S05"] = function(note)
  local text = names.fold((note.text or "") .. " . " .. (note.outcome or ""))
  for _, word in ipairs(config.deficit_words) do
    if word_in(text, names.fold(word)) then
      return { code = "wording", values = { word = word } }
    end
  end
end

rules["EDU-S06"] = function(event)
  if event.type == "disruption" and event.minutes_lost == nil then
    return { code = "no_minutes", path = "/minutes_lost" }
  end
end

-- Reports --------------------------------------------------------------------------------------

-- English words of the reports with their Spanish; what is not here is shown as it is.
local ES = {
  ["Student"] = "Estudiante", ["Days enrolled"] = "Días inscrito", ["Present"] = "Presente",
  ["Percent"] = "Por ciento", ["Open conflicts"] = "Conflictos abiertos", ["Date"] = "Fecha",
  ["Attendance"] = "Asistencia", ["Codes"] = "Códigos", ["School days"] = "Días de clase",
  ["Two codes for one day"] = "Dos códigos para un día", ["Behavior"] = "Conducta",
  ["Times per hour"] = "Veces por hora", ["Rate per hour"] = "Veces por hora",
  ["From"] = "Desde", ["To"] = "Hasta", ["Minutes"] = "Minutos", ["Count"] = "Número",
  ["Observer"] = "Observa", ["Note"] = "Nota", ["not observed"] = "sin observación",
  ["overlaps, not summed"] = "se solapa, no se suma", ["second observer"] = "segundo observador",
  ["Plan from"] = "Plan desde", ["Before"] = "Antes", ["After"] = "Después", ["Hour"] = "Hora",
  ["Patterns"] = "Patrones", ["Time of day"] = "Hora del día", ["Events"] = "Sucesos",
  ["Service"] = "Servicio", ["Aide"] = "Auxiliar", ["Prescribed"] = "Previstos",
  ["Delivered"] = "Prestados", ["Missed: absent"] = "Falta: ausente",
  ["Missed: cancelled"] = "Falta: cancelado", ["Missed: staff"] = "Falta: personal",
  ["Missed: other"] = "Falta: otro", ["Missed: no reason"] = "Falta: sin motivo",
  ["Progress report"] = "Informe de progreso", ["Goal"] = "Objetivo", ["Value"] = "Valor",
  ["What helped"] = "Qué ayudó", ["What is next"] = "Qué sigue", ["Summary"] = "Resumen",
  ["What the class learns"] = "Qué aprende la clase", ["Teacher"] = "Docente",
  ["Approved by"] = "Aprobado por", ["Period"] = "Periodo", ["worked"] = "funcionó",
  ["Not approved yet: do not send."] = "Sin aprobar: no lo envíe.",
  ["Dear family,"] = "Estimada familia:", ["times"] = "veces", ["Help given"] = "Ayuda dada",
  ["this is how your child is doing."] = "así va su hijo o hija.", ["First"] = "Al inicio",
  ["Now"] = "Ahora", ["Target"] = "Meta", ["No measurements in this period."] =
    "No hay mediciones en este periodo.", ["Test"] = "Examen", ["Room"] = "Sala",
  ["Test giver"] = "Aplica el examen", ["Accommodation"] = "Adaptación", ["Planned"] = "Prevista",
  ["Given"] = "Dada", ["Minutes allowed"] = "Minutos permitidos",
  ["Minutes used"] = "Minutos usados", ["yes"] = "sí", ["no"] = "no", ["no entry"] = "sin entrada",
  ["Irregularities"] = "Irregularidades", ["none"] = "ninguna", ["Destination"] = "Destino",
  ["Leaves"] = "Salida", ["Returns"] = "Regreso", ["Consent"] = "Permiso",
  ["Phones of guardians"] = "Teléfonos de tutores", ["Allergies"] = "Alergias",
  ["Medicine"] = "Medicamento", ["Medicines"] = "Medicamentos", ["Time"] = "Hora",
  ["Head counts"] = "Recuentos", ["Expected"] = "Previstos", ["Counted"] = "Contados",
  ["Checkpoint"] = "Punto de control", ["By"] = "Por", ["Trip leader"] = "Responsable",
  ["Carried by"] = "Lo lleva", ["Staff"] = "Personal", ["Setting"] = "Entorno",
  ["Languages"] = "Idiomas", ["For whom"] = "Para quién", ["Interpreter"] = "Intérprete",
  ["Qualified"] = "Cualificado", ["Minutes in all"] = "Minutos en total", ["Place"] = "Lugar",
  ["Students expected"] = "Estudiantes previstos", ["Students per adult"] =
    "Estudiantes por adulto", ["Most"] = "Máximo",
  ["Gaps without cover"] = "Huecos sin vigilancia",
  ["over"] = "excedido", ["nobody"] = "nadie", ["Hours a week"] = "Horas por semana",
  ["IEP from"] = "IEP desde", ["IEP review"] = "Revisión del IEP", ["IEP to"] = "IEP hasta",
  ["Students"] = "Estudiantes", ["not given"] = "sin dato", ["By setting"] = "Por entorno",
  ["review is before the IEP begins"] = "la revisión es anterior al inicio",
  ["review overdue"] = "revisión vencida", ["Placements"] = "Ubicaciones", ["Type"] = "Tipo",
  ["Group"] = "Grupo", ["Activity"] = "Actividad", ["Class"] = "Clase", ["Week"] = "Semana",
  ["Picked up"] = "Recogido", ["Minutes of support by class and week"] =
    "Minutos de apoyo por clase y semana", ["One-to-one minutes"] = "Minutos individuales",
  ["Outcome"] = "Resultado", ["What was done"] = "Qué se hizo", ["Request"] = "Petición",
  ["State"] = "Estado", ["Decided by"] = "Decidido por", ["Prompted"] = "Animado",
  ["Spoke up"] = "Habló", ["Correct"] = "Acertó", ["Assignment"] = "Tarea", ["Score"] = "Puntos",
  ["Key"] = "Clave", ["Graded by"] = "Calificado por", ["waiting for approval"] =
    "espera aprobación", ["Scores"] = "Notas", ["Grading queue"] = "Por aprobar",
  ["Rule"] = "Norma", ["Action"] = "Medida", ["Referred to"] = "Remitido a",
  ["Minutes lost"] = "Minutos perdidos", ["Disruptions by class"] = "Interrupciones por clase",
  ["Strategies"] = "Estrategias", ["Baseline"] = "Línea base", ["Definition"] = "Definición",
  ["Read and acknowledged by"] = "Leído y aceptado por", ["Owner"] = "Responsable",
  ["Strategy"] = "Estrategia", ["Used"] = "Usada", ["Worked"] = "Funcionó",
  ["Partly"] = "En parte", ["Did not"] = "No funcionó", ["Praise to correction"] =
    "Elogios por corrección", ["Redirects per hour observed"] = "Redirecciones por hora observada",
  ["Behaviors"] = "Conductas", ["Unit"] = "Unidad", ["goal"] = "meta", ["in all"] = "en total",
  ["Participation"] = "Participación", ["Lunch"] = "Almuerzo",
  ["ask the nurse"] = "pregunte a enfermería",
  ["(left out: it names another student)"] = "(omitido: nombra a otro estudiante)",
  ["Excused Absence"] = "Ausencia justificada", ["Unexcused Absence"] = "Ausencia injustificada",
  ["Tardy"] = "Tarde", ["Early departure"] = "Salida anticipada", ["Partial"] = "Parcial",
  ["Person"] = "Persona", ["Duty class"] = "Clase de tarea", ["Diploma"] = "Diploma",
  ["Hours of study"] = "Horas de estudio", ["Degree"] = "Título", ["Assessment"] = "Examen",
  ["Qualification"] = "Cualificación", ["Why"] = "Por qué", ["instruction"] = "enseñanza",
  ["other duties"] = "otras tareas", ["exempt"] = "exento", ["degree"] = "título",
  ["assessment passed"] = "examen aprobado", ["two years of study"] = "dos años de estudio",
  ["no secondary diploma"] = "sin diploma de secundaria", ["hours are missing"] = "faltan horas",
  ["no Title I program"] = "sin programa Título I", ["class"] = "clase", ["hallway"] = "pasillo",
  ["recess"] = "recreo", ["lunch"] = "almuerzo", ["bus"] = "autobús", ["trip"] = "excursión",
  ["arrival"] = "llegada", ["dismissal"] = "salida", ["independent"] = "sin ayuda",
  ["gesture"] = "gesto", ["verbal"] = "de palabra", ["model"] = "con ejemplo",
  ["partial_physical"] = "algo de ayuda física", ["full_physical"] = "ayuda física",
  ["a person checks this"] = "una persona lo revisa", ["Not shown"] = "No se muestra",
}

local function words(tag)
  local spanish = tag and language(tag) == "es"
  return function(text) return spanish and ES[text] or text end
end

local function title(text, level) return { type = "heading", level = level or 1, text = text } end
local function say(text, style) return { type = "text", text = text, style = style } end

-- Column names, right-aligned where they begin with ">".
local function columns(t, list)
  local all = array()
  for _, label in ipairs(list) do
    local right = label:sub(1, 1) == ">"
    local plain = right and label:sub(2) or label
    all[#all + 1] = { id = plain:lower():gsub("[^%w]+", "_"), label = t(plain),
                      align = right and "right" or nil }
  end
  return all
end

local function grid(t, list, rows)
  return { type = "table", columns = columns(t, list), rows = rows }
end

-- A function that gives a person's name by id, from lists of people.
local function namer(...)
  local by_id = {}
  for _, list in ipairs({ ... }) do
    for _, person in ipairs(list) do
      by_id[bare(person._id)] = person.given .. " " .. person.family
    end
  end
  return function(id) return id and (by_id[bare(id)] or bare(id)) or "" end
end

local function named(list, name_of)
  local all = {}
  for _, id in ipairs(list or {}) do all[#all + 1] = name_of(id) end
  return table.concat(all, ", ")
end

local function clock_time(at, context) return at and instant.time(at, context.zone) or "" end

-- Sorted by the texts that `key` gives, then by id.
local function sorted_by(list, key)
  table.sort(list, function(a, b)
    local first, second = key(a), key(b)
    if first ~= second then return first < second end
    return (a._id or "") < (b._id or "")
  end)
  return list
end

local function keys_of(map)
  local all = {}
  for key in pairs(map) do all[#all + 1] = key end
  return all
end

-- Records of the report's local days: a need by dates may bring some of the days around them.
local function ranged(list, field, parameters, context)
  local kept = {}
  for _, record in ipairs(live(list)) do
    local day = record[field]
    if #day > 10 then day = day_of(day, context) end
    if parameters.from <= day and day <= parameters.to then kept[#kept + 1] = record end
  end
  return kept
end

-- Days on which school is held: the school's weekdays without its free days.
local function school_day(day)
  return listed(config.school_weekdays, date.weekday(day)) and not listed(config.free_days, day)
end

local function count_school_days(from, to)
  local total = 0
  while from <= to do
    if school_day(from) then total = total + 1 end
    from = date.add(from, 1)
  end
  return total
end

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
      local monday = monday_of(parameters.from)
      if monday < parameters.from then monday = date.add(monday, 7) end
      while date.add(monday, 4) <= parameters.to do
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

reports["test_sheet"] = function(parameters, needs, context)
  local t = words(context.language)
  local session = needs.session
  if not session then return { say(t("Not shown"), "note") } end
  local name_of = namer(needs.students, needs.staff)
  local rows = array()
  local function yes(value) return t(value and "yes" or "no") end
  for _, id in ipairs(session.students) do
    local any = false
    for _, use in ipairs(live(needs.uses)) do
      if same(use.student, id) then
        any = true
        rows[#rows + 1] = { name_of(id), use.accommodation, yes(use.planned), yes(use.given),
                            use.minutes_allowed or extended(use, needs) or "",
                            use.minutes_used or "",
                            use.not_given_reason or "" }
      end
    end
    for _, plan in ipairs(live(needs.plans)) do
      local entered = not active(plan.from, plan.to, session.date)
      for _, use in ipairs(live(needs.uses)) do
        if same(use.student, id) and use.accommodation == plan.accommodation then entered = true end
      end
      if same(plan.student, id) and not entered then
        any = true
        rows[#rows + 1] = { name_of(id), plan.accommodation, yes(true), "", "", "",
                            t("no entry") }
      end
    end
    if not any then rows[#rows + 1] = { name_of(id), "", "", "", session.base_minutes or "" } end
  end
  return {
    title(t("Test") .. ": " .. session.test),
    say(session.date .. " " .. clock_time(session.from, context) .. "-" ..
        clock_time(session.to, context) .. ", " .. t("Room") .. " " .. (session.room or "")),
    say(t("Test giver") .. ": " .. name_of(session.administrator)),
    grid(t, { "Student", "Accommodation", "Planned", "Given", ">Minutes allowed",
              ">Minutes used", "Note" }, rows),
    say(t("Irregularities") .. ": " .. (session.irregularity or t("none"))),
    { type = "signature", label = t("Test giver") },
  }
end

local function phone_of(person)
  local contact = person.contact
  return type(contact) == "table" and contact.phone or contact or ""
end

reports["trip_sheet"] = function(parameters, needs, context)
  local t = words(context.language)
  local trip = needs.trip
  if not trip then return { say(t("Not shown"), "note") } end
  local name_of = namer(needs.students, needs.staff, needs.guardians)
  local phones, allergies, due = {}, {}, array()
  for _, pupil in ipairs(live(needs.pupils)) do
    local list = {}
    for _, guardian in ipairs(live(needs.guardians)) do
      if contains(pupil.guardians, guardian._id) then
        list[#list + 1] = name_of(guardian._id) .. " " .. phone_of(guardian)
      end
    end
    phones[bare(pupil.person)] = table.concat(list, ", ")
  end
  for _, profile in ipairs(live(needs.profiles)) do
    local list = {}
    for _, allergy in ipairs(profile.allergies or {}) do list[#list + 1] = allergy.substance end
    allergies[bare(profile.person)] = table.concat(list, ", ")
  end
  for _, one in ipairs(trip.medications or {}) do
    due[#due + 1] = { name_of(one.student), one.drug, one.time or "", name_of(one.carried_by) }
  end
  for _, order in ipairs(live(needs.orders)) do
    if active(order.start, order["end"], trip.date) then
      local times = table.concat(order.times or {}, ", ")
      due[#due + 1] = { name_of(order.person), order.drug, times ~= "" and times or order.kind, "" }
    end
  end
  local rows, counts = array(), array()
  local roster = {}
  for i, id in ipairs(trip.roster) do roster[i] = id end
  table.sort(roster, function(a, b) return name_of(a) .. a < name_of(b) .. b end)
  for _, id in ipairs(roster) do
    rows[#rows + 1] = { name_of(id), t(contains(trip.consents, id) and "yes" or "no"),
                        phones[bare(id)] or "", allergies[bare(id)] or "" }
  end
  for _, count in ipairs(by_time(live(needs.counts), "at")) do
    counts[#counts + 1] = { clock_time(count.at, context), count.checkpoint or "", count.expected,
                            count.counted, name_of(count.by) }
  end
  return {
    title(t("Destination") .. ": " .. trip.destination),
    say(trip.date .. ", " .. t("Leaves") .. " " .. clock_time(trip.leave, context) .. ", " ..
        t("Returns") .. " " .. clock_time(trip["return"], context)),
    say(t("Staff") .. ": " .. named(trip.staff, name_of)),
    grid(t, { "Student", "Consent", "Phones of guardians", "Allergies" }, rows),
    title(t("Medicines"), 2),
    grid(t, { "Student", "Medicine", "Time", "Carried by" }, due),
    title(t("Head counts"), 2),
    grid(t, { "Time", "Checkpoint", ">Expected", ">Counted", "By" }, counts),
    { type = "signature", label = t("Trip leader") },
  }
end

reports["head_counts"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local rows = array()
  for _, count in ipairs(by_time(ranged(needs.counts, "at", parameters, context), "at")) do
    rows[#rows + 1] = { day_of(count.at, context), clock_time(count.at, context),
                        bare(count.trip_or_post), count.checkpoint or "", count.expected,
                        count.counted, name_of(count.by) }
  end
  return { title(t("Head counts")),
           grid(t, { "Date", "Time", "Place", "Checkpoint", ">Expected", ">Counted", "By" }, rows) }
end

reports["interpreting_log"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local rows, total = array(), 0
  for _, event in ipairs(by_time(ranged(needs.events, "from", parameters, context), "from")) do
    local minutes = minutes_between(event.from, event.to)
    total = total + minutes
    rows[#rows + 1] = { day_of(event.from, context), event.setting,
                        event.from_lang .. " > " .. event.to_lang, minutes, name_of(event["for"]),
                        name_of(event.interpreter), t(event.qualified and "yes" or "no") }
  end
  return {
    title(t("Interpreter")),
    grid(t, { "Date", "Setting", "Languages", ">Minutes", "For whom", "Interpreter", "Qualified" },
         rows),
    say(t("Minutes in all") .. ": " .. total),
  }
end

-- Posts of the range, and the times between two posts of one place and day that nobody covers.
reports["duty_roster"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local rows, gaps, reached = array(), array(), {}
  for _, post in ipairs(by_time(ranged(needs.posts, "from", parameters, context), "from")) do
    local here = not parameters.school or not post.school or post.school == parameters.school
    if here then
      local day, adults, most = day_of(post.from, context), #(post.staff or {}), ratio_of(post)
      local expected = post.students_expected
      local each = expected and adults > 0
        and decimal.div(tostring(expected), tostring(adults), 1) or ""
      local note = adults == 0 and "nobody"
        or (expected and most and expected > most * adults and "over") or ""
      rows[#rows + 1] = { day, t(post.place), clock_time(post.from, context),
                          clock_time(post.to, context), named(post.staff, name_of),
                          expected or "", each, most or "", t(note) }
      local key = (post.school or "") .. "\1" .. post.place .. "\1" .. (post.where or "") .. day
      if adults == 0 then
        gaps[#gaps + 1] = { day, t(post.place), clock_time(post.from, context),
                            clock_time(post.to, context), minutes_between(post.from, post.to) }
      else
        local last = reached[key]
        if last and before(last, post.from) then
          gaps[#gaps + 1] = { day, t(post.place), clock_time(last, context),
                              clock_time(post.from, context), minutes_between(last, post.from) }
        end
        reached[key] = last and later(last, post.to) or post.to
      end
    end
  end
  return {
    title(t("Staff")),
    grid(t, { "Date", "Place", "From", "To", "Staff", ">Students expected", ">Students per adult",
              ">Most", "Note" }, rows),
    title(t("Gaps without cover"), 2),
    grid(t, { "Date", "Place", "From", "To", ">Minutes" }, gaps),
  }
end

-- What who watches at lunch must know, and no more of the health records than that (45 CFR
-- 164.502(b)): the substance and what to do.
reports["lunch_sheet"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local posts, rows, here = array(), array(), {}
  for _, post in ipairs(by_time(ranged(needs.posts, "from", parameters, context), "from")) do
    if not parameters.school or not post.school or post.school == parameters.school then
      posts[#posts + 1] = { day_of(post.from, context), clock_time(post.from, context),
                            clock_time(post.to, context), named(post.staff, name_of) }
    end
  end
  for _, pupil in ipairs(live(needs.pupils)) do
    if not parameters.school or pupil.school == parameters.school then
      here[bare(pupil.person)] = true
    end
  end
  local function add(person, allergy)
    if here[bare(person)] then
      rows[#rows + 1] = { name_of(person), allergy.substance or allergy.class or "",
                          allergy.action or t("ask the nurse") }
    end
  end
  for _, profile in ipairs(live(needs.profiles)) do
    for _, allergy in ipairs(profile.allergies or {}) do add(profile.person, allergy) end
  end
  for _, allergy in ipairs(live(needs.allergies)) do add(allergy.person, allergy) end
  table.sort(rows, function(a, b)
    return table.concat(a, "\1") < table.concat(b, "\1")
  end)
  return {
    title(t("Lunch")),
    grid(t, { "Date", "From", "To", "Staff" }, posts),
    title(t("Allergies"), 2),
    grid(t, { "Student", "Allergies", "Action" }, rows),
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
                          minutes, session.setting, group, session.group_size,
                          session.goal or session.activity or "", name_of(session.para),
                          name_of(session.teacher), clock_time(session.picked_up_at, context) }
      if session.group_size == 1 then single = single + minutes end
      local key = (session.class or session.setting) .. "\1" .. monday_of(day)
      local sum = weeks[key] or { session.class or session.setting, monday_of(day), 0 }
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

reports["support_log"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local rows, total = array(), 0
  for _, note in ipairs(by_time(ranged(needs.notes, "at", parameters, context), "at")) do
    if not parameters.type or note.type == parameters.type then
      total = total + (note.minutes or 0)
      rows[#rows + 1] = { day_of(note.at, context), note.type, note.minutes or "", note.text or "",
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
    rows[#rows + 1] = { day_of(one.at, context), one.type, one.text, name_of(one.noted_by),
                        one.state, one.decided_by and name_of(one.decided_by.person) or "" }
  end
  return { title(name_of(parameters.student)),
           grid(t, { "Date", "Type", "Request", "By", "State", "Decided by" }, rows) }
end

reports["participation_trend"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local rows, points = array(), array()
  for _, one in ipairs(by_time(ranged(needs.tallies, "from", parameters, context), "from")) do
    local day, minutes = day_of(one.from, context), minutes_between(one.from, one.to)
    rows[#rows + 1] = { day, minutes, one.prompted or "", one.spoke_up, one.correct or "" }
    if minutes > 0 then points[#points + 1] = { day, rate_of(one.spoke_up, minutes) } end
  end
  return {
    title(t("Participation") .. ": " .. name_of(parameters.student)),
    { type = "chart", chart = "line", title = t("Spoke up"),
      x = { label = t("Date"), kind = "date" }, y = { label = t("Times per hour") },
      series = { { label = t("Spoke up"), points = points } } },
    grid(t, { "Date", ">Minutes", ">Prompted", ">Spoke up", ">Correct" }, rows),
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
                        name_of(event.student), event.rule, event.type or "", event.action,
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
      strategies[#strategies + 1] = { one.name or one.id, one.type or "" }
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
    local sum = sums[use.strategy] or { use.strategy, kind, 0, 0, 0, 0 }
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

-- What needs attention: `dutybook today` and `dutybook due` put the rows of all plugins together.

local function attention(rows)
  local columns = array()
  for _, id in ipairs({ "level", "when", "what", "place", "who", "record" }) do
    columns[#columns + 1] = { id = id, label = id }
  end
  return { { type = "table", columns = columns, rows = rows } }
end

reports["today"] = function(parameters, needs, context)
  local t, name_of, rows = words(context.language), namer(needs.people), array()
  for _, post in ipairs(live(needs.posts)) do
    local mine = parameters.person == nil
    for _, one in ipairs(post.staff or {}) do mine = mine or same(one, parameters.person) end
    if mine and day_of(post.from, context) == parameters.date then
      rows[#rows + 1] = {
        #(post.staff or {}) == 0 and "urgent" or "today", clock_time(post.from, context),
        t(post.place) .. " - " .. clock_time(post.to, context), post.where or "",
        named(post.staff, name_of), post._id,
      }
    end
  end
  return attention(rows)
end

reports["due"] = function(parameters, needs, context)
  local t, name_of, rows = words(context.language), namer(needs.people), array()
  local last = date.add(parameters.date, parameters.days or 30)
  for _, one in ipairs(live(needs.placements)) do
    local review = one.iep_review
    if review and review <= last and active(one.begin, one["end"], parameters.date)
      and (parameters.person == nil or same(one.student, parameters.person)) then
      rows[#rows + 1] = {
        review < parameters.date and "overdue" or "soon", review, t("IEP review"), "",
        name_of(one.student), one._id,
      }
    end
  end
  return attention(rows)
end
