-- Reports about instructions, explanations, support, feedback and contacts.

local common = require "common"
local blank, day_of, each, kept = common.blank, common.day_of, common.each, common.kept
local records = require "records"
local step_result = records.step_result
local daily = require "daily"
local sentence_length, unread = daily.sentence_length, daily.unread
local values_in = require "value_words"
local report_parts = require "report_parts"
local add_table, dated, moment, names_of, of_person, ordered, people_names, sheet, sums_by, texts,
  words_of =
  report_parts.add_table, report_parts.dated, report_parts.moment, report_parts.names_of,
  report_parts.of_person, report_parts.ordered, report_parts.people_names, report_parts.sheet,
  report_parts.sums_by, report_parts.texts, report_parts.words_of

reports["explanations"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, name = texts(context), people_names(needs.people)
  local rows, last = array(), {}
  for _, one in ipairs(dated(needs.explanations, "at", parameters, context)) do
    last[one.to .. "\1" .. one.topic] = one
    rows[#rows + 1] = {
      moment(one.at, one, context), one.topic, name(one.to), one.attempt_no or "", say(one.form),
      say(one.understood), one.checked_how or "", name(one.by),
    }
  end
  local waiting = array()
  for _, one in pairs(last) do
    if one.understood == "no" or one.understood == "partly" then
      waiting[#waiting + 1] = { one.topic, name(one.to), one.attempt_no or "", say(one.understood) }
    end
  end
  local blocks = sheet(T("Explanations", "Explicaciones"), {
    T("When", "Cuándo"), T("Topic", "Tema"), T("To", "A"), T("Attempt", "Intento"),
    T("Form", "Forma"), T("Understood", "Entendido"), T("How it was checked", "Cómo se comprobó"),
    T("By", "Por"),
  }, rows)
  return add_table(blocks, T("Not yet understood", "Aún no entendido"), {
    T("Topic", "Tema"), T("To", "A"), T("Attempt", "Intento"), T("Understood", "Entendido"),
  }, waiting)
end

reports["strategies"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, one in ipairs(dated(needs.notes, "at", parameters, context)) do
    rows[#rows + 1] = {
      day_of(one.at, one, context), one.problem, one.tried, say(one.result), name(one.by),
    }
  end
  return sheet(T("What was tried and what came of it", "Qué se probó y qué resultó"), {
    T("Date", "Fecha"), T("Problem", "Problema"), T("Tried", "Se probó"), T("Result", "Resultado"),
    T("By", "Por"),
  }, rows)
end

reports["feedback_summary"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, name = texts(context), people_names(needs.people)
  local rows, mine = array(), {}
  for _, one in ipairs(dated(needs.feedback, "at", parameters, context)) do
    if of_person(parameters, one.to) then
      mine[#mine + 1] = one
      rows[#rows + 1] = {
        day_of(one.at, one, context), name(one.to), say(one.kind), one.trait or "", one.text,
        name(one.by),
      }
    end
  end
  local sums = array()
  for _, sum in ipairs(sums_by(mine, function(one) return one.trait or say(one.kind) end,
    function() return 0 end)) do
    sums[#sums + 1] = { sum[1], sum[2] }
  end
  local blocks = sheet(T("Feedback", "Comentarios"), {
    T("Date", "Fecha"), T("To", "A"), T("Kind", "Clase"), T("Trait", "Cualidad"),
    T("Words", "Palabras"), T("By", "Por"),
  }, rows)
  return add_table(blocks, T("By trait", "Por cualidad"),
    { T("Trait", "Cualidad"), T("Times", "Veces") }, sums)
end

reports["contact_log"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, name = texts(context), people_names(needs.people)
  local rows, sent = array(), array()
  for _, one in ipairs(dated(needs.contacts, "at", parameters, context)) do
    rows[#rows + 1] = {
      moment(one.at, one, context), say(one.with), say(one.channel), one.language or "",
      one.minutes or "", one.summary or "", name(one.by),
    }
  end
  for _, one in ipairs(dated(needs.messages, "at", parameters, context)) do
    sent[#sent + 1] = {
      moment(one.at, one, context), one.to, say(one.channel), one.language or "", one.text,
      sentence_length(one.text), name(one.by),
    }
  end
  local blocks = sheet(T("Contacts", "Contactos"), {
    T("When", "Cuándo"), T("With", "Con"), T("Channel", "Medio"), T("Language", "Idioma"),
    T("Minutes", "Minutos"), T("Summary", "Resumen"), T("By", "Por"),
  }, rows)
  return add_table(blocks, T("Messages", "Mensajes"), {
    T("When", "Cuándo"), T("To", "A"), T("Channel", "Medio"), T("Language", "Idioma"),
    T("Text", "Texto"), T("Words a sentence", "Palabras por frase"), T("By", "Por"),
  }, sent)
end

reports["instructions"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, name = texts(context), people_names(needs.people)
  local waiting, deviations, acks_of = array(), array(), {}
  for _, ack in each(needs.acks) do
    if kept(ack) and ack.instruction then
      acks_of[ack.instruction] = acks_of[ack.instruction] or {}
      table.insert(acks_of[ack.instruction], ack)
    end
  end
  for _, one in ipairs(dated(needs.instructions, "at", parameters, context)) do
    local acks = acks_of[one._id] or {}
    local read_back, open = false, 0
    for _, ack in ipairs(acks) do read_back = read_back or not blank(ack.read_back) end
    for number, step in each(one.steps) do
      local result = step_result(step, number, acks)
      if result == nil then open = open + 1 end
      if result and result.result ~= "done" then
        deviations[#deviations + 1] = {
          moment(one.at, one, context), one.text, number .. ". " .. words_of({ step }),
          say(result.result), result.reason or T("no reason", "sin motivo"),
        }
      end
    end
    if not read_back or open > 0 then
      waiting[#waiting + 1] = {
        moment(one.at, one, context), one.text, name(one.from), names_of(one.to, name),
        read_back and T("yes", "sí") or T("no", "no"), open,
      }
    end
  end
  local blocks = sheet(T("Instructions still open", "Instrucciones abiertas"), {
    T("When", "Cuándo"), T("Instruction", "Instrucción"), T("From", "De"), T("To", "A"),
    T("Read back", "Repetida"), T("Steps open", "Pasos abiertos"),
  }, waiting)
  return add_table(blocks, T("Deviations", "Desviaciones"), {
    T("When", "Cuándo"), T("Instruction", "Instrucción"), T("Step", "Paso"),
    T("Result", "Resultado"), T("Reason", "Motivo"),
  }, deviations)
end

reports["unread_protocols"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, protocol in ipairs(ordered(needs.protocols, function(it) return it.name end)) do
    for _, person in ipairs(unread(protocol, needs.acks)) do
      rows[#rows + 1] = { protocol.name, protocol.version, protocol.in_force, name(person) }
    end
  end
  return sheet(T("Protocols not read yet", "Protocolos sin leer"), {
    T("Protocol", "Protocolo"), T("Version", "Versión"), T("In force", "En vigor"),
    T("Not read by", "Sin leer por"),
  }, rows)
end

reports["support_log"] = function(parameters, needs, context)
  local say = values_in(context)
  local T, name, rows, total = texts(context), people_names(needs.people), array(), 0
  for _, one in ipairs(dated(needs.notes, "at", parameters, context)) do
    total = total + (one.minutes or 0)
    rows[#rows + 1] = {
      moment(one.at, one, context), say(one.type), one.minutes or "", one.outcome or "", name(one.by),
    }
  end
  local blocks = sheet(T("Support of ", "Apoyo a ")
    .. people_names(needs.subject)(parameters.person), {
    T("When", "Cuándo"), T("Type", "Tipo"), T("Minutes", "Minutos"), T("Outcome", "Resultado"),
    T("By", "Por"),
  }, rows)
  blocks[#blocks + 1] = { type = "text", text = T("Minutes in all: ", "Minutos en total: ") .. total }
  return blocks
end
