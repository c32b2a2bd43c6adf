-- What needs attention: `dutybook today` and `dutybook due` put the rows of all plugins together.

local common = require "common"
local by_id, each, kept, within = common.by_id, common.each, common.kept, common.within
local schedule = require "schedule"
local due_that_day, slot_of = schedule.due_that_day, schedule.slot_of
local values_in = require "value_words"
local report_parts = require "report_parts"
local full_name, or_dash, order_line, texts =
  report_parts.full_name, report_parts.or_dash, report_parts.order_line, report_parts.texts

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

local function asked_for(who, parameters)
  return parameters.person == nil or same_person(who, parameters.person)
end

-- A dose is due from the start of its window on, and overdue when the window has closed. Every
-- person on duty sees all doses of the day: who gives them is decided in the room.
reports["today"] = function(parameters, needs, context)
  local people, rows, written = by_id(needs.people), array(), {}
  local day, zone = parameters.date, context.zone
  for _, dose in each(needs.doses) do
    local order = kept(dose) and dose.status ~= "entered-in-error" and needs.orders and dose.order
    if order then
      for _, one in each(needs.orders) do
        local slot = one._id == order and slot_of(one, dose.at, zone)
        if slot then written[order .. " " .. slot.time .. " " .. slot.day] = true end
      end
    end
  end
  for _, order in each(needs.orders) do
    local today = kept(order) and order.kind == "scheduled" and within(day, order.start, order["end"])
      and due_that_day(order, day)
    for _, time in each(today and order.times or {}) do
      time = time:sub(1, 5)
      if not written[order._id .. " " .. time .. " " .. day] then
        local at = instant.at(day, time, zone)
        local opens = instant.add_minutes(at, -config.scheduled_window_min)
        local closes = instant.add_minutes(at, config.scheduled_window_min)
        local level = "today"
        if instant.compare(closes, context.now) < 0 then
          level = "overdue"
        elseif instant.compare(opens, context.now) <= 0 then
          level = "now"
        end
        rows[#rows + 1] = { level, time, order_line(order, values_in(context)), "", full_name(people, order.person),
                            order._id }
      end
    end
  end
  return attention(rows)
end

reports["due"] = function(parameters, needs, context)
  local T, people, rows = texts(context), by_id(needs.people), array()
  local last = date.add(parameters.date, parameters.days or 30)
  local function add(day, what, who, record)
    if day == nil or day > last then return end
    local level = day < parameters.date and "expired" or "soon"
    rows[#rows + 1] = { level, day, what, "", who and full_name(people, who) or "", record._id }
  end
  for _, one in each(needs.delegations) do
    if kept(one) and one.rescinded_on == nil and asked_for(one.para, parameters) then
      add(one.valid_through, T("Delegation ends", "Termina la delegación"), one.para, one)
    end
  end
  for _, one in each(needs.consents) do
    if kept(one) and parameters.person == nil then
      add(one.to, T("Consent ends", "Termina el consentimiento"), one.guardian, one)
    end
  end
  for _, one in each(needs.lots) do
    if kept(one) and parameters.person == nil then
      local day = #one.expiry == 7 and date.last_of_month(one.expiry) or one.expiry
      add(day, T("Lot expires: ", "Lote vence: ") .. or_dash(one.lot), nil, one)
    end
  end
  return attention(rows)
end
