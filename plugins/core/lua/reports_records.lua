-- Reports about records: incidents, papers, deliveries, files, decisions, findings.

local common = require "common"
local each, kept, signed = common.each, common.kept, common.signed
local daily = require "daily"
local earlier = daily.earlier
local papers = require "papers"
local paper_gaps = papers.paper_gaps
local values_in = require "value_words"
local report_parts = require "report_parts"
local add_table, dated, moment, names_of, ordered, people_names, sheet, texts, words_of =
  report_parts.add_table, report_parts.dated, report_parts.moment, report_parts.names_of,
  report_parts.ordered, report_parts.people_names, report_parts.sheet, report_parts.texts,
  report_parts.words_of

reports["incident_register"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, one in ipairs(dated(needs.incidents, "at", parameters, context)) do
    rows[#rows + 1] = {
      moment(one.at, one, context), one.place or "", names_of(one.about, name), one.what or "",
      one.response or "", name(one.reported_by), one.debrief or T("missing", "falta"),
    }
  end
  return sheet(T("Incidents", "Incidentes"), {
    T("When", "Cuándo"), T("Place", "Lugar"), T("About", "Sobre"), T("What happened", "Qué pasó"),
    T("What was done", "Qué se hizo"), T("Reported by", "Informa"),
    T("Debrief", "Conversación posterior"),
  }, rows)
end

reports["paperwork_completeness"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, name, last, rows = texts(context), people_names(needs.people), {}, array()
  for _, check in each(needs.checks) do
    local known = last[check.item]
    if kept(check) and (known == nil or earlier(known, check)) then last[check.item] = check end
  end
  local function checked(check)
    if check == nil then return "" end
    return name(check.by) .. " " .. moment(check.at, check, context) .. ": "
      .. (check.complete and T("complete", "completo") or T("not complete", "incompleto"))
  end
  for _, item in ipairs(dated(needs.items, "due", parameters, context)) do
    if item.state ~= "cancelled" then
      local fields, roles = paper_gaps(item)
      rows[#rows + 1] = {
        item.template, name(item.about), name(item.owner), moment(item.due, item, context),
        table.concat(fields, ", "), table.concat(roles, ", "), say(item.state),
        checked(last[item._id]),
      }
    end
  end
  return sheet(T("Paperwork", "Documentos"), {
    T("Item", "Documento"), T("About", "Sobre"), T("Owner", "Responsable"), T("Due", "Plazo"),
    T("Missing fields", "Campos que faltan"), T("Missing signatures", "Firmas que faltan"),
    T("State", "Estado"), T("Last check", "Última revisión"),
  }, rows)
end

reports["deliveries"] = function(parameters, needs, context)
  local T, name, items = texts(context), people_names(needs.people), {}
  for _, item in each(needs.items) do items[item._id] = item.template end
  local function row(one)
    return {
      moment(one.at, one, context), items[one.item] or one.item, one.to,
      signed(one.receipt) and moment(one.receipt.at, one, context) or "", name(one.by),
    }
  end
  local delivered, waiting = array(), array()
  for _, one in ipairs(dated(needs.deliveries, "at", parameters, context)) do
    local list = signed(one.receipt) and delivered or waiting
    list[#list + 1] = row(one)
  end
  local labels = { T("Handed over", "Entregado"), T("Paper", "Documento"), T("To", "A"),
    T("Receipt", "Recibo"), T("By", "Por") }
  local blocks = sheet(T("Without a receipt", "Sin recibo"), labels, waiting)
  return add_table(blocks, T("Received", "Recibido"), labels, delivered)
end

-- Who wrote what and when, with what was changed since. The whole history of one record is shown
-- by `dutybook history`.
reports["record_audit"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, name, all = texts(context), people_names(needs.people), {}
  for _, list in ipairs({
    needs.times, needs.contacts, needs.incidents, needs.notes, needs.decisions, needs.disclosures,
  }) do
    for _, one in ipairs(list) do all[#all + 1] = one end
  end
  table.sort(all, function(a, b)
    local first, second = a._created or "", b._created or ""
    if first ~= second then return first < second end
    return a._id < b._id
  end)
  local rows = array()
  for _, one in ipairs(all) do
    rows[#rows + 1] = {
      say(one._kind), moment(one.at or one.from, one, context), moment(one._created, one, context),
      one._changed ~= one._created and moment(one._changed, one, context) or "",
      name(one._on_behalf or one._by), one._device or "", say(one._source), say(one._status),
    }
  end
  return sheet(T("Records: who and when", "Registros: quién y cuándo"), {
    T("Kind", "Clase"), T("Happened", "Ocurrió"), T("Written down", "Se anotó"),
    T("Changed", "Cambiado"), T("By", "Por"), T("Device", "Equipo"), T("Source", "Origen"),
    T("State", "Estado"),
  }, rows)
end

reports["file_locator"] = function(parameters, needs, context)
  local T, name = texts(context), people_names(needs.people)
  local last, rows = {}, array()
  for _, move in ipairs(ordered(needs.moves, function(it) return it.folder end)) do
    local known = last[move.folder]
    if known == nil or earlier(known, move) then last[move.folder] = move end
  end
  for _, folder in ipairs(ordered(needs.folders, function(it) return it.name end)) do
    local move = last[folder._id]
    rows[#rows + 1] = {
      folder.name, folder.subject or "", folder.location, name(move and move.to or folder.holder),
      move and moment(move.at, move, context) or folder.from or "", folder.retention or "",
    }
  end
  return sheet(T("Where the files are", "Dónde están los expedientes"), {
    T("File", "Expediente"), T("Subject", "Asunto"), T("Kept at", "Se guarda en"),
    T("Who has it", "Quién lo tiene"), T("Since", "Desde"), T("Keep", "Conservar"),
  }, rows)
end

reports["answered_findings"] = function(parameters, needs, context)
  local T, rows = texts(context), array()
  for _, one in ipairs(dated(needs.answers, "at", parameters, context)) do
    rows[#rows + 1] = {
      moment(one.at, one, context), one.rule or "", words_of(one.records), one.answer, one.reason,
    }
  end
  return sheet(T("Inconsistencies and how they were settled",
    "Incoherencias y cómo se resolvieron"), {
    T("When", "Cuándo"), T("Rule", "Regla"), T("Records", "Registros"), T("Answer", "Respuesta"),
    T("Reason", "Motivo"),
  }, rows)
end

reports["decision_log"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, one in ipairs(dated(needs.decisions, "at", parameters, context)) do
    local waits = one.beyond_scope == true and one.reviewed_by == nil
    rows[#rows + 1] = {
      moment(one.at, one, context), one.what, one.why, words_of(one.options), name(one.by),
      one.authority or "", waits and T("to be reviewed", "por revisar") or name(one.reviewed_by),
    }
  end
  return sheet(T("Decisions", "Decisiones"), {
    T("When", "Cuándo"), T("Decision", "Decisión"), T("Why", "Por qué"), T("Options", "Opciones"),
    T("By", "Por"), T("Authority", "Autoridad"), T("Reviewed by", "Revisada por"),
  }, rows)
end
