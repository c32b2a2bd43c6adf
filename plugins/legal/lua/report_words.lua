-- English words of the reports with their Spanish.

local spanish = {
  ["Legal deadlines"] = "Plazos judiciales", ["Deadline"] = "Plazo",
  ["Due"] = "Vence", ["Matter"] = "Asunto", ["What is due"] = "Qué vence", ["Rule"] = "Norma",
  ["Steps of the count"] = "Pasos del cálculo", ["Reviewed by"] = "Revisado por",
  ["Days left"] = "Días restantes", ["not reviewed"] = "sin revisar", ["Done"] = "Hecho",
  ["computed"] = "calculado", ["Deadline, matter"] = "Plazo, asunto",
  ["Entries behind a matter's wall that are not shown:"] =
    "Datos de asuntos restringidos que no se muestran:",
  ["This is a proposal, not legal advice: an attorney decides."] =
    "Es una propuesta, no un consejo jurídico: decide un abogado.",
  ["Matter sheet"] = "Ficha del asunto", ["Number"] = "Número", ["Title"] = "Título",
  ["Client"] = "Cliente", ["Attorney"] = "Abogado", ["Opened"] = "Abierto",
  ["Closed"] = "Cerrado", ["Status"] = "Estado", ["Court"] = "Tribunal",
  ["Parties"] = "Partes", ["Name"] = "Nombre", ["Side"] = "Lado",
  ["Other names"] = "Otros nombres", ["client"] = "cliente", ["adverse"] = "contraria",
  ["other"] = "otra", ["Conflict report"] = "Informe de conflictos",
  ["Other matter"] = "Otro asunto", ["Result"] = "Resultado", ["conflict"] = "conflicto",
  ["related"] = "relacionado", ["decided"] = "decidido", ["No hits."] = "Sin coincidencias.",
  ["Conflict checks"] = "Comprobaciones de conflictos", ["Names"] = "Nombres", ["At"] = "Fecha",
  ["By"] = "Por", ["Decision"] = "Decisión", ["Decided by"] = "Decidido por",
  ["No conflict check is recorded."] = "No hay ninguna comprobación registrada.",
  ["clear"] = "sin conflicto", ["waived"] = "dispensado", ["declined"] = "rechazado",
  ["pending"] = "pendiente", ["Field"] = "Campo", ["Value"] = "Valor",
  ["Time and billing"] = "Tiempo y facturación", ["Date"] = "Fecha", ["Person"] = "Persona",
  ["Minutes"] = "Minutos", ["Hours"] = "Horas", ["Narrative"] = "Descripción", ["Task"] = "Tarea",
  ["Activity"] = "Actividad", ["Billable"] = "Facturable", ["Rate"] = "Tarifa",
  ["Total"] = "Total", ["yes"] = "sí", ["no"] = "no", ["Expenses"] = "Gastos", ["Code"] = "Código",
  ["Units"] = "Unidades", ["Unit cost"] = "Costo por unidad", ["Totals"] = "Totales",
  ["Kind"] = "Tipo", ["Billable hours"] = "Horas facturables", ["Amount"] = "Importe",
  ["task"] = "tarea", ["activity"] = "actividad", ["expense"] = "gasto", ["all"] = "todo",
  ["Double bookings"] = "Horas dobles", ["Minutes in both"] = "Minutos en ambos",
  ["First"] = "Primero", ["Second"] = "Segundo", ["none"] = "ninguno",
  ["Privilege log"] = "Registro de privilegio", ["CLE status"] = "Formación jurídica continua",
  ["Credential"] = "Credencial", ["Period"] = "Periodo", ["Needed"] = "Necesarias",
  ["Ethics"] = "Ética", ["Ethics needed"] = "Ética necesaria", ["Missing"] = "Faltan",
  ["Ethics missing"] = "Ética, faltan", ["Unit"] = "Unidad", ["May renew from"] = "Renovable desde",
  ["Activities"] = "Actividades", ["Provider"] = "Organizador", ["Category"] = "Categoría",
  ["Source"] = "Fuente", ["Training delivered"] = "Formación impartida", ["Topic"] = "Tema",
  ["Trainer"] = "Instructor", ["Trainees"] = "Aprendices", ["complete"] = "completo",
  ["Control no."] = "N.º de control", ["Bates"] = "Bates", ["Type"] = "Tipo", ["Author"] = "Autor",
  ["To"] = "Para", ["Cc"] = "Cc", ["Bcc"] = "Cco", ["Description"] = "Descripción",
  ["withheld"] = "retenido", ["redacted"] = "tachado",
  ["Basis"] = "Fundamento", ["Withheld or redacted"] = "Retenido o tachado",
  ["Attorneys"] = "Abogados", ["Not exported"] = "No exportado",
}

local function words_of(context)
  local in_spanish = (context.language or "en"):sub(1, 2) == "es"
  return function(english)
    return in_spanish and spanish[english] or english
  end
end

return { words_of = words_of }
