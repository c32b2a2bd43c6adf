-- What needs attention: `dutybook today` and `dutybook due` put the rows of all plugins together.

local common = require "common"
local day_of, each, kept, signed, values_of, zone_of =
  common.day_of, common.each, common.kept, common.signed, common.values_of, common.zone_of
local report_parts = require "report_parts"
local people_names, texts = report_parts.people_names, report_parts.texts

-- What needs attention: `dutybook today` and `dutybook due` put the rows of all plugins together.

local function attention(rows)
  local columns = array()
  for _, id in ipairs({ "level", "when", "what", "place", "who", "record" }) do
    columns[#columns + 1] = { id = id, label = id }
  end
  return { { type = "table", columns = columns, rows = rows } }
end

local function same_person(a, b)
  return a ~= nil and b ~= nil and string.match(a, "[^/]*$") == string.match(b, "[^/]*$")
end

-- Nobody's duty is everybody's: who asks for one person is shown what has no assignee, too.
local function for_reader(who, parameters)
  if parameters.person == nil or who == nil then return true end
  for _, one in ipairs(values_of(who)) do
    if same_person(one, parameters.person) then return true end
  end
  return false
end

local function unfinished(needs)
  local all = array()
  for _, list in ipairs({ needs.open, needs.started, needs.deferred }) do
    for _, duty in each(list) do
      if kept(duty) then all[#all + 1] = duty end
    end
  end
  return all
end

-- The time of a moment on `day`, its date on another day.
local function time_on(at, day, record, context)
  if at == nil then return "" end
  local own = day_of(at, record, context)
  if own ~= day then return own end
  return #at == 10 and "" or instant.time(at, zone_of(record, context))
end

local function passed(at, record, context)
  if #at == 10 then return at < date.of(context.now, context.zone) end
  return instant.compare(at, context.now) < 0
end

local function duty_level(duty, due, day, context)
  if duty.priority == "urgent" then return "urgent" end
  if due and passed(due, duty, context) then return "overdue" end
  if due == nil then return "open" end
  return day_of(due, duty, context) <= day and "today" or nil
end

local function new_dues(deferrals)
  local latest = {}
  for _, one in each(deferrals) do
    local before = latest[one.duty]
    if kept(one) and (before == nil or before.at < one.at) then latest[one.duty] = one end
  end
  return latest
end

reports["today"] = function(parameters, needs, context)
  local T, rows, day = texts(context), array(), parameters.date
  local name, deferred = people_names(needs.people), new_dues(needs.deferrals)
  local function add(level, when, what, place, who, record)
    rows[#rows + 1] = { level, when, what, place or "", who or "", record }
  end
  for _, duty in ipairs(unfinished(needs)) do
    local due = deferred[duty._id] and deferred[duty._id].new_due or duty.due
    local level = duty_level(duty, due, day, context)
    if level and for_reader(duty.assignee, parameters) then
      local what = duty.title .. (duty.priority ~= "normal" and " (" .. duty.priority .. ")" or "")
      add(level, time_on(due, day, duty, context), what, duty.place, name(duty.assignee), duty._id)
    end
  end
  for _, shift in each(needs.shifts) do
    if kept(shift) and day_of(shift.from, shift, context) == day
      and for_reader(shift.person, parameters) then
      local now = instant.compare(shift.from, context.now) <= 0
        and instant.compare(context.now, shift.to) < 0
      add(now and "now" or "today", time_on(shift.from, day, shift, context),
        T("Shift until ", "Turno hasta ") .. instant.time(shift.to, zone_of(shift, context)),
        shift.place or shift.site, name(shift.person), shift._id)
    end
  end
  for _, meeting in each(needs.meetings) do
    if kept(meeting) and meeting.when and day_of(meeting.when, meeting, context) == day
      and for_reader(meeting.who, parameters) then
      add("today", time_on(meeting.when, day, meeting, context),
        meeting.title or T("Meeting", "Reunión"), meeting.where, "", meeting._id)
    end
  end
  for _, need in each(needs.noted) do
    if kept(need) and need.at and need.met_at == nil and for_reader(need.noted_by, parameters) then
      add("open", time_on(need.at, day, need, context),
        T("Need: ", "Necesidad: ") .. (need.in_own_words or need.text or ""), "",
        name(need.about), need._id)
    end
  end
  return attention(rows)
end

reports["due"] = function(parameters, needs, context)
  local T, rows, name = texts(context), array(), people_names(needs.people)
  local last = date.add(parameters.date, parameters.days or 30)
  local function add(at, what, who, person, record, over)
    if at == nil or not for_reader(person, parameters) then return end
    local day = day_of(at, record, context)
    if day > last then return end
    local level = "soon"
    if day < parameters.date or (#at > 10 and passed(at, record, context)) then
      level = over or "overdue"
    elseif day == parameters.date then
      level = "today"
    end
    rows[#rows + 1] = { level, day, what, "", who, record._id }
  end
  for _, one in each(needs.credentials) do
    if kept(one) then
      add(one.valid_through, T("Credential: ", "Credencial: ") .. one.type, name(one.person),
        one.person, one, "expired")
    end
  end
  for _, one in each(needs.trainings) do
    if kept(one) then
      add(one.valid_through, T("Training: ", "Formación: ") .. one.course, name(one.person),
        one.person, one, "expired")
    end
  end
  local deferred = new_dues(needs.deferrals)
  for _, duty in ipairs(unfinished(needs)) do
    local again = deferred[duty._id]
    add(again and again.new_due or duty.hard_deadline or duty.due,
      duty.title .. (again and T(" (set aside)", " (pospuesta)") or ""), name(duty.assignee),
      duty.assignee, duty)
  end
  for _, item in each(needs.papers) do
    if kept(item) and item.state ~= "complete" and item.state ~= "done"
      and item.state ~= "cancelled" then
      add(item.due, T("Paper: ", "Documento: ") .. item.template, name(item.owner), item.owner,
        item)
    end
  end
  for _, one in each(needs.deliveries) do
    if kept(one) and one.due and not signed(one.receipt) then
      add(one.due, T("No receipt from ", "Sin recibo de ") .. name(one.to), name(one.by), one.by,
        one, "unanswered")
    end
  end
  for _, one in each(needs.requests) do
    if kept(one) and one.closed_at == nil then
      add(one.due or one.at, T("Access request", "Solicitud de acceso"), name(one.requested_by),
        nil, one, "unanswered")
    end
  end
  return attention(rows)
end
