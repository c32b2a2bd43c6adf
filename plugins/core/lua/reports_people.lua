-- Reports about staff: who, where, since when, how reliably.

local common = require "common"
local after, day_of, each, exact, has, kept, signed, within, zone_of =
  common.after, common.day_of, common.each, common.exact, common.has, common.kept,
  common.signed, common.within, common.zone_of
local credentials = require "credentials"
local experience = credentials.experience
local values_in = require "value_words"
local report_parts = require "report_parts"
local dated, of_person, ordered, people_names, percent, sheet, texts, words_of =
  report_parts.dated, report_parts.of_person, report_parts.ordered, report_parts.people_names,
  report_parts.percent, report_parts.sheet, report_parts.texts, report_parts.words_of

reports["staff_list"] = function(parameters, needs, context)
  local T, name = texts(context), people_names(needs.people)
  local sites, rows = {}, array()
  for _, site in each(needs.sites) do sites[site._id] = site.name end
  local supervisors = {}
  for _, link in each(needs.links) do
    if kept(link) and within(parameters.to, link.from, link.to) then
      local known = supervisors[link.para]
      supervisors[link.para] = (known and known .. ", " or "") .. name(link.professional)
    end
  end
  local function supervisor(role) return supervisors[role.person] or "" end
  for _, role in ipairs(ordered(needs.roles, function(one)
    return supervisor(one) .. "\1" .. name(one.person)
  end)) do
    if role.to == nil or role.to >= parameters.from then
      local lacks = supervisor(role) == "" and has(config.para_roles, role.role)
      rows[#rows + 1] = {
        lacks and T("nobody", "nadie") or supervisor(role), name(role.person), role.role,
        sites[role.site] or role.site, role.from, role.to or "",
      }
    end
  end
  return sheet(T("Staff by supervisor", "Personal por supervisor"), {
    T("Supervised by", "Supervisa"), T("Person", "Persona"), T("Role", "Función"),
    T("Site", "Sede"), T("From", "Desde"), T("To", "Hasta"),
  }, rows)
end

