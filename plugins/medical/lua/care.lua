-- Emergencies, vital signs, injections, procedures: MED-R10, R13, R15, R16.

local common = require "common"
local by_id, clock, day_of, each, emergency, exact, given, has_role, kept, softened, within =
  common.by_id, common.clock, common.day_of, common.each, common.emergency, common.exact,
  common.given, common.has_role, common.kept, common.softened, common.within
local delegation = require "delegation"
local contains, for_everybody, is_rescinded =
  delegation.contains, delegation.for_everybody, delegation.is_rescinded

-- MED-R10: the calls of an emergency. Nothing here ever stops a dose.
local calls = { { "called_911_at", "no_911" }, { "guardian_called_at", "no_guardian" },
                { "nurse_called_at", "no_nurse" } }

rules["MED-R10"] = function(record, needs)
  if record._kind == "medical.medication_administration" then
    if record.status ~= "completed" or not emergency(needs.order) then return nil end
    for _, response in each(needs.responses) do
      if kept(response) then return nil end
    end
    return { code = "no_response", path = "/order", records = { needs.order._id } }
  end
  local found = {}
  local drug = names.fold(record.drug_given or "")
  local exempt = drug ~= "" and text.find(drug, config.no_call_drugs) ~= nil
  for _, call in ipairs(exempt and {} or calls) do
    if record[call[1]] == nil then found[#found + 1] = { code = call[2], path = "/" .. call[1] } end
  end
  if record.second_dose_at and record.at then
    local passed = instant.minutes(record.at, record.second_dose_at)
    if passed < config.second_dose_from_min or passed > config.second_dose_to_min then
      found[#found + 1] = { code = "second_dose", path = "/second_dose_at", severity = "warn",
        values = { minutes = passed, from = config.second_dose_from_min,
          to = config.second_dose_to_min } }
    end
  end
  if record.stock_replaced == false then
    found[#found + 1] = { code = "stock", path = "/stock_replaced", severity = "warn" }
  end
  return found
end

local function outside(value, limits)
  if value == nil or limits == nil then return false end
  local low, high = exact(limits.min), exact(limits.max)
  return (low ~= nil and decimal.compare(value, low) < 0) or
         (high ~= nil and decimal.compare(value, high) > 0)
end

-- MED-R13: no body has such a value: a typing error, refused.
rules["MED-R13"] = function(record)
  local found = {}
  local function look(field, limits, name)
    local value = exact(record[field])
    if outside(value, limits) then
      found[#found + 1] = { code = "impossible", path = "/" .. field,
        values = { name = name, value = value, min = tostring(limits.min or "-"),
          max = tostring(limits.max or "-") } }
    end
  end
  if record._kind == "medical.pain_score" then
    for _, known in each(config.pain_scales) do
      if names.fold(known.scale) == names.fold(record.scale or "") then look("value", known,
        known.scale) end
    end
    return found
  end
  for name, limits in pairs(config.vital_bounds) do look(name, limits, name) end
  local upper, lower = exact(record.bp_sys), exact(record.bp_dia)
  if upper and lower and decimal.compare(upper, lower) <= 0 then
    found[#found + 1] = { code = "pressure", path = "/bp_dia", values = { upper = upper,
      lower = lower } }
  end
  return found
end

-- MED-R13, the person's own limits, of a plan that holds on that day.
rules["MED-R13-plan"] = function(record, needs, context)
  local found, day = {}, day_of(record.at, record, context)
  for _, plan in each(needs.plans) do
    if day and kept(plan) and within(day, plan.from, plan.to) then
      for name, limits in pairs(plan.limits or {}) do
        if outside(exact(record[name]), limits) then
          found[#found + 1] = { code = "tell_nurse", path = "/" .. name, records = { plan._id },
            values = { name = name, value = exact(record[name]), min = tostring(limits.min or "-"),
                       max = tostring(limits.max or "-") } }
          break
        end
      end
    end
  end
  return found
end

-- MED-R15: route, rotation, container. Lot and expiry are MED-R09's.
rules["MED-R15"] = function(injection, needs, context)
  local found = {}
  local dose, order = needs.administration, needs.order
  if injection.sharps_container == false or injection.sharps_container == "" then
    found[#found + 1] = { code = "no_container", path = "/sharps_container", severity = "warn" }
  end
  if not kept(dose) or dose.at == nil then return found end
  local route = dose.route or (order and order.route)
  local day = day_of(dose.at, dose, context)
  local allowed, limited = false, {}
  if not has_role(needs.roles, config.licensed_roles, day) then
    for _, one in each(needs.delegations) do
      local holds = kept(one) and within(day, one.trained_on, one.valid_through) and
        not is_rescinded(one, dose.at, day) and
        (for_everybody(one) or one.person == dose.person)
      if holds and #(one.routes or {}) > 0 then
        limited[#limited + 1] = one._id
        allowed = allowed or contains(one.routes, route)
      elseif holds then
        allowed = true
      end
    end
  end
  if #limited > 0 and route and not allowed then
    found[#found + 1] = softened({ code = "route", path = "/administration", records = limited,
                                   values = { route = route } }, order)
  end
  if order and order.rotate_sites == false then return found end
  -- The injections of the same order just before and just after.
  local at = { [injection._id] = dose }
  local doses = by_id(needs.order_doses)
  local all = { injection }
  for _, other in each(needs.injections) do
    local of = doses[other.administration]
    if kept(other) and of and given(of) and other._id ~= injection._id then
      at[other._id] = of
      all[#all + 1] = other
    end
  end
  table.sort(all, function(a, b)
    local order_of = instant.compare(at[a._id].at, at[b._id].at)
    return order_of < 0 or (order_of == 0 and a._id < b._id)
  end)
  for i = 2, #all do
    local earlier, later = all[i - 1], all[i]
    if earlier.body_site == later.body_site and (earlier == injection or later == injection) then
      found[#found + 1] = { code = "same_site", path = "/body_site", severity = "warn",
        records = { earlier == injection and later._id or earlier._id },
        values = { place = (later.body_site or ""):gsub("_", " "), last = clock(at[earlier._id].at,
          later, context) } }
    end
  end
  return found
end

-- MED-R16: a procedure that needs a certificate, on its day, wherever it was done.
rules["MED-R16"] = function(log, needs, context)
  local day = day_of(log.at or log._created, log, context)
  for _, demand in each(config.procedure_certificates) do
    local needed = (demand.category and demand.category == log.category) or
      (demand.procedure and log.procedure and
       text.find(names.fold(log.procedure), demand.procedure) ~= nil)
    if needed then
      local lapsed
      for _, credential in each(needs.credentials) do
        if kept(credential) and contains(demand.credentials, credential.type) then
          if within(day, credential.issued, credential.valid_through) then return nil end
          lapsed = credential
        end
      end
      return { code = lapsed and "lapsed" or "no_certificate", path = "/by",
               records = lapsed and { lapsed._id } or {},
               values = { procedure = log.procedure, day = day,
                          through = lapsed and (lapsed.valid_through or lapsed.issued) or "-",
                          types = table.concat(demand.credentials, ", ") } }
    end
  end
end
