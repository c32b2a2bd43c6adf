-- Reports about medicines: who gets, gave and may give what.

local common = require "common"
local by_id, each, exact, kept, signer, within =
  common.by_id, common.each, common.exact, common.kept, common.signer, common.within
local schedule = require "schedule"
local due_that_day, slot_of = schedule.due_that_day, schedule.slot_of
local delegation = require "delegation"
local for_everybody, is_rescinded = delegation.for_everybody, delegation.is_rescinded
local controlled = require "controlled"
local balance, own_balance = controlled.balance, controlled.own_balance
local values_in = require "value_words"
local report_parts = require "report_parts"
local chosen, full_name, heading, initials_of, local_time, mar_code, note, or_dash, order_line,
  table_of, texts =
  report_parts.chosen, report_parts.full_name, report_parts.heading, report_parts.initials_of,
  report_parts.local_time, report_parts.mar_code, report_parts.note, report_parts.or_dash,
  report_parts.order_line, report_parts.table_of, report_parts.texts

-- The month of one person: a row for each order and time, a column for each day.
reports["mar_sheet"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, people, orders = texts(context), by_id(needs.people), by_id(needs.orders)
  for _, person in each(needs.givers) do people[person._id] = person end
  local from, to, zone = parameters.from, parameters.to, context.zone
  local doses, givers, seen, cells, listed = array(), {}, {}, {}, array()
  for _, dose in ipairs(chosen(needs.doses, "at", parameters, context)) do
    if dose.status ~= "entered-in-error" and orders[dose.order] then
      doses[#doses + 1] = dose
      if dose.by and not seen[dose.by] then
        seen[dose.by] = true
        givers[#givers + 1] = dose.by
      end
    end
  end
  local initials, legend = initials_of(people, givers)
  for _, dose in ipairs(doses) do
    local order = orders[dose.order]
    local mark = mar_code(dose) .. " " .. (initials[dose.by] or "")
    local slot = slot_of(order, dose.at, zone)
    if slot then
      local key = order._id .. " " .. slot.time .. " " .. slot.day
      cells[key] = cells[key] and (cells[key] .. " / " .. mark) or mark
    else
      listed[#listed + 1] = { local_time(dose.at, context), order_line(order, say),
        (dose.dose or order.dose) .. " " .. (dose.unit or order.unit), mark,
          or_dash(dose.reason_prn),
        or_dash(dose.effect), dose.effect_at and instant.time(dose.effect_at, zone) or "-" }
    end
  end
  local labels, days = { T("Order", "Orden"), T("Time", "Hora") }, {}
  local day = from
  while day <= to and #days < 31 do
    days[#days + 1] = day
    labels[#labels + 1] = tostring(tonumber(day:sub(9, 10)))
    day = date.add(day, 1)
  end
  local rows = array()
  for _, order in each(needs.orders) do
    for _, time in each(kept(order) and order.kind == "scheduled" and order.start <= to and
                        order["end"] >= from and order.times or {}) do
      time = time:sub(1, 5)
      local row = { order_line(order, say), time }
      for _, one in ipairs(days) do
        local cell = cells[order._id .. " " .. time .. " " .. one]
        if cell == nil and within(one, order.start, order["end"]) and due_that_day(order, one) then
          local over = instant.add_minutes(instant.at(one, time, zone), config.scheduled_window_min)
          if instant.compare(over, context.now) < 0 then cell = "M" end
        end
        row[#row + 1] = cell or ""
      end
      rows[#rows + 1] = row
    end
  end
  local allergies = {}
  for _, profile in each(needs.profiles) do
    for _, allergy in each(kept(profile) and profile.allergies or {}) do
      allergies[#allergies + 1] = allergy.substance
    end
  end
  for _, allergy in each(needs.allergies) do
    if kept(allergy) then allergies[#allergies + 1] = allergy.substance end
  end
  return {
    heading(T("Medication sheet: ", "Hoja de medicación: ") .. full_name(people,
      parameters.person)),
    { type = "text", style = "strong", text = from .. " – " .. to .. "   " ..
      T("Allergies: ", "Alergias: ") .. (#allergies > 0 and table.concat(allergies, ", ")
        or T("none recorded", "ninguna anotada")) },
    heading(T("Scheduled", "Programadas"), 2),
    table_of(labels, rows),
    note(T("G given, R refused, A absent, H held, M missed (nothing was recorded in time)",
           "G administrada, R rechazada, A ausente, H retenida, M omitida (nada se anotó a tiempo)")
      .. (day <= to and T(". The sheet has 31 days; the next begins on ",
        ". La hoja tiene 31 días; la siguiente empieza el ") .. day or "")),
    heading(T("As needed", "Según necesidad"), 2),
    table_of({ T("When", "Cuándo"), T("Order", "Orden"), T("Dose", "Dosis"), T("Code", "Código"),
               T("Reason", "Motivo"), T("Effect", "Efecto"), T("Seen at", "Visto a las") }, listed),
    heading(T("Initials", "Iniciales"), 2),
    table_of({ T("Initials", "Iniciales"), T("Name", "Nombre") }, legend),
    { type = "signature", label = T("Nurse", "Enfermera") },
  }
end

reports["controlled_count_sheet"] = function(parameters, needs, context)
  local T, people = texts(context), by_id(needs.people)
  for _, person in each(needs.witnesses) do people[person._id] = person end
  local rows = array()
  for _, count in ipairs(chosen(needs.counts, "at", { from = parameters.from, to = parameters.to },
    context)) do
    local expected = balance(count, needs) or own_balance(count)
    local variance = expected and decimal.sub(exact(count.counted), expected)
    rows[#rows + 1] = { local_time(count.at, context), or_dash(count.previous),
      or_dash(count.received),
      or_dash(count.given), or_dash(count.wasted), or_dash(expected), count.counted,
        or_dash(variance),
      full_name(people, signer(count.by)), full_name(people, signer(count.witness)) }
  end
  local lot = needs.lot
  return {
    heading(T("Controlled count", "Recuento de controlados")),
    note(T("Lot ", "Lote ") .. (lot and (lot.lot or lot._id) or parameters.lot) ..
         (lot and lot.expiry and (T(", expires ", ", vence ") .. lot.expiry) or "")),
    table_of({ T("Date", "Fecha"), T("Previous", "Anterior"), T("Received", "Recibido"), T("Given",
      "Administrado"),
               T("Wasted", "Desechado"), T("Expected", "Esperado"), T("Counted", "Contado"),
               T("Variance", "Diferencia"), T("Counted by", "Contado por"), T("Witness",
                 "Testigo") }, rows),
    { type = "signature", label = T("Nurse", "Enfermera") },
  }
end

reports["injection_log"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, people, doses = texts(context), by_id(needs.people), by_id(needs.doses)
  local orders, lines = by_id(needs.orders), array()
  for _, injection in each(needs.injections) do
    local dose = doses[injection.administration]
    if kept(injection) and kept(dose) then
      local order = orders[dose.order]
      lines[#lines + 1] = { _id = injection._id, at = dose.at, person = dose.person, drug = order
        and order.drug,
        lot = injection.lot, expiry = injection.expiry, place = say(injection.body_site),
        by = dose.by }
    end
  end
  for _, shot in each(needs.immunizations) do
    if kept(shot) and shot.status == "completed" then
      lines[#lines + 1] = { _id = shot._id, at = shot.at, person = shot.person, drug = shot.vaccine,
        lot = shot.lot, expiry = shot.expiry, place = say(shot.body_site), by = shot.by }
    end
  end
  local rows = array()
  for _, line in ipairs(chosen(lines, "at", parameters, context)) do
    rows[#rows + 1] = { local_time(line.at, context), full_name(people, line.person),
      or_dash(line.drug),
      or_dash(line.lot), or_dash(line.expiry), ((line.place or "-"):gsub("_", " ")),
        full_name(people, line.by) }
  end
  return {
    heading(T("Injections and immunizations", "Inyecciones y vacunas")),
    table_of({ T("When", "Cuándo"), T("Person", "Persona"), T("Drug", "Medicamento"), T("Lot",
      "Lote"),
               T("Expiry", "Vencimiento"), T("Site", "Sitio"), T("By", "Por") }, rows),
  }
end

-- Who may give what, and until when. Of a child only the name shows, to those who care for it.
reports["delegation_overview"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, people, orders = texts(context), by_id(needs.people), by_id(needs.orders)
  local today, rows = parameters.on or date.of(context.now, context.zone), array()
  for _, one in each(needs.delegations) do
    if kept(one) then
      local state = T("holds", "vigente")
      if is_rescinded(one, nil, today) then state = T("rescinded", "revocada")
      elseif one.valid_through < today then state = T("expired", "vencida")
      elseif one.trained_on > today then state = T("not yet", "aún no") end
      local order, routes = orders[one.task_or_order], {}
      for i, route in each(one.routes) do routes[i] = say(route) end
      rows[#rows + 1] = { full_name(people, one.para), full_name(people, one.nurse),
        for_everybody(one) and T("everybody", "todas") or full_name(people, one.person),
        order and order.drug or one.task_or_order, table.concat(routes, ", "),
          one.trained_on,
        one.valid_through, date.diff(today, one.valid_through), state }
    end
  end
  table.sort(rows, function(a, b) return a[1] .. a[7] .. a[4] .. a[3] < b[1] .. b[7] .. b[4]
    .. b[3] end)
  return {
    heading(T("Delegations on ", "Delegaciones al ") .. today),
    table_of({ T("Delegated to", "Delegada a"), T("Nurse", "Enfermera"), T("For", "Para"),
      T("Task or order", "Tarea u orden"),
               T("Routes", "Vías"), T("Trained", "Capacitada"), T("Valid through", "Válida hasta"),
               T("Days left", "Días restantes"), T("State", "Estado") }, rows),
  }
end

reports["med_errors"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, people, rows = texts(context), by_id(needs.people), array()
  for _, one in ipairs(chosen(needs.errors, "found_at", { from = parameters.from,
    to = parameters.to }, context)) do
    rows[#rows + 1] = { local_time(one.found_at or one.nurse_told_at, context),
      or_dash(say(one.type)),
      full_name(people, one.found_by), local_time(one.nurse_told_at, context),
        local_time(one.guardian_told_at, context),
      local_time(one.prescriber_told_at, context), or_dash(one.outcome) }
  end
  return {
    heading(T("Medication errors", "Errores de medicación")),
    table_of({ T("Found", "Descubierto"), T("Type", "Tipo"), T("By", "Por"), T("Nurse told",
      "Enfermera avisada"),
               T("Guardian told", "Tutor avisado"), T("Prescriber told", "Prescriptor avisado"),
                 T("Outcome", "Resultado") }, rows),
  }
end

-- For lunch and trips: the allergy and what to do, nothing else (minimum necessary, MED-R17).
reports["allergy_card"] = function(parameters, needs, context)
  local T, people, rows = texts(context), by_id(needs.people), array()
  local function add(id, allergy)
    rows[#rows + 1] = { full_name(people, id), allergy.substance, allergy.action
      or T("Call the nurse", "Llamar a la enfermera") }
  end
  for _, profile in each(needs.profiles) do
    for _, allergy in each(kept(profile) and profile.allergies or {}) do add(profile.person,
      allergy) end
  end
  for _, allergy in each(needs.allergies) do
    if kept(allergy) then add(allergy.person, allergy) end
  end
  table.sort(rows, function(a, b) return a[1] .. "\0" .. a[2] < b[1] .. "\0" .. b[2] end)
  return {
    heading(T("Allergies", "Alergias")),
    table_of({ T("Person", "Persona"), T("Allergy", "Alergia"), T("What to do", "Qué hacer") },
      rows),
  }
end
