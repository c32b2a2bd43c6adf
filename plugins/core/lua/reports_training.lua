-- Reports about training and requirements.

local common = require "common"
local each, kept, values_of, within = common.each, common.kept, common.values_of, common.within
local values_in = require "value_words"
local report_parts = require "report_parts"
local dated, names_of, of_person, ordered, people_names, percent, sheet, texts, words_of =
  report_parts.dated, report_parts.names_of, report_parts.of_person, report_parts.ordered,
  report_parts.people_names, report_parts.percent, report_parts.sheet, report_parts.texts,
  report_parts.words_of

reports["training_delivered"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, one in ipairs(dated(needs.sessions, "on", parameters, context)) do
    if parameters.type == nil or one.type == parameters.type then
      rows[#rows + 1] = {
        one.on, say(one.type), one.course or one.topic or "", name(one.trainer),
        one.group_size or #(one.trainees or {}), names_of(one.trainees, name),
        one.minutes or "", one.plan or "",
      }
    end
  end
  return sheet(T("Training and activities", "Formación y actividades"), {
    T("Date", "Fecha"), T("Type", "Tipo"), T("Topic", "Tema"), T("Given by", "A cargo de"),
    T("Group", "Grupo"), T("Who", "Quiénes"), T("Minutes", "Minutos"), T("Plan", "Plan"),
  }, rows)
end

reports["trainer_eligibility"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, one in ipairs(ordered(needs.courses, function(it)
    return it.course .. "\1" .. name(it.person)
  end)) do
    if one.passed ~= false then
      local given = 0
      for _, session in each(needs.sessions) do
        if kept(session) and session.trainer == one.person and session.course == one.course then
          given = given + 1
        end
      end
      rows[#rows + 1] = {
        one.course, name(one.person), one.on, date.add(one.on, 1), one.valid_through or "", given,
      }
    end
  end
  return sheet(T("Who may train", "Quién puede formar"), {
    T("Course", "Curso"), T("Person", "Persona"), T("Completed", "Completado"),
    T("May train from", "Puede formar desde"), T("Valid through", "Válido hasta"),
    T("Sessions given", "Sesiones dadas"),
  }, rows)
end

-- What a set asks for, in the words that its fields have.
local function asked_by(set, T)
  local asked = {}
  local function ask(value, words) if value then asked[#asked + 1] = value .. " " .. words end end
  ask(set.min_hours, T("h study", "h de estudio"))
  ask(set.min_training_hours, T("h training", "h de formación"))
  ask(set.min_experience_years, T("years of experience", "años de experiencia"))
  ask(set.min_experience_hours, T("h experience", "h de experiencia"))
  for _, field in ipairs({ "education_levels", "assessments", "exams", "credentials" }) do
    for _, word in ipairs(values_of(set[field])) do asked[#asked + 1] = word end
  end
  return table.concat(asked, set.any_of and T(" or ", " o ") or ", ")
end

reports["requirement_differences"] = function(parameters, needs, context)
  local T, rows = texts(context), array()
  for _, set in ipairs(ordered(needs.sets, function(it)
    return (it.type or it.role or "") .. "\1" .. (it.jurisdiction or "") .. "\1"
      .. it.effective_from
  end)) do
    if within(parameters.to, nil, set.effective_to) then
      rows[#rows + 1] = {
        set.type or set.role or "", set.jurisdiction or "", set.name, asked_by(set, T),
        set.valid_months or "", set.effective_from, set.effective_to or "", set.source,
      }
    end
  end
  return sheet(T("Requirements by state", "Requisitos por estado"), {
    T("For", "Para"), T("State", "Estado"), T("Set", "Conjunto"), T("Asks for", "Pide"),
    T("Months valid", "Meses de validez"), T("From", "Desde"), T("To", "Hasta"),
    T("Source", "Fuente"),
  }, rows)
end

reports["training_matrix"] = function(parameters, needs, context)
  local T, name, courses, people = texts(context), people_names(needs.people), {}, {}
  for _, one in ipairs(dated(needs.completions, "on", parameters, context)) do
    if one.passed ~= false then
      courses[one.course] = true
      people[one.person] = people[one.person] or {}
      people[one.person][one.course] = one
    end
  end
  local labels, list, rows = { T("Person", "Persona") }, {}, array()
  for course in pairs(courses) do
    list[#list + 1], labels[#labels + 1] = course, course
  end
  for person, done in pairs(people) do
    local row = { name(person) }
    for _, course in ipairs(list) do
      local one = done[course]
      local lapsed = one and one.valid_through and one.valid_through < parameters.to
      row[#row + 1] = one and (one.on .. (lapsed and T(" lapsed", " vencido") or "")) or ""
    end
    rows[#rows + 1] = row
  end
  table.sort(rows, function(a, b) return a[1] < b[1] end)
  return sheet(T("Training by person", "Formación por persona"), labels, rows)
end

reports["credential_progress"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, one in ipairs(ordered(needs.plans, function(it) return name(it.person) end)) do
    if of_person(parameters, one.person) then
      local done, missing = #(one.done or {}), #(one.missing or {})
      rows[#rows + 1] = {
        name(one.person), one.target, one.level or "", words_of(one.done), words_of(one.missing),
        percent(done, done + missing), one.target_date or "",
      }
    end
  end
  return sheet(T("Toward the next level", "Hacia el siguiente nivel"), {
    T("Person", "Persona"), T("Target", "Meta"), T("Level", "Nivel"), T("Done", "Hecho"),
    T("Missing", "Falta"), T("Percent", "Porcentaje"), T("Until", "Hasta"),
  }, rows)
end