reports["site_directory"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, rows = texts(context), array()
  for _, site in ipairs(ordered(needs.sites, function(one) return one.name end)) do
    local people, seen = 0, {}
    for _, role in each(needs.roles) do
      if kept(role) and (role.site == site._id or role.site == site.name) and not seen[role.person]
        and within(parameters.to, role.from, role.to) then
        seen[role.person], people = true, people + 1
      end
    end
    rows[#rows + 1] = {
      site.name, say(site.type), site.jurisdiction or "", site.tz, site.address or "",
      (site.opens or "") .. " - " .. (site.closes or ""), words_of(site.places), people,
    }
  end
  return sheet(T("Sites", "Sedes"), {
    T("Site", "Sede"), T("Type", "Tipo"), T("State", "Estado"), T("Time zone", "Zona horaria"),
    T("Address", "Dirección"), T("Open", "Abierta"), T("Places", "Lugares"),
    T("People", "Personas"),
  }, rows)
end

-- Contracts with the certificates held on the day: pay grades are shown to those in charge of
-- people alone (privacy hr).
reports["pay_grades"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, one in ipairs(ordered(needs.contracts, function(it) return name(it.person) end)) do
    if within(parameters.to, one.from, one.to) then
      local held = {}
      for _, credential in each(needs.credentials) do
        if kept(credential) and credential.person == one.person
          and within(parameters.to, credential.issued, credential.valid_through) then
          held[#held + 1] = credential.type
        end
      end
      table.sort(held)
      rows[#rows + 1] = {
        name(one.person), one.pay_grade or "", one.annual_rate or "", one.hours_per_week or "",
        one.from, table.concat(held, ", "),
      }
    end
  end
  return sheet(T("Pay grades and certificates", "Niveles salariales y certificados"), {
    T("Person", "Persona"), T("Grade", "Nivel"), T("A year", "Al año"),
    T("Hours a week", "Horas por semana"), T("From", "Desde"), T("Certificates", "Certificados"),
  }, rows)
end

-- Minutes after the start of the shift, by person; the shifts without a check-in are named.
local function check_ins(parameters, needs, context)
  local by_person, order, shifts = {}, {}, {}
  for _, shift in each(needs.shifts) do shifts[shift._id] = shift end
  local function of(person)
    if by_person[person] == nil then
      by_person[person] = { on_time = 0, late = 0, most = 0, list = {} }
      order[#order + 1] = person
    end
    return by_person[person]
  end
  for _, one in ipairs(dated(needs.check_ins, "at", parameters, context)) do
    local shift = shifts[one.shift]
    if kept(shift) and of_person(parameters, one.person) then
      local person, minutes = of(one.person), instant.minutes(shift.from, one.at)
      local late = minutes > config.late_minutes
      if late then person.late = person.late + 1 else person.on_time = person.on_time + 1 end
      person.most = math.max(person.most, minutes)
      person.list[#person.list + 1] = { at = one.at, shift = shift, minutes = minutes, one = one }
    end
  end
  table.sort(order)
  return by_person, order
end

reports["punctuality"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  local by_person, order = check_ins(parameters, needs, context)
  for _, id in ipairs(order) do
    for _, seen in ipairs(by_person[id].list) do
      rows[#rows + 1] = {
        day_of(seen.at, seen.one, context), name(id),
        instant.time(seen.shift.from, zone_of(seen.one, context)),
        instant.time(seen.at, zone_of(seen.one, context)),
        seen.minutes > config.late_minutes and seen.minutes or "",
      }
    end
  end
  return sheet(T("Punctuality", "Puntualidad"), {
    T("Date", "Fecha"), T("Person", "Persona"), T("Shift from", "Turno desde"),
    T("Checked in", "Llegada"), T("Minutes late", "Minutos tarde"),
  }, rows)
end

-- About one person, for that person: what was done on time, and what was said in praise.
reports["reliability"] = function(parameters, needs, context)
  local T, name = texts(context), people_names(needs.people)
  local by_person = check_ins(parameters, needs, context)
  local seen = by_person[parameters.person] or { on_time = 0, late = 0, most = 0 }
  local done, in_time = 0, 0
  for _, duty in ipairs(dated(needs.duties, "due", parameters, context)) do
    if duty.state == "done" then
      done = done + 1
      if duty.done_at == nil or not after(duty.done_at, duty.due, duty, context) then
        in_time = in_time + 1
      end
    end
  end
  local praise = 0
  for _, one in each(needs.feedback) do
    if kept(one) and one.kind == "praise" then praise = praise + 1 end
  end
  return sheet(T("Reliability of ", "Fiabilidad de ") .. name(parameters.person), {
    T("What", "Qué"), T("Number", "Número"), T("Percent", "Porcentaje"),
  }, {
    { T("Shifts begun on time", "Turnos a tiempo"), seen.on_time,
      percent(seen.on_time, seen.on_time + seen.late) },
    { T("Shifts begun late", "Turnos tarde"), seen.late,
      percent(seen.late, seen.on_time + seen.late) },
    { T("Duties done", "Tareas hechas"), done, "" },
    { T("Of these in time", "De ellas en plazo"), in_time, percent(in_time, done) },
    { T("Words of praise", "Elogios"), praise, "" },
  })
end

reports["experience_summary"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, one in ipairs(ordered(needs.periods, function(it)
    return name(it.person) .. "\1" .. it.from
  end)) do
    if of_person(parameters, one.person) then
      local years = experience({ one }, nil, parameters.to)
      rows[#rows + 1] = {
        name(one.person), say(one.kind), one.place or "", one.from, one.to or "", one.hours or "", years,
      }
    end
  end
  return sheet(T("Experience", "Experiencia"), {
    T("Person", "Persona"), T("Kind", "Clase"), T("Place", "Lugar"), T("From", "Desde"),
    T("To", "Hasta"), T("Hours", "Horas"), T("Years full time", "Años a tiempo completo"),
  }, rows)
end

reports["placement_log"] = function(parameters, needs, context)
  local T, name = texts(context), people_names(needs.people)
  local rows, total = array(), "0"
  for _, one in ipairs(dated(needs.periods, "from", parameters, context)) do
    if one.kind == "placement" and of_person(parameters, one.person) then
      local confirmed = signed(one.confirmed)
      if confirmed then total = decimal.add(total, exact(one.hours) or "0") end
      rows[#rows + 1] = {
        name(one.person), one.place or "", one.from, one.to or "", one.hours or "",
        name(one.supervisor), confirmed and T("yes", "sí") or T("no", "no"),
      }
    end
  end
  local blocks = sheet(T("Placements", "Prácticas"), {
    T("Person", "Persona"), T("Place", "Lugar"), T("From", "Desde"), T("To", "Hasta"),
    T("Hours", "Horas"), T("Supervisor", "Supervisor"), T("Confirmed", "Confirmado"),
  }, rows)
  blocks[#blocks + 1] = { type = "text", style = "strong",
    text = T("Hours confirmed: ", "Horas confirmadas: ") .. total }
  return blocks
end
