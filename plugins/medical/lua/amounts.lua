-- Units, concentrations and exact amounts.

local common = require "common"
local exact = common.exact

local scale = {
  mcg = { "mass", "0.001" }, ug = { "mass", "0.001" }, mg = { "mass", "1" },
  g = { "mass", "1000" }, kg = { "mass", "1000000" },
  ml = { "volume", "1" }, l = { "volume", "1000" },
}

local function unit_name(unit)
  local folded = names.fold(unit or "")
  if scale[folded] == nil and #folded > 2 then folded = folded:gsub("s$", "") end
  return folded
end

-- A quotient without the zeros that its places bring: "600", not "600.000000000000".
local function quotient(a, b)
  local value = decimal.div(a, b, 12)
  if value:find(".", 1, true) then value = value:gsub("0+$", ""):gsub("%.$", "") end
  return value
end

local function converted(value, unit, target)
  unit, target = unit_name(unit), unit_name(target)
  if unit == target then return value end
  local from, to = scale[unit], scale[target]
  if from == nil or to == nil or from[1] ~= to[1] then return nil end
  return quotient(decimal.mul(value, from[2]), to[2])
end

-- "160 mg/5 mL" -> 160, mg, 5, mL; "5 mg/tablet" -> 5, mg, 1, tablet.
local function concentration(order)
  local said = order and order.concentration
  if said == nil then return nil end
  local amount, unit, per,
    per_unit = said:match("^%s*([%d.]+)%s*([^%d%s/]+)%s*/%s*([%d.]*)%s*(%S+)")
  if amount == nil then return nil end
  if per == "" then per = "1" end
  if not decimal.valid(amount) or not decimal.valid(per) or decimal.compare(per, "0") <= 0 or
     decimal.compare(amount, "0") <= 0 then
    return nil
  end
  return amount, unit, per, per_unit
end

-- A value in `unit` as `target`, through the order's concentration where it takes one.
local function measured(value, unit, target, order)
  local direct = converted(value, unit, target)
  if direct then return direct end
  local amount, amount_unit, per, per_unit = concentration(order)
  if amount == nil then return nil end
  local drawn = converted(value, unit, per_unit)
  if drawn then
    return converted(quotient(decimal.mul(drawn, amount), per), amount_unit, target)
  end
  local active = converted(value, unit, amount_unit)
  if active then
    return converted(quotient(decimal.mul(active, per), amount), per_unit, target)
  end
  return nil
end

local function amount_of(dose, order, target)
  local value = exact(dose.dose) or exact(order and order.dose)
  if value == nil then return nil end
  local unit = dose.unit or (order and order.unit) or target
  return measured(value, unit, target, order)
end

return {
  quotient = quotient, concentration = concentration, measured = measured, amount_of = amount_of,
}
