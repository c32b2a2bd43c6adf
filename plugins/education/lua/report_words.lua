-- English words of the reports with their Spanish.

local families = require "families"
local language = families.language

-- English words of the reports with their Spanish; what is not here is shown as it is.
local ES = {
  ["Student"] = "Estudiante", ["Days enrolled"] = "Días inscrito", ["Present"] = "Presente",
  ["Percent"] = "Por ciento", ["Open conflicts"] = "Conflictos abiertos", ["Date"] = "Fecha",
  ["Attendance"] = "Asistencia", ["Codes"] = "Códigos", ["School days"] = "Días de clase",
  ["Two codes for one day"] = "Dos códigos para un día", ["Behavior"] = "Conducta",
  ["Times per hour"] = "Veces por hora", ["Rate per hour"] = "Veces por hora",
  ["From"] = "Desde", ["To"] = "Hasta", ["Minutes"] = "Minutos", ["Count"] = "Número",
  ["Observer"] = "Observa", ["Note"] = "Nota", ["not observed"] = "sin observación",
  ["overlaps, not summed"] = "se solapa, no se suma", ["second observer"] = "segundo observador",
  ["Plan from"] = "Plan desde", ["Before"] = "Antes", ["After"] = "Después", ["Hour"] = "Hora",
  ["Patterns"] = "Patrones", ["Time of day"] = "Hora del día", ["Events"] = "Sucesos",
  ["Service"] = "Servicio", ["Aide"] = "Auxiliar", ["Prescribed"] = "Previstos",
  ["Delivered"] = "Prestados", ["Missed: absent"] = "Falta: ausente",
  ["Missed: cancelled"] = "Falta: cancelado", ["Missed: staff"] = "Falta: personal",
  ["Missed: other"] = "Falta: otro", ["Missed: no reason"] = "Falta: sin motivo",
  ["Progress report"] = "Informe de progreso", ["Goal"] = "Objetivo", ["Value"] = "Valor",
  ["What helped"] = "Qué ayudó", ["What is next"] = "Qué sigue", ["Summary"] = "Resumen",
  ["What the class learns"] = "Qué aprende la clase", ["Teacher"] = "Docente",
  ["Approved by"] = "Aprobado por", ["Period"] = "Periodo", ["worked"] = "funcionó",
  ["Not approved yet: do not send."] = "Sin aprobar: no lo envíe.",
  ["Dear family,"] = "Estimada familia:", ["times"] = "veces", ["Help given"] = "Ayuda dada",
  ["this is how your child is doing."] = "así va su hijo o hija.", ["First"] = "Al inicio",
  ["Now"] = "Ahora", ["Target"] = "Meta", ["No measurements in this period."] =
    "No hay mediciones en este periodo.", ["Test"] = "Examen", ["Room"] = "Sala",
  ["Test giver"] = "Aplica el examen", ["Accommodation"] = "Adaptación", ["Planned"] = "Prevista",
  ["Given"] = "Dada", ["Minutes allowed"] = "Minutos permitidos",
  ["Minutes used"] = "Minutos usados", ["yes"] = "sí", ["no"] = "no", ["no entry"] = "sin entrada",
  ["Irregularities"] = "Irregularidades", ["none"] = "ninguna", ["Destination"] = "Destino",
  ["Leaves"] = "Salida", ["Returns"] = "Regreso", ["Consent"] = "Permiso",
  ["Phones of guardians"] = "Teléfonos de tutores", ["Allergies"] = "Alergias",
  ["Medicine"] = "Medicamento", ["Medicines"] = "Medicamentos", ["Time"] = "Hora",
  ["Head counts"] = "Recuentos", ["Expected"] = "Previstos", ["Counted"] = "Contados",
  ["Checkpoint"] = "Punto de control", ["By"] = "Por", ["Trip leader"] = "Responsable",
  ["Carried by"] = "Lo lleva", ["Staff"] = "Personal", ["Setting"] = "Entorno",
  ["Languages"] = "Idiomas", ["For whom"] = "Para quién", ["Interpreter"] = "Intérprete",
  ["Qualified"] = "Cualificado", ["Minutes in all"] = "Minutos en total", ["Place"] = "Lugar",
  ["Students expected"] = "Estudiantes previstos", ["Students per adult"] =
    "Estudiantes por adulto", ["Most"] = "Máximo",
  ["Gaps without cover"] = "Huecos sin vigilancia",
  ["over"] = "excedido", ["nobody"] = "nadie", ["Hours a week"] = "Horas por semana",
  ["IEP from"] = "IEP desde", ["IEP review"] = "Revisión del IEP", ["IEP to"] = "IEP hasta",
  ["Students"] = "Estudiantes", ["not given"] = "sin dato", ["By setting"] = "Por entorno",
  ["review is before the IEP begins"] = "la revisión es anterior al inicio",
  ["review overdue"] = "revisión vencida", ["Placements"] = "Ubicaciones", ["Type"] = "Tipo",
  ["Group"] = "Grupo", ["Activity"] = "Actividad", ["Class"] = "Clase", ["Week"] = "Semana",
  ["Picked up"] = "Recogido", ["Minutes of support by class and week"] =
    "Minutos de apoyo por clase y semana", ["One-to-one minutes"] = "Minutos individuales",
  ["Outcome"] = "Resultado", ["What was done"] = "Qué se hizo", ["Request"] = "Petición",
  ["State"] = "Estado", ["Decided by"] = "Decidido por", ["Prompted"] = "Animado",
  ["Spoke up"] = "Habló", ["Correct"] = "Acertó", ["Assignment"] = "Tarea", ["Score"] = "Puntos",
  ["Key"] = "Clave", ["Graded by"] = "Calificado por", ["waiting for approval"] =
    "espera aprobación", ["Scores"] = "Notas", ["Grading queue"] = "Por aprobar",
  ["Rule"] = "Norma", ["Action"] = "Medida", ["Referred to"] = "Remitido a",
  ["Minutes lost"] = "Minutos perdidos", ["Disruptions by class"] = "Interrupciones por clase",
  ["Strategies"] = "Estrategias", ["Baseline"] = "Línea base", ["Definition"] = "Definición",
  ["Read and acknowledged by"] = "Leído y aceptado por", ["Owner"] = "Responsable",
  ["Strategy"] = "Estrategia", ["Used"] = "Usada", ["Worked"] = "Funcionó",
  ["Partly"] = "En parte", ["Did not"] = "No funcionó", ["Praise to correction"] =
    "Elogios por corrección", ["Redirects per hour observed"] = "Redirecciones por hora observada",
  ["Behaviors"] = "Conductas", ["Unit"] = "Unidad", ["goal"] = "meta", ["in all"] = "en total",
  ["Participation"] = "Participación", ["Lunch"] = "Almuerzo",
  ["ask the nurse"] = "pregunte a enfermería",
  ["(left out: it names another student)"] = "(omitido: nombra a otro estudiante)",
  ["Excused Absence"] = "Ausencia justificada", ["Unexcused Absence"] = "Ausencia injustificada",
  ["Tardy"] = "Tarde", ["Early departure"] = "Salida anticipada", ["Partial"] = "Parcial",
  ["Person"] = "Persona", ["Duty class"] = "Clase de tarea", ["Diploma"] = "Diploma",
  ["Hours of study"] = "Horas de estudio", ["Degree"] = "Título", ["Assessment"] = "Examen",
  ["Qualification"] = "Cualificación", ["Why"] = "Por qué", ["instruction"] = "enseñanza",
  ["other duties"] = "otras tareas", ["exempt"] = "exento", ["degree"] = "título",
  ["assessment passed"] = "examen aprobado", ["two years of study"] = "dos años de estudio",
  ["no secondary diploma"] = "sin diploma de secundaria", ["hours are missing"] = "faltan horas",
  ["no Title I program"] = "sin programa Título I", ["class"] = "clase", ["hallway"] = "pasillo",
  ["recess"] = "recreo", ["lunch"] = "almuerzo", ["bus"] = "autobús", ["trip"] = "excursión",
  ["arrival"] = "llegada", ["dismissal"] = "salida", ["independent"] = "sin ayuda",
  ["gesture"] = "gesto", ["verbal"] = "de palabra", ["model"] = "con ejemplo",
  ["partial_physical"] = "algo de ayuda física", ["full_physical"] = "ayuda física",
  ["scheduling"] = "horario", ["settings"] = "lugar", ["equipment/technology"] = "aparatos",
  ["test administration"] = "aplicación del examen", ["test material"] = "material del examen",
  ["test response"] = "forma de responder", ["other"] = "otro",
  ["open_house"] = "jornada abierta", ["conference"] = "entrevista", ["phone"] = "teléfono",
  ["IEP_meeting"] = "reunión del IEP", ["written"] = "por escrito",
  ["small_group"] = "grupo pequeño", ["after_class"] = "después de clase",
  ["general_ed"] = "aula ordinaria", ["special_ed"] = "educación especial",
  ["community"] = "comunidad", ["reminder"] = "recordatorio", ["violation"] = "infracción",
  ["disruption"] = "interrupción", ["safety"] = "seguridad", ["coping"] = "afrontamiento",
  ["reinforcement"] = "refuerzo", ["redirect"] = "redirección", ["environment"] = "entorno",
  ["correction"] = "corrección", ["emotional"] = "emocional", ["guidance"] = "orientación",
  ["nurture"] = "cuidado", ["modeling"] = "dar ejemplo", ["asked"] = "pedida",
  ["accepted"] = "aceptada", ["declined"] = "rechazada", ["instructional"] = "enseñanza",
  ["linguistic"] = "lingüística", ["behavioral"] = "conducta",
  ["a person checks this"] = "una persona lo revisa", ["Not shown"] = "No se muestra",
}

local function words(tag)
  local spanish = tag and language(tag) == "es"
  return function(text)
    if spanish then return ES[text] or text end
    -- A choice of a field, such as small_group, is shown as words.
    return ES[text] and (string.gsub(text, "_", " ")) or text
  end
end

return { words = words }
