-- The values of fields that offer a choice, as people read them; what is not here is shown as it is.

local ES = {
  oral = "oral", inhaled = "inhalada", nasal = "nasal", topical = "tópica", eye = "ojo",
  ear = "oído", rectal = "rectal", intramuscular = "intramuscular",
  subcutaneous = "subcutánea", gastrostomy = "gastrostomía", other = "otra",
  left_deltoid = "deltoides izquierdo", right_deltoid = "deltoides derecho",
  left_thigh = "muslo izquierdo", right_thigh = "muslo derecho", abdomen = "abdomen",
  returned = "volvió a clase", home = "a casa", referred = "derivado", ["911"] = "911",
  administrative = "administrativo", chairside = "en el sillón", clinical = "clínico",
  laboratory = "laboratorio", radiological = "radiológico",
  passed = "superada", not_yet = "todavía no",
  documentation = "documentación", missed = "omitida", wrong_dose = "dosis equivocada",
  wrong_drug = "medicamento equivocado", wrong_person = "persona equivocada",
  wrong_route = "vía equivocada", wrong_time = "hora equivocada",
}

-- For the reader of a report: a function of the value.
return function(context)
  return function(value)
    if value == nil then return nil end
    if context.language == "es" and ES[value] then return ES[value] end
    return ES[value] and (string.gsub(value, "_", " ")) or value
  end
end
