-- Allergies: MED-R05.

local common = require "common"
local asked, day_of, each, kept, softened =
  common.asked, common.day_of, common.each, common.kept, common.softened
local substances = require "substances"
local ingredients = substances.ingredients

-- MED-R05: the drug, what it contains and the classes of these, against recorded allergies.
local function words(text) return " " .. names.fold(text) .. " " end

local function mentions(text, term)
  if term == "" then return false end
  local said = words(text)
  -- A pattern is at most 256 bytes; nobody writes a longer name inside another.
  if #term > 250 then return said == words(term) end
  return said:find(" " .. term .. " ", 1, true) ~= nil or said:find(" " .. term .. "s ", 1,
    true) ~= nil
end

-- Every name under which an allergy to this order may be written.
local function allergy_terms(order, classes, day)
  local terms = ingredients(order)
  if order.drug then terms[#terms + 1] = names.fold(order.drug) end
  local known = {}
  for _, class in each(config.drug_classes) do known[#known + 1] = class end
  for _, class in each(classes) do
    if kept(class) and (class.from == nil or class.from <= day) then known[#known + 1] = class end
  end
  local own = #terms
  for _, class in ipairs(known) do
    local member = false
    for i = 1, own do
      for _, name in each(class.members) do
        member = member or mentions(terms[i], names.fold(name))
      end
    end
    if member then
      terms[#terms + 1] = names.fold(class.name)
      for _, name in each(class.names) do terms[#terms + 1] = names.fold(name) end
    end
  end
  return terms
end

local function is_allergic(allergy, terms)
  for _, term in ipairs(terms) do
    if mentions(allergy.substance or "", term) or mentions(allergy.class or "",
      term) then return true end
    local substance = names.fold(allergy.substance or "")
    if mentions(term, substance) then return true end
  end
  return false
end

rules["MED-R05"] = function(record, needs, context)
  local order = record._kind == "medical.medication_order" and record or needs.order
  if order == nil or (order ~= record and not asked(record)) then return nil end
  local at = order == record and order.start or record.at
  local day = day_of(at, record, context) or day_of(record._created, record, context)
  local terms, found = allergy_terms(order, needs.classes, day), {}
  local function look(allergy, source)
    if is_allergic(allergy, terms) then
      local records = { source._id }
      if order ~= record then records[2] = order._id end
      found[#found + 1] = softened({
        code = "allergy", path = order == record and "/drug" or "/order", records = records,
        values = { drug = order.drug or "", allergy = allergy.substance or allergy.class,
                   reaction = allergy.reaction or "-" },
      }, order)
    end
  end
  for _, profile in each(needs.profiles) do
    if kept(profile) then
      for _, allergy in each(profile.allergies) do
        local count = #found
        look(allergy, profile)
        if #found > count then break end
      end
    end
  end
  for _, allergy in each(needs.allergies) do
    -- An allergy that became known later does not taint what was given before.
    if kept(allergy) and (allergy.noted_on == nil or allergy.noted_on <= day) then look(allergy,
      allergy) end
  end
  return found
end
