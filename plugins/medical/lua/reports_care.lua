-- Reports about visits, care, training and talks with families.

local common = require "common"
local by_id, each, kept = common.by_id, common.each, common.kept
local values_in = require "value_words"
local report_parts = require "report_parts"
local chosen, full_name, heading, local_time, note, or_dash, table_of, texts =
  report_parts.chosen, report_parts.full_name, report_parts.heading, report_parts.local_time,
  report_parts.note, report_parts.or_dash, report_parts.table_of, report_parts.texts

reports["health_visits"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, people = texts(context), by_id(needs.people)
  local visits, incidents = array(), array()
  for _, visit in ipairs(chosen(needs.visits, "in", parameters, context)) do
    visits[#visits + 1] = { full_name(people, visit.person), local_time(visit["in"], context),
      local_time(visit.out, context), or_dash(visit.complaint), or_dash(visit.action),
        or_dash(say(visit.disposition)) }
  end
  for _, one in ipairs(chosen(needs.responses, "at", parameters, context)) do
    incidents[#incidents + 1] = { local_time(one.at, context), full_name(people, one.person),
      one.trigger,
      or_dash(one.drug_given), local_time(one.called_911_at, context), or_dash(say(one.disposition)) }
  end
  for _, one in ipairs(chosen(needs.sharps, "at", parameters, context, "who")) do
    incidents[#incidents + 1] = { local_time(one.at, context), full_name(people, one.who),
      T("sharps: ", "punzantes: ") .. (one.device or "-"), or_dash(one.exposure), "-",
        or_dash(one.follow_up) }
  end
  return {
    heading(T("Health office visits", "Visitas a enfermería")),
    table_of({ T("Person", "Persona"), T("In", "Entrada"), T("Out", "Salida"), T("Complaint",
      "Motivo"),
               T("Action", "Qué se hizo"), T("Then", "Después") }, visits),
    heading(T("Incidents", "Incidentes"), 2),
    table_of({ T("When", "Cuándo"), T("Person", "Persona"), T("What", "Qué"),
      T("Given or exposure", "Administrado o exposición"),
               T("911 called", "Llamada al 911"), T("Then", "Después") }, incidents),
  }
end

reports["shift_handoff"] = function(parameters, needs, context)
  local T, people, blocks = texts(context), by_id(needs.people), array()
  blocks[1] = heading(T("Shift handoff", "Entrega de turno"))
  for _, one in ipairs(chosen(needs.handoffs, "at", { from = parameters.from, to = parameters.to },
    context)) do
    local rows = array()
    for _, item in each(one.items) do
      rows[#rows + 1] = { type(item) == "table" and (item.text or "-") or item }
    end
    local function signed(sig) return sig and local_time(sig.at, context) or T("not signed",
      "sin firma") end
    blocks[#blocks + 1] = heading(local_time(one.at, context) .. "  " .. full_name(people,
      one.from) .. " → " ..
                                  full_name(people, one.to), 2)
    blocks[#blocks + 1] = table_of({ T("Item", "Punto") }, rows)
    blocks[#blocks + 1] = note(T("Read back: ", "Repetido: ") .. (one.read_back or "-") .. "; " ..
      T("signed: ", "firmado: ") .. signed(one.signed_from) .. ", " .. signed(one.signed_to))
  end
  return blocks
end

reports["comfort_log"] = function(parameters, needs, context)
  local T, people, rows = texts(context), by_id(needs.people), array()
  for _, one in ipairs(chosen(needs.measures, "at", parameters, context)) do
    rows[#rows + 1] = { local_time(one.at, context), full_name(people, one.person),
      or_dash(one.type),
      tostring(or_dash(one.before)), tostring(or_dash(one.after)) }
  end
  return {
    heading(T("Comfort measures", "Medidas de confort")),
    table_of({ T("When", "Cuándo"), T("Person", "Persona"), T("What was done", "Qué se hizo"),
      T("Before", "Antes"),
               T("After", "Después") }, rows),
  }
end

reports["pain_trend"] = function(parameters, needs, context)
  local T, people, rows, points = texts(context), by_id(needs.people), array(), array()
  for _, one in ipairs(chosen(needs.scores, "at", parameters, context)) do
    rows[#rows + 1] = { local_time(one.at, context), one.scale, tostring(one.value),
      or_dash(one.place) }
    points[#points + 1] = { date.of(one.at, context.zone), tonumber(one.value) }
  end
  return {
    heading(T("Pain: ", "Dolor: ") .. full_name(people, parameters.person)),
    { type = "chart", chart = "line", title = T("Pain score", "Puntuación de dolor"),
      x = { label = T("Date", "Fecha"), kind = "date" }, y = { label = T("Score", "Puntuación") },
      series = { { label = T("Score", "Puntuación"), points = points } } },
    table_of({ T("When", "Cuándo"), T("Scale", "Escala"), T("Value", "Valor"), T("Where",
      "Dónde") }, rows),
  }
end

reports["procedure_log"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, people, rows = texts(context), by_id(needs.people), array()
  for _, one in ipairs(chosen(needs.procedures, "at", parameters, context)) do
    rows[#rows + 1] = { local_time(one.at, context), full_name(people, one.person), one.procedure,
      or_dash(say(one.category)),
      full_name(people, one.by), full_name(people, one.under), or_dash(one.site) }
  end
  return {
    heading(T("Procedures", "Procedimientos")),
    table_of({ T("When", "Cuándo"), T("Person", "Persona"), T("Procedure", "Procedimiento"),
      T("Category", "Categoría"),
               T("By", "Por"), T("Under", "Bajo"), T("Site", "Sede") }, rows),
  }
end

reports["training_delivered"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, people = texts(context), by_id(needs.people)
  local span, sessions, checks = { from = parameters.from, to = parameters.to }, array(), array()
  for _, one in ipairs(chosen(needs.sessions, "at", span, context)) do
    local who = {}
    for _, id in each(one.trainees) do who[#who + 1] = full_name(people, id) end
    sessions[#sessions + 1] = { local_time(one.at, context), one.topic, full_name(people,
      one.trainer),
      table.concat(who, ", "), one.minutes }
  end
  for _, one in ipairs(chosen(needs.checkoffs, "on", span, context)) do
    checks[#checks + 1] = { one.on, full_name(people, one.person), one.skill, or_dash(say(one.result)),
      full_name(people, one.evaluator) }
  end
  return {
    heading(T("Training delivered", "Capacitación impartida")),
    table_of({ T("When", "Cuándo"), T("Course", "Curso"), T("Trainer", "Capacitador"),
      T("Trainees", "Participantes"),
               T("Minutes", "Minutos") }, sessions),
    heading(T("Skills check-offs", "Comprobación de destrezas"), 2),
    table_of({ T("On", "El"), T("Person", "Persona"), T("Skill", "Destreza"), T("Result",
      "Resultado"),
               T("Signed off by", "Aprobada por") }, checks),
  }
end

-- What a person may ask for: to whom something about them went, for the years that the law says.
reports["disclosure_accounting"] = function(parameters, needs, context)
  local T, people, rows = texts(context), by_id(needs.people), array()
  for _, one in each(needs.disclosures) do
    if kept(one) then
      rows[#rows + 1] = { local_time(one.at, context), one.to_party, or_dash(one.address),
        one.what, one.purpose,
        one.legal_basis, full_name(by_id(needs.authorisers), one.authorised_by) }
    end
  end
  table.sort(rows, function(a, b) return a[1] .. a[2] < b[1] .. b[2] end)
  return {
    heading(T("Accounting of disclosures: ", "Registro de divulgaciones: ") .. full_name(people,
      parameters.person)),
    table_of({ T("Date", "Fecha"), T("To", "A quién"), T("Address", "Dirección"), T("What", "Qué"),
               T("Purpose", "Propósito"), T("Basis", "Base legal"), T("By", "Por") }, rows),
  }
end

-- What was spoken about with the family of one person.
reports["contact_log"] = function(parameters, needs, context)
  local T, people, rows = texts(context), by_id(needs.people), array()
  local span = { from = parameters.from, to = parameters.to }
  for _, one in ipairs(chosen(needs.contacts, "at", span, context)) do
    rows[#rows + 1] = { local_time(one.at, context), one.with, or_dash(one.channel),
      or_dash(one.summary), or_dash(one.tone_note), full_name(people, one.by) }
  end
  return {
    heading(T("Contacts: ", "Contactos: ") .. full_name(people, parameters.person)),
    table_of({ T("When", "Cuándo"), T("With", "Con"), T("Channel", "Medio"),
      T("Summary", "Resumen"), T("Tone", "Tono"), T("By", "Por") }, rows),
  }
end
