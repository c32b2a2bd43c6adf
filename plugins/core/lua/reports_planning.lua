-- Sheets that plan: agenda, week, readiness, supplies.

local common = require "common"
local day_of, hours_of, within, zone_of =
  common.day_of, common.hours_of, common.within, common.zone_of
local values_in = require "value_words"
local report_parts = require "report_parts"
local add_table, dated, moment, names_of, of_person, ordered, people_names, sheet, texts, words_of =
  report_parts.add_table, report_parts.dated, report_parts.moment, report_parts.names_of,
  report_parts.of_person, report_parts.ordered, report_parts.people_names, report_parts.sheet,
  report_parts.texts, report_parts.words_of

reports["agenda"] = function(parameters, needs, context)
  local T, name = texts(context), people_names(needs.people)
  local rows, events = array(), array()
  for _, one in ipairs(dated(needs.meetings, "when", parameters, context)) do
    if of_person(parameters, one.who) then
      rows[#rows + 1] = {
        moment(one.when, one, context), one.title or "", one.where or "", names_of(one.who, name),
        words_of(one.agenda), words_of(one.minutes),
      }
      events[#events + 1] = {
        uid = one._id, start = one.when,
        ["end"] = one["until"] or instant.add_minutes(one.when, config.meeting_minutes),
        summary = one.title or T("Meeting", "Reunión"),
      }
    end
  end
  local blocks = sheet(T("Meetings", "Reuniones"), {
    T("When", "Cuándo"), T("Meeting", "Reunión"), T("Place", "Lugar"), T("Who", "Quiénes"),
    T("Agenda", "Orden del día"), T("Minutes", "Acta"),
  }, rows)
  blocks[#blocks + 1] = { type = "events", events = events }
  return blocks
end

reports["week_schedule"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, name = texts(context), people_names(needs.people)
  local rows, events = array(), array()
  for _, one in ipairs(dated(needs.shifts, "from", parameters, context)) do
    if of_person(parameters, one.person) then
      rows[#rows + 1] = {
        day_of(one.from, one, context), name(one.person),
        instant.time(one.from, zone_of(one, context)), instant.time(one.to, zone_of(one, context)),
        one.place or one.site, say(one.kind),
        hours_of(instant.minutes(one.from, one.to)),
      }
      events[#events + 1] = {
        uid = one._id, start = one.from, ["end"] = one.to, summary = one.place or one.site,
      }
    end
  end
  local blocks = sheet(T("Schedule", "Horario"), {
    T("Date", "Fecha"), T("Person", "Persona"), T("From", "Desde"), T("To", "Hasta"),
    T("Place", "Lugar"), T("Kind", "Clase"), T("Hours", "Horas"),
  }, rows)
  local free = array()
  for _, one in ipairs(dated(needs.times, "from", parameters, context)) do
    if of_person(parameters, one.person) then
      free[#free + 1] = { name(one.person), moment(one.from, one, context),
        moment(one.to, one, context), one.notes or "" }
    end
  end
  add_table(blocks, T("Available", "Disponibles"), {
    T("Person", "Persona"), T("From", "Desde"), T("To", "Hasta"), T("Notes", "Notas"),
  }, free)
  blocks[#blocks + 1] = { type = "events", events = events }
  return blocks
end

reports["readiness_sheet"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  local function mark(ok) return ok == nil and "" or (ok and T("yes", "sí") or T("no", "no")) end
  for _, one in ipairs(ordered(needs.checks, function(it)
    return (it.date or it.at or "") .. "\1" .. it.place
  end)) do
    local when = one.at or one.opens
    local day = one.date or (when and day_of(when, one, context)) or parameters.from
    local at = one.at and instant.time(one.at, zone_of(one, context)) or T("not done", "sin hacer")
    local opens = one.opens and instant.time(one.opens, zone_of(one, context)) or ""
    local items = #(one.items or {}) > 0 and one.items or { { item = "" } }
    if not within(day, parameters.from, parameters.to) then items = {} end
    for _, item in ipairs(items) do
      local said = type(item) == "table" and item or { item = item }
      rows[#rows + 1] = {
        day, one.place, opens, at, said.item or said.name or "", said.type or "", mark(said.ok),
        name(one.done_by),
      }
    end
  end
  return sheet(T("Ready before it opens", "Listo antes de abrir"), {
    T("Date", "Fecha"), T("Place", "Lugar"), T("Opens", "Abre"), T("Checked", "Revisado"),
    T("Item", "Cosa"), T("Type", "Tipo"), T("Ready", "Listo"), T("By", "Por"),
  }, rows)
end

reports["supply_list"] = function(parameters, needs, context)
  local T, rows = texts(context), array()
  for _, one in ipairs(ordered(needs.supplies, function(it) return it.name end)) do
    rows[#rows + 1] = {
      one.name, one.place or "", one.on_hand, one.minimum, one.unit or "",
      math.max(0, one.minimum - one.on_hand), moment(one.counted_at, one, context),
    }
  end
  return sheet(T("Supplies", "Material"), {
    T("Item", "Cosa"), T("Place", "Lugar"), T("On hand", "Hay"), T("At least", "Al menos"),
    T("Unit", "Unidad"), T("To order", "Por pedir"), T("Counted", "Contado"),
  }, rows)
end
