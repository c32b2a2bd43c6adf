-- Reports about duties: time, goals, load, changes.

local common = require "common"
local day_of, each, hours_of, signed, zone_of =
  common.day_of, common.each, common.hours_of, common.signed, common.zone_of
local time_and_place = require "time_and_place"
local contract_on, week_of, worked_minutes =
  time_and_place.contract_on, time_and_place.week_of, time_and_place.worked_minutes
local values_in = require "value_words"
local report_parts = require "report_parts"
local add_table, dated, moment, of_person, ordered, people_names, sheet, sorted_duties, span_of,
  sums_by, table_of, texts =
  report_parts.add_table, report_parts.dated, report_parts.moment, report_parts.of_person,
  report_parts.ordered, report_parts.people_names, report_parts.sheet,
  report_parts.sorted_duties, report_parts.span_of, report_parts.sums_by, report_parts.table_of,
  report_parts.texts

-- Hours beside the contract, week by week: a contract is for a week.
local function weeks_of(parameters, needs, minutes_in, T)
  local rows, week = array(), week_of(parameters.from)
  while week <= parameters.to do
    local contract = contract_on(needs.contracts, week > parameters.from and week
      or parameters.from)
    local agreed = contract and contract.hours_per_week or config.contract_hours
    local hours = hours_of(minutes_in[week] or 0)
    rows[#rows + 1] = { week, hours, agreed, decimal.sub(hours, agreed) }
    week = date.add(week, 7)
  end
  return table_of({ T("Week from", "Semana desde"), T("Hours", "Horas"),
    T("Agreed", "Acordadas"), T("Difference", "Diferencia") }, rows)
end

reports["timesheet"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, name, rows, total = texts(context), people_names(needs.people), array(), 0
  local minutes_in = {}
  for _, time in ipairs(dated(needs.times, "from", parameters, context)) do
    if time.to then
      local minutes, day = worked_minutes(time), day_of(time.from, time, context)
      total = total + minutes
      minutes_in[week_of(day)] = (minutes_in[week_of(day)] or 0) + minutes
      rows[#rows + 1] = {
        day, instant.time(time.from, zone_of(time, context)),
        instant.time(time.to, zone_of(time, context)),
        instant.minutes(time.from, time.to) - minutes, hours_of(minutes), say(time.category),
        signed(time.approved_by) and T("yes", "sí") or "",
      }
    end
  end
  return {
    { type = "heading", level = 1, text = T("Time worked ", "Tiempo trabajado ") ..
      name(parameters.person) .. ", " .. span_of(parameters) },
    table_of({ T("Date", "Fecha"), T("In", "Entrada"), T("Out", "Salida"),
      T("Breaks (minutes)", "Pausas (minutos)"), T("Hours", "Horas"),
      T("Category", "Categoría"), T("Approved", "Aprobado") }, rows),
    weeks_of(parameters, needs, minutes_in, T),
    { type = "text", style = "strong", text = T("Total ", "Total ") .. hours_of(total) .. " h" },
    { type = "signature", label = T("Approved by", "Aprobado por") },
  }
end

reports["time_by_category"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, done = texts(context), {}
  local times = dated(needs.times, "from", parameters, context)
  local worked = {}
  for _, time in ipairs(times) do
    if time.to and of_person(parameters, time.person) then worked[#worked + 1] = time end
  end
  for _, duty in ipairs(dated(needs.duties, "due", parameters, context)) do
    if duty.state == "done" and of_person(parameters, duty.assignee) then done[#done + 1] = duty end
  end
  local hours = array()
  for _, sum in ipairs(sums_by(worked, function(one) return say(one.category) end, worked_minutes)) do
    hours[#hours + 1] = { sum[1], sum[2], hours_of(sum[3]) }
  end
  local blocks = sheet(T("Time by category", "Tiempo por categoría"),
    { T("Category", "Categoría"), T("Entries", "Anotaciones"), T("Hours", "Horas") }, hours)
  return add_table(blocks, T("Duties done", "Tareas hechas"),
    { T("Category", "Categoría"), T("Duties", "Tareas"),
      T("Minutes planned", "Minutos previstos") },
    sums_by(done, function(one) return say(one.category) end,
      function(one) return one.estimate_min end))
end

reports["assigned_by"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, one in ipairs(sorted_duties(dated(needs.duties, "due", parameters, context), nil)) do
    local duty = one.duty
    if duty.assigned_by and (parameters.person == nil or duty.assigned_by == parameters.person) then
      rows[#rows + 1] = {
        name(duty.assigned_by), name(duty.assignee), duty.title, moment(duty.due, duty, context),
        say(duty.priority), say(duty.state), moment(duty.done_at, duty, context),
      }
    end
  end
  return sheet(T("Assigned duties", "Tareas encargadas"), {
    T("Assigned by", "Encarga"), T("To", "A"), T("Duty", "Tarea"), T("Due", "Plazo"),
    T("Priority", "Prioridad"), T("State", "Estado"), T("Done", "Hecha"),
  }, rows)
end

reports["oversight"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, duty in ipairs(dated(needs.duties, "due", parameters, context)) do
    if duty.state == "done" then
      rows[#rows + 1] = {
        moment(duty.done_at, duty, context), duty.title, name(duty.assignee),
        duty.checked_by and name(duty.checked_by) or T("not checked", "sin revisar"),
        moment(duty.checked_at, duty, context), duty.result or "",
      }
    end
  end
  return sheet(T("Work that was looked over", "Trabajo revisado"), {
    T("Done", "Hecha"), T("Duty", "Tarea"), T("Done by", "Hecha por"),
    T("Checked by", "Revisada por"), T("Checked", "Revisada"), T("Result", "Resultado"),
  }, rows)
end

reports["duties_by_goal"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, name = texts(context), people_names(needs.people)
  local blocks = { { type = "heading", level = 1, text = T("Duties by goal", "Tareas por meta") } }
  local due = dated(needs.duties, "due", parameters, context)
  local function duties_of(goal)
    local rows = array()
    for _, one in ipairs(sorted_duties(due, needs.goals)) do
      if one.duty.goal == goal then
        rows[#rows + 1] = { one.duty.title, name(one.duty.assignee),
          moment(one.duty.due, one.duty, context), say(one.duty.priority), say(one.duty.state) }
      end
    end
    return rows
  end
  local labels = { T("Duty", "Tarea"), T("Assigned to", "Encargada a"), T("Due", "Plazo"),
    T("Priority", "Prioridad"), T("State", "Estado") }
  local goals = ordered(needs.goals, function(it)
    return string.format("%09d", it.rank or 999999999)
  end)
  for _, goal in ipairs(goals) do
    add_table(blocks, (goal.rank and goal.rank .. ". " or "") .. goal.text, labels,
      duties_of(goal._id))
  end
  return add_table(blocks, T("Without a goal", "Sin meta"), labels, duties_of(nil))
end

reports["workload"] = function(parameters, needs, context)
  local T, name, days, keys = texts(context), people_names(needs.people), {}, {}
  local function of(person, day)
    local key = day .. "\1" .. person
    if days[key] == nil then
      days[key] = { day = day, person = person, planned = 0, duties = 0, shift = 0 }
      keys[#keys + 1] = key
    end
    return days[key]
  end
  for _, duty in ipairs(dated(needs.duties, "due", parameters, context)) do
    if duty.assignee and of_person(parameters, duty.assignee)
      and duty.state ~= "cancelled" and duty.state ~= "deferred" then
      local one = of(duty.assignee, day_of(duty.due, duty, context))
      one.planned, one.duties = one.planned + (duty.estimate_min or 0), one.duties + 1
    end
  end
  for _, shift in ipairs(dated(needs.shifts, "from", parameters, context)) do
    if of_person(parameters, shift.person) then
      local one = of(shift.person, day_of(shift.from, shift, context))
      one.shift = one.shift + instant.minutes(shift.from, shift.to)
    end
  end
  table.sort(keys)
  local rows = array()
  for _, key in ipairs(keys) do
    local one = days[key]
    local over = one.planned - one.shift
    rows[#rows + 1] = {
      one.day, name(one.person), one.duties, one.planned, one.shift,
      one.shift > 0 and over > 0 and over or "",
    }
  end
  return sheet(T("Workload", "Carga de trabajo"), {
    T("Date", "Fecha"), T("Person", "Persona"), T("Duties", "Tareas"),
    T("Minutes planned", "Minutos previstos"), T("Minutes on shift", "Minutos de turno"),
    T("Too many", "Sobran"),
  }, rows)
end

reports["deferred_duties"] = function(parameters, needs, context)
  local T, rows, duties = texts(context), array(), {}
  for _, duty in each(needs.duties) do duties[duty._id] = duty end
  local function title(id) return duties[id] and duties[id].title or id or "" end
  for _, one in ipairs(dated(needs.deferrals, "at", parameters, context)) do
    local hard = duties[one.duty] and duties[one.duty].hard_deadline
    rows[#rows + 1] = {
      moment(one.at, one, context), title(one.duty), one.reason, title(one.because_of),
      moment(one.new_due, one, context), moment(hard, one, context),
    }
  end
  return sheet(T("Duties set aside", "Tareas aplazadas"), {
    T("When", "Cuándo"), T("Duty", "Tarea"), T("Reason", "Motivo"), T("Because of", "A causa de"),
    T("New due", "Plazo nuevo"), T("Hard deadline", "Plazo final"),
  }, rows)
end

reports["changes"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, name = texts(context), people_names(needs.people)
  local rows, days, series = array(), array(), {}
  for _, one in each(needs.series) do series[one._id] = one.title or one.category end
  for _, one in ipairs(dated(needs.changed, "from", parameters, context)) do
    rows[#rows + 1] = {
      name(one.professional), moment(one.from, one, context), moment(one.to, one, context),
      moment(one.new_from, one, context), moment(one.new_to, one, context), one.cause,
      #(one.seen_by or {}),
    }
  end
  for _, one in ipairs(dated(needs.exceptions, "occurrence_date", parameters, context)) do
    days[#days + 1] = {
      one.occurrence_date, series[one.series] or one.series, say(one.change),
      moment(one.new_at, one, context), name(one.new_assignee), one.reason,
    }
  end
  local blocks = sheet(T("Changes", "Cambios"), {
    T("Professional", "Profesional"), T("From", "Desde"), T("To", "Hasta"),
    T("Now from", "Ahora desde"), T("Now to", "Ahora hasta"), T("Cause", "Causa"),
    T("Seen by", "Visto por"),
  }, rows)
  return add_table(blocks, T("Days that differ", "Días distintos"), {
    T("Date", "Fecha"), T("Duty", "Tarea"), T("Change", "Cambio"), T("Now at", "Ahora a las"),
    T("Now by", "Ahora de"), T("Reason", "Motivo"),
  }, days)
end
