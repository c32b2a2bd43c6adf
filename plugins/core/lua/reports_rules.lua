-- Reports that go with the numbered rules: duties, time, credentials, disclosures.

local common = require "common"
local clock, day_of, each, exact, has, kept, values_of, within =
  common.clock, common.day_of, common.each, common.exact, common.has, common.kept,
  common.values_of, common.within
local values_in = require "value_words"
local report_parts = require "report_parts"
local dated, ordered, people_names, sorted_duties, span_of, table_of, texts =
  report_parts.dated, report_parts.ordered, report_parts.people_names,
  report_parts.sorted_duties, report_parts.span_of, report_parts.table_of, report_parts.texts

-- What an aide must know of the students of a day: that there is a plan, and what they must not have.
local function care_of_students(parameters, needs, name)
  local plans, allergies, rows, seen = {}, {}, array(), {}
  for _, pupil in each(needs.pupils) do
    if kept(pupil) then plans[pupil.person] = table.concat(pupil.plans or {}, ", ") end
  end
  local function add(person, substance)
    local said = allergies[person]
    allergies[person] = said and (said .. ", " .. substance) or ("⚠ " .. substance)
  end
  for _, profile in each(needs.profiles) do
    for _, one in each(kept(profile) and profile.allergies or {}) do
      add(profile.person, one.substance or one.class or "?")
    end
  end
  for _, one in each(needs.allergies) do
    if kept(one) then add(one.person, one.substance or one.class or "?") end
  end
  for _, one in each(needs.assignments) do
    local now = kept(one) and within(parameters.from, "", one.to)
    if now and not seen[one.student] then
      seen[one.student] = true
      rows[#rows + 1] = { name(one.student), plans[one.student] or "", allergies[one.student] or "" }
    end
  end
  table.sort(rows, function(a, b) return a[1] < b[1] end)
  return rows
end

reports["duty_sheet"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, name, rows, events = texts(context), people_names(needs.people), array(), array()
  local deferred, told, open = {}, {}, array()
  for _, one in each(needs.instructions) do
    if kept(one) and one.duty then told[one.duty] = one.text end
  end
  for _, one in each(needs.deferrals) do
    if kept(one) then deferred[one.duty] = clock(one.new_due, one, context) end
  end
  for _, one in ipairs(sorted_duties(dated(needs.duties, "due", parameters, context),
    needs.goals)) do
    local duty = one.duty
    rows[#rows + 1] = {
      clock(duty.due, duty, context), duty.place or "", duty.title, name(duty.assigned_by),
      say(duty.priority), told[duty._id] or "", duty.state == "done" and "[x]" or "[ ]",
      deferred[duty._id] or "",
    }
    events[#events + 1] = {
      uid = duty._id, date = day_of(duty.due, duty, context), summary = duty.title, todo = true,
    }
  end
  for _, need in each(needs.open) do
    if kept(need) and need.met_at == nil then
      open[#open + 1] = { clock(need.at, need, context), need.in_own_words or need.text or "" }
    end
  end
  return {
    { type = "heading", level = 1, text = T("Duties ", "Tareas ") .. span_of(parameters) },
    table_of({ T("Due", "Plazo"), T("Place", "Lugar"), T("Duty", "Tarea"),
      T("With", "Con"), T("Priority", "Prioridad"), T("Instruction", "Instrucción"),
      T("Done", "Hecho"), T("Deferred to", "Pospuesta a") }, rows),
    { type = "heading", level = 2, text = T("Students: plans and allergies",
      "Estudiantes: planes y alergias") },
    table_of({ T("Student", "Estudiante"), T("Plans", "Planes"), T("Allergies", "Alergias") },
      care_of_students(parameters, needs, name)),
    { type = "heading", level = 2, text = T("Open needs", "Necesidades abiertas") },
    table_of({ T("Since", "Desde"), T("Need", "Necesidad") }, open),
    { type = "heading", level = 2, text = T("To be looked at", "Por revisar") },
    { type = "findings" },
    { type = "events", events = events },
  }
end

-- Hours of training since a credential was issued, against what its renewal asks for.
local function renewal_lacks(one, needs, today, T)
  local wanted
  for _, set in each(needs.sets) do
    if kept(set) and set.type == one.type and set.renewal_hours
      and within(today, set.effective_from, set.effective_to) then
      wanted = set.renewal_hours
    end
  end
  if wanted == nil then return "" end
  local hours = "0"
  for _, list in ipairs({ needs.activities or {}, needs.courses or {} }) do
    for _, done in ipairs(list) do
      if kept(done) and done.person == one.person and done.passed ~= false
        and done.on >= one.issued and done.on <= today then
        hours = decimal.add(hours, done.hours)
      end
    end
  end
  if decimal.compare(hours, wanted) >= 0 then return T("nothing", "nada") end
  return decimal.sub(wanted, hours) .. " h"
end

-- Duties of that person that ask for the credential on a day after its last.
local function duties_at_risk(one, needs, context)
  local count = 0
  for _, duty in each(needs.duties) do
    if kept(duty) and duty.assignee == one.person and duty.due and duty.state ~= "cancelled"
      and has(values_of(duty.needs_credential), one.type)
      and day_of(duty.due, duty, context) > one.valid_through then
      count = count + 1
    end
  end
  return count
end

reports["certification_expiry"] = function(parameters, needs, context)
  local T, name, rows, events = texts(context), people_names(needs.people), array(), array()
  local today = date.of(context.now, context.zone)
  for _, one in ipairs(ordered(needs.credentials, function(it) return it.valid_through end)) do
    if one.valid_through then
      local days = date.diff(today, one.valid_through)
      rows[#rows + 1] = {
        name(one.person), one.type, one.number or "", one.valid_through, days,
        days < 0 and T("expired", "vencida")
          or (days <= config.expiry_notice_days and T("soon", "pronto") or ""),
        renewal_lacks(one, needs, today, T), duties_at_risk(one, needs, context),
      }
      events[#events + 1] = {
        uid = one._id, date = one.valid_through, summary = one.type .. ", " .. name(one.person),
      }
    end
  end
  return {
    { type = "heading", level = 1, text = T("Credentials and their last day",
      "Credenciales y su último día") },
    table_of({ T("Person", "Persona"), T("Credential", "Credencial"), T("Number", "Número"),
      T("Valid through", "Válida hasta"), T("Days left", "Días"), T("Note", "Nota"),
      T("Missing for renewal", "Falta para renovar"), T("Duties at risk", "Tareas en riesgo") },
      rows),
    { type = "events", events = events },
  }
end

reports["pd_hours"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  local hours, staff, none, below = {}, {}, 0, 0
  for _, list in ipairs({ needs.activities, needs.courses }) do
    for _, one in ipairs(list) do
      if kept(one) and one.passed ~= false then
        hours[one.person] = decimal.add(hours[one.person] or "0", one.hours)
      end
    end
  end
  for _, role in each(needs.roles) do
    if kept(role) and has(config.para_roles, role.role) and not staff[role.person]
      and within(parameters.to, role.from, role.to) then
      staff[role.person] = true
      local sum = hours[role.person] or "0"
      if decimal.compare(sum, "0") == 0 then none = none + 1 end
      if decimal.compare(sum, config.pd_hours) < 0 then below = below + 1 end
      rows[#rows + 1] = { name(role.person), sum }
    end
  end
  local function share(n, of)
    of = of or #rows
    return of == 0 and "0" or decimal.div(tostring(n * 100), tostring(of), 0)
  end
  local asked, little = 0, 0
  for _, one in each(needs.surveys) do
    if kept(one) then
      asked = asked + 1
      if one.answer ~= "enough" then little = little + 1 end
    end
  end
  return {
    { type = "heading", level = 1, text = T("Professional development", "Desarrollo profesional") },
    table_of({ T("Person", "Persona"), T("Hours", "Horas") }, rows),
    table_of({ T("Share", "Parte"), T("Here %", "Aquí %"), T("Nation %", "País %") }, {
      { T("No hours", "Sin horas"), share(none), config.pd_nation_none },
      { T("Below the aim", "Bajo la meta"), share(below), config.pd_nation_little },
      { T("Say too little", "Dicen que es poco"), share(little, asked), config.pd_nation_little },
    }),
  }
end

reports["disclosure_log"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  local about = people_names(needs.people)
  for _, one in ipairs(dated(needs.disclosures, "at", parameters, context)) do
    local whom = {}
    for _, id in ipairs(values_of(one.about)) do whom[#whom + 1] = about(id) end
    rows[#rows + 1] = {
      clock(one.at, one, context), table.concat(whom, ", "), one.to_party, one.address or "",
      one.what, one.purpose, one.legal_basis, name(one.authorised_by),
    }
  end
  return {
    { type = "heading", level = 1, text = T("Disclosures", "Divulgaciones") },
    table_of({ T("Date", "Fecha"), T("About", "Sobre"), T("To", "A"),
      T("Address", "Dirección"), T("What", "Qué"), T("Purpose", "Fin"),
      T("Basis", "Base"), T("By", "Por") }, rows),
  }
end

reports["open_needs"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, about, rows = texts(context), people_names(needs.people), array()
  for _, need in ipairs(dated(needs.noted, "at", parameters, context)) do
    if need.met_at == nil then
      rows[#rows + 1] = {
        clock(need.at, need, context), about(need.about), say(need.type),
        need.in_own_words or need.text or "",
      }
    end
  end
  return {
    { type = "heading", level = 1, text = T("Open needs", "Necesidades abiertas") },
    table_of({ T("Since", "Desde"), T("About", "Sobre"), T("Type", "Tipo"),
      T("Need", "Necesidad") }, rows),
  }
end

reports["qualification_status"] = function(parameters, needs, context)
  local T, rows = texts(context), array()
  local name = people_names(needs.people)
  local people, order = {}, {}
  local function of(id)
    if not people[id] then
      people[id] = { levels = {}, hours = "0", passed = false, scores = {} }
      order[#order + 1] = id
    end
    return people[id]
  end
  for _, one in each(needs.studies) do
    if kept(one) then
      of(one.person).levels[one.level] = true
      of(one.person).hours = decimal.add(of(one.person).hours, exact(one.hours) or "0")
    end
  end
  for _, one in each(needs.assessments) do
    if kept(one) then
      local person = of(one.person)
      person.passed = person.passed or one.passed == true
      person.scores[#person.scores + 1] = one.name .. " " .. (one.state or "") .. " "
        .. (one.score or "-") .. "/" .. (one.cut_score or "-")
    end
  end
  local function mark(yes) return yes and T("yes", "sí") or T("no", "no") end
  for _, id in ipairs(order) do
    local one = people[id]
    rows[#rows + 1] = {
      name(id), mark(one.levels.secondary), one.hours, mark(one.levels.associate),
      mark(one.passed), table.concat(one.scores, "; "),
    }
  end
  return {
    { type = "heading", level = 1, text = T("Qualifications", "Cualificaciones") },
    table_of({ T("Person", "Persona"), T("Diploma", "Diploma"), T("Study hours", "Horas de estudio"),
      T("Associate degree", "Título asociado"), T("Assessment passed", "Evaluación aprobada"),
      T("Score and cut score", "Puntuación y mínimo") }, rows),
  }
end
