-- Duties: CORE-R05.

local common = require "common"
local after, blank, clock, day_of, each, has, kept, within, zone_of =
  common.after, common.blank, common.clock, common.day_of, common.each, common.has, common.kept,
  common.within, common.zone_of
local credentials = require "credentials"
local act_day = credentials.act_day

local function deferral_findings(it, needs, context)
  local found = array()
  if blank(it.reason) then found[#found + 1] = { code = "blank_reason", path = "/reason" } end
  local hard = needs.duty and needs.duty.hard_deadline
  if hard and after(it.new_due, hard, it, context) then
    found[#found + 1] = {
      code = "past_deadline", path = "/new_due", records = { needs.duty._id },
      values = { due = clock(it.new_due, it, context), deadline = clock(hard, it, context) },
    }
  end
  return found
end

local function covers(shift, at)
  return instant.compare(shift.from, at) <= 0 and instant.compare(at, shift.to) <= 0
end

-- The assignee is on shift: told only where shifts are planned at all (some within eight days).
local function shift_findings(it, needs, context, found)
  if #it.due == 10 then return end
  local planned, there = 0, false
  for _, shift in each(needs.shifts) do
    if kept(shift) then
      planned = planned + 1
      there = there or covers(shift, it.due)
    end
  end
  if planned > 0 and not there then
    found[#found + 1] = { code = "off_shift", severity = "warn", path = "/assignee" }
  end
end

local function workload_findings(it, needs, context, found)
  local day = day_of(it.due, it, context)
  local start = instant.at(day, "00:00", zone_of(it, context))
  local finish = instant.at(date.add(day, 1), "00:00", zone_of(it, context))
  local minutes, planned, ids = 0, it.estimate_min or 0, array()
  for _, shift in each(needs.shifts) do
    if kept(shift) then
      minutes = minutes + instant.overlap(shift.from, shift.to, start, finish)
    end
  end
  for _, duty in each(needs.day_duties) do
    if kept(duty) and duty._id ~= it._id and duty.due and duty.estimate_min
      and duty.state ~= "cancelled" and duty.state ~= "deferred"
      and day_of(duty.due, duty, context) == day then
      planned = planned + duty.estimate_min
      ids[#ids + 1] = duty._id
    end
  end
  if minutes > 0 and planned > minutes and it.estimate_min then
    found[#found + 1] = {
      code = "overfull", severity = "warn", records = ids,
      values = { planned = planned, day = day, minutes = minutes },
    }
  end
end

local function duty_findings(it, needs, context)
  local found = array()
  local function tell(code, path, severity, extra)
    local one = extra or {}
    one.code, one.path, one.severity = code, path, severity
    found[#found + 1] = one
  end
  if it.assignee and needs.person and needs.person.active == false then
    tell("inactive", "/assignee", nil, { records = { needs.person._id } })
  end
  local open = it.state == "open" or it.state == "started"
  if it.due and it.hard_deadline and after(it.due, it.hard_deadline, it, context) then
    tell("past_deadline", "/due", nil, { values = {
      due = clock(it.due, it, context), deadline = clock(it.hard_deadline, it, context),
    } })
  end
  if it.state == "deferred" then
    local told = false
    for _, one in each(needs.deferrals) do told = told or kept(one) end
    if not told then tell("no_deferral", "/state", "warn") end
  end
  if it.due and it.assignee and open then
    shift_findings(it, needs, context, found)
    workload_findings(it, needs, context, found)
  end
  if it.series and it.occurrence_date == nil then tell("no_day", "/occurrence_date", "warn") end
  for _, twin in each(needs.twins) do
    if twin._id ~= it._id and kept(twin) then
      tell("twice", "/occurrence_date", nil, { records = { twin._id } })
    end
  end
  if it.checked_by and it.checked_by == it.assignee then tell("self_checked", "/checked_by") end
  if it.assigned_by and it.assigned_by ~= it.assignee and #config.assigner_roles > 0
    and #needs.roles > 0 then
    local right = false
    for _, one in each(needs.roles) do
      right = right or (kept(one) and has(config.assigner_roles, one.role)
        and within(act_day(it, context) or one.from, one.from, one.to))
    end
    if not right then tell("no_right", "/assigned_by", "warn") end
  end
  return found
end

rules["CORE-R05"] = function(it, needs, context)
  if it._kind == "core.deferral" then return deferral_findings(it, needs, context) end
  if it.state == "cancelled" then return nil end
  return duty_findings(it, needs, context)
end

return { covers = covers }
