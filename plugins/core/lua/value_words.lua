-- The values of fields that offer a choice, as people read them; what is not here is shown as it is.

local ES = {
  -- duties and shifts
  urgent = "urgente", high = "alta", normal = "normal", low = "baja",
  open = "abierta", started = "empezada", done = "hecha", deferred = "pospuesta",
  cancelled = "cancelada", moved = "movida", reassigned = "reasignada",
  duty = "servicio", meeting = "reunión", travel = "traslado",
  supervision = "vigilancia", admin = "administrativa", class = "clase", instruction = "enseñanza",
  -- contacts and explanations
  email = "correo", in_person = "en persona", letter = "carta", phone = "teléfono",
  text = "mensaje", video = "vídeo", family = "familia",
  demonstration = "demostración", drawing = "dibujo", example = "ejemplo",
  plain_words = "palabras sencillas", translation = "traducción",
  yes = "sí", no = "no", partly = "en parte",
  -- support, needs, feedback
  emotional = "emocional", guidance = "orientación", nurture = "cuidado", modeling = "ejemplo",
  other = "otro", linguistic = "lingüístico", instructional = "enseñanza",
  behavioral = "conducta", advice = "consejo", concern = "preocupación", praise = "elogio",
  worked = "funcionó",
  -- training, sites, papers, audit
  training = "formación", activity = "actividad", school = "escuela", medical = "sanitaria",
  legal = "jurídica", complete = "completo", draft = "borrador", final = "definitivo",
  retracted = "anulado", entered = "escrito", imported = "importado", device = "aparato",
  not_done = "no hecho", skipped = "omitido",
  ["core.contact_log"] = "Contacto", ["core.decision"] = "Decisión",
  ["core.disclosure"] = "Divulgación", ["core.incident"] = "Incidente",
  ["core.support_note"] = "Nota de apoyo", ["core.work_time"] = "Tiempo trabajado",
}

local EN = {
  ["core.contact_log"] = "Contact", ["core.decision"] = "Decision",
  ["core.disclosure"] = "Disclosure", ["core.incident"] = "Incident",
  ["core.support_note"] = "Support note", ["core.work_time"] = "Time worked",
}

-- For the reader of a report: a function of the value.
return function(context)
  return function(value)
    if value == nil then return "" end
    if context.language == "es" and ES[value] then return ES[value] end
    return EN[value] or (ES[value] and (string.gsub(value, "_", " "))) or value
  end
end
