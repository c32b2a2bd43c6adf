-- Attendance: EDU-R01, R02, R16.

local common = require "common"
local before, live, others, whole_day =
  common.before, common.live, common.others, common.whole_day

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
    local other, at = record == event and act or event, act.from or act.at
    found[#found + 1] = {
      code = "absent",
      records = { other._id },
      values = { code = event.code,
        at = date.of(at, context.zone) .. " " .. instant.time(at, context.zone) },
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

return { ABSENT = ABSENT, meaning = meaning }
