-- Medical: rules and reports of clinics, dental offices and health offices of schools.
-- Nothing here is medical advice: a rule says what an order or a policy says, a person decides.
-- Sections: helpers; doses (R01-R07, R09, R11, R12, R14); counts (R08); emergencies, vitals,
-- injections, procedures (R10, R13, R15, R16); papers (R17, R18); training (R19);
-- reports.

-- Helpers -------------------------------------------------------------------------------------

local function each(list) return ipairs(list or {}) end

local function kept(record) return record ~= nil and record._status ~= "retracted" end

-- Exact decimal text of a field that may be a JSON number.
local function exact(value)
  if value == nil then return nil end
  value = tostring(value)
  return decimal.valid(value) and value or nil
end

local function zone_of(record, context) return record._zone or context.zone end

local function day_of(at, record, context)
  if at == nil then return nil end
  return #at == 10 and at or date.of(at, zone_of(record, context))
end

-- "2026-03-02 14:30", in the zone of the site that wrote the record.
local function clock(at, record, context)
  local zone = zone_of(record, context)
  return date.of(at, zone) .. " " .. instant.time(at, zone)
end

-- A person may be named with the space that holds the record: "district/p1" is p1.
local function signer(sig)
  local person = sig and (sig.person or sig.by)
  return person and person:match("[^/]+$")
end

local function within(day, from, to)
  return (from == nil or day >= from) and (to == nil or day <= to)
end

-- Month or date on a label: a month is good through its last day (labelling practice).
local function last_day(expiry)
  return #expiry == 7 and date.last_of_month(expiry) or expiry
end

-- A total order of doses, so that "the dose before" is the same one at every site. A record that
-- is only asked about has an id too.
local function before(a, b)
  local order = instant.compare(a.at, b.at)
  return order < 0 or (order == 0 and a._id < b._id)
end

-- Asked about, or given. What was refused, held or entered in error is no dose.
local function asked(dose) return dose.status == nil or dose.status == "completed" end
local function given(dose) return kept(dose) and dose.status == "completed" and dose.at ~= nil end

local function emergency(order) return order ~= nil and order.kind == "emergency" end

-- An emergency dose is never denied: every finding about it is at most a warning, and there is
-- nothing to wait for.
local function softened(found, order)
  if emergency(order) then
    found.severity = "warn"
    found.passes_at = nil
  end
  return found
end

local function by_id(list)
  local index = {}
  for _, record in each(list) do index[record._id] = record end
  return index
end

local function has_role(assignments, roles, day)
  for _, one in each(assignments) do
    if kept(one) and within(day, one.from, one.to) then
      for _, role in each(roles) do
        if names.fold(one.role or "") == names.fold(role) then return true end
      end
    end
  end
  return false
end

-- Units and amounts ---------------------------------------------------------------------------

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

-- Ingredients ---------------------------------------------------------------------------------

-- Folded names of what an order contains; its drug where it lists nothing.
local function ingredients(order)
  local list = {}
  for _, one in each(order and order.ingredients) do
    list[#list + 1] = names.fold(type(one) == "table" and (one.name or "") or one)
  end
  if #list == 0 and order and order.drug then list[1] = names.fold(order.drug) end
  table.sort(list)
  return list
end

-- What two doses are compared by: their order, and each ingredient.
local function keys_of(dose, orders)
  local keys = { "order " .. tostring(dose.order) }
  for _, name in ipairs(ingredients(orders[dose.order])) do keys[#keys + 1] = name end
  return keys
end

local function shares(keys, other)
  for _, a in ipairs(keys) do
    for _, b in ipairs(other) do
      if a == b then return true end
    end
  end
  return false
end

local function orders_of(needs)
  local orders = by_id(needs.orders)
  if needs.order then orders[needs.order._id] = needs.order end
  return orders
end

-- The doses just before and just after, by each thing they share: {earlier, later} pairs. Both
-- directions, so that the pair is found whichever of the two came in last.
local function neighbours(dose, needs, orders)
  local pairs_found, seen = {}, {}
  local function add(earlier, later, other)
    if other and not seen[other._id] then
      seen[other._id] = true
      pairs_found[#pairs_found + 1] = { earlier = earlier, later = later, other = other }
    end
  end
  for _, key in ipairs(keys_of(dose, orders)) do
    local previous, following
    for _, other in each(needs.doses) do
      if other._id ~= dose._id and given(other) and shares({ key }, keys_of(other, orders)) then
        if before(other, dose) then
          if previous == nil or before(previous, other) then previous = other end
        elseif following == nil or before(other, following) then
          following = other
        end
      end
    end
    add(previous, dose, previous)
    add(dose, following, following)
  end
  return pairs_found
end

-- Minutes between doses: the order's own; for an order as needed that says nothing, the setting
-- label_limits (a label's), the longest of its ingredients.
local function interval_of(order)
  if order == nil then return nil end
  if order.min_interval_min then return order.min_interval_min end
  local longest
  if order.kind == "PRN" then
    local contained = ingredients(order)
    for _, limit in each(config.label_limits) do
      if shares({ names.fold(limit.ingredient) }, contained) and
         (longest == nil or limit.min_interval_min > longest) then
        longest = limit.min_interval_min
      end
    end
  end
  return longest
end

local function shared_name(pair, orders)
  local later, earlier = orders[pair.later.order], orders[pair.earlier.order]
  for _, name in ipairs(ingredients(later)) do
    if shares({ name }, ingredients(earlier)) then return name end
  end
  return later and later.drug or "the same order"
end

-- Scheduled times -----------------------------------------------------------------------------

local function due_that_day(order, day)
  local weekdays = order.weekdays or config.dose_weekdays
  for _, closed in each(config.closed_days) do
    if closed == day then return false end
  end
  for _, weekday in each(weekdays) do
    if weekday == date.weekday(day) then return true end
  end
  return #weekdays == 0
end

-- The scheduled time that is nearest to an instant: {at, day, time, minutes}; minutes > 0 is late.
local function slot_of(order, at, zone)
  if order == nil or order.kind ~= "scheduled" then return nil end
  local best
  local today = date.of(at, zone)
  for shift = -1, 1 do
    local day = date.add(today, shift)
    for _, time in each(order.times) do
      local due = instant.at(day, time:sub(1, 5), zone)
      local late = instant.minutes(due, at)
      if best == nil or math.abs(late) < math.abs(best.minutes) then
        best = { at = due, day = day, time = time:sub(1, 5), minutes = late }
      end
    end
  end
  return best
end

-- Doses ---------------------------------------------------------------------------------------

-- MED-R01: person, drug, dose, route, time (MED-R04 and MED-R02), documentation.
rules["MED-R01"] = function(dose, needs)
  if not asked(dose) then
    if dose.status == "not-done" and dose.not_done_reason == nil then
      return { code = "no_reason", path = "/not_done_reason", severity = "warn" }
    end
    return nil
  end
  local order, found = needs.order, {}
  local function tell(finding) found[#found + 1] = softened(finding, order) end
  if not kept(order) then
    if dose.order then tell({ code = "no_order", path = "/order" }) end
    return found
  end
  local about = { order._id }
  if dose.person and order.person and dose.person ~= order.person then
    tell({ code = "wrong_person", path = "/person", records = about })
  end
  local lot = needs.lot
  local supply = lot and names.fold(lot.order_or_supply or "")
  if lot and lot.order_or_supply ~= order._id and needs.lot_order ~= nil then
    tell({ code = "wrong_drug", path = "/lot", records = { order._id, lot._id },
           values = { drug = order.drug } })
  elseif lot and lot.order_or_supply ~= order._id and supply ~= names.fold(order.drug or "") and
         not shares({ supply }, ingredients(order)) then
    tell({ code = "wrong_drug", path = "/lot", records = { order._id, lot._id },
           values = { drug = order.drug } })
  end
  local drawn, ordered = exact(dose.dose), exact(order.dose)
  if drawn and ordered then
    local unit = dose.unit or order.unit
    local amount = measured(drawn, unit, order.unit, order)
    local slack = quotient(decimal.mul(ordered, exact(config.dose_tolerance_percent)), "100")
    if amount == nil then
      tell({ code = "unit_unknown", path = "/unit", records = about,
             values = { unit = unit or "", ordered_unit = order.unit or "" } })
    elseif decimal.compare(amount, decimal.add(ordered, slack)) > 0 or
           decimal.compare(amount, decimal.sub(ordered, slack)) < 0 then
      tell({ code = "wrong_dose", path = "/dose", records = about,
             values = { dose = amount, ordered = ordered, unit = order.unit or "" },
             steps = { drawn .. " " .. (unit or "") .. " is " .. amount .. " " .. (order.unit
               or ""),
                       "ordered: " .. ordered .. " " .. (order.unit or "") } })
    end
  end
  if dose.route and order.route and dose.route ~= order.route then
    tell({ code = "wrong_route", path = "/route", records = about,
           values = { route = dose.route, ordered = order.route } })
  end
  for _, checked in each(dose.rights_checked) do
    if checked == false then
      tell({ code = "rights_unchecked", path = "/rights_checked", severity = "warn" })
      break
    end
  end
  return found
end

-- MED-R02: elapsed minutes since the last dose with the same ingredient.
rules["MED-R02"] = function(dose, needs, context)
  if not asked(dose) or dose.at == nil then return nil end
  local orders, found = orders_of(needs), {}
  for _, pair in ipairs(neighbours(dose, needs, orders)) do
    local order = orders[pair.later.order]
    local interval = interval_of(order)
    local passed = instant.minutes(pair.earlier.at, pair.later.at)
    if interval and passed < interval then
      local free = instant.add_minutes(pair.earlier.at, interval)
      -- Asked before a dose that is recorded already: it is that one which must not be too near.
      local passes = pair.later._id == dose._id and free
        or instant.add_minutes(pair.later.at, interval_of(orders[dose.order]) or interval)
      found[#found + 1] = softened({
        code = "too_early", path = "/at", records = { pair.other._id }, passes_at = passes,
        values = { drug = shared_name(pair, orders), last = clock(pair.earlier.at, pair.later,
          context),
                   minutes = passed, interval = interval,
                   free = clock(free, pair.later, context) },
        steps = { "last dose " .. pair.earlier.at, tostring(passed) .. " minutes passed",
                  tostring(interval) .. " are needed" },
      }, order)
    end
  end
  return found
end

-- MED-R03: what was given in the 24 hours before; a dose exactly 24 hours old is outside.
rules["MED-R03"] = function(dose, needs, context)
  local order = needs.order
  if not asked(dose) or dose.at == nil or order == nil then return nil end
  local orders, recent, found = orders_of(needs), {}, {}
  local mine = keys_of(dose, orders)
  for _, other in each(needs.doses) do
    if other._id ~= dose._id and given(other) and before(other, dose) and
       instant.minutes(other.at, dose.at) < 1440 and shares(mine, keys_of(other, orders)) then
      recent[#recent + 1] = other
    end
  end
  table.sort(recent, before)
  local ids = {}
  for i, other in ipairs(recent) do ids[i] = other._id end
  -- Once the oldest `gone` doses are 24 hours old.
  local function free_after(gone)
    return recent[gone] and instant.add_minutes(recent[gone].at, 1440) or nil
  end
  local function tell(code, free, values)
    -- Where this dose alone is more than a whole day may have, waiting does not help.
    values.free = free and clock(free, dose, context) or "-"
    found[#found + 1] = softened({ code = code, path = "/at", records = ids,
                                   passes_at = free or "never", values = values }, order)
  end
  local most = order.max_doses_24h
  if most and #recent + 1 > most then
    local free = most > 0 and free_after(#recent + 1 - most) or nil
    tell("too_many", free, { count = #recent, most = most })
  end
  local limit = exact(order.max_amount_24h)
  if limit == nil then return found end
  local now = amount_of(dose, order, order.unit)
  local amounts, unknown = {}, now == nil
  for i, other in ipairs(recent) do
    amounts[i] = amount_of(other, orders[other.order], order.unit)
    if amounts[i] == nil then
      amounts[i], unknown = "0", true
    end
  end
  if unknown then
    found[#found + 1] = softened({ code = "amount_unknown", path = "/dose", severity = "warn",
                                   records = ids, values = { unit = order.unit or "" } }, order)
  end
  local before_it = decimal.sum(amounts)
  local total = decimal.add(before_it, now or "0")
  if decimal.compare(total, limit) > 0 then
    local left, free = total, nil
    for i = 1, #recent do
      left = decimal.sub(left, amounts[i])
      if decimal.compare(left, limit) <= 0 then
        free = free_after(i)
        break
      end
    end
    tell("too_much", free, { total = total, limit = limit, unit = order.unit or "" })
  end
  return found
end

-- MED-R04: a scheduled dose inside its window, both ends included; a missed one is told the nurse.
rules["MED-R04"] = function(dose, needs, context)
  if dose.status == "not-done" and dose.not_done_reason == "missed"
    and dose.nurse_told_at == nil then
    return { code = "nurse_not_told", path = "/nurse_told_at" }
  end
  if not asked(dose) or dose.at == nil or needs.order == nil then return nil end
  local slot = slot_of(needs.order, dose.at, zone_of(dose, context))
  local window = config.scheduled_window_min
  if slot == nil or math.abs(slot.minutes) <= window then return nil end
  return {
    code = slot.minutes > 0 and "late" or "early", path = "/at", severity = "warn",
    records = { needs.order._id },
    values = { due = slot.day .. " " .. slot.time, minutes = math.abs(slot.minutes),
      window = window },
  }
end

-- The scheduled times of an order up to now that nobody wrote anything about.
local function missed_times(order, doses, from, now, zone)
  local missed, written = {}, {}
  for _, dose in each(doses) do
    if kept(dose) and dose.status ~= "entered-in-error" and dose.at then
      local slot = slot_of(order, dose.at, zone)
      if slot then written[slot.day .. " " .. slot.time] = true end
    end
  end
  local day, last = from > order.start and from or order.start, date.of(now, zone)
  if order["end"] < last then last = order["end"] end
  while day <= last do
    for _, time in each(order.times) do
      time = time:sub(1, 5)
      local over = instant.add_minutes(instant.at(day, time, zone), config.scheduled_window_min)
      if due_that_day(order, day) and instant.compare(over, now) < 0 and
         not written[day .. " " .. time] then
        missed[#missed + 1] = day .. " " .. time
      end
    end
    day = date.add(day, 1)
  end
  return missed
end

rules["MED-R04-missed"] = function(order, needs, context)
  if order.kind ~= "scheduled" or not kept(order) or context.now == nil then return nil end
  local zone = zone_of(order, context)
  local days = tonumber(config.missed_look_back:match("%d+"))
  local from = date.add(date.of(context.now, zone), 1 - days)
  local missed = missed_times(order, needs.doses, from, context.now, zone)
  if #missed == 0 then return nil end
  return { code = "missed", path = "/times",
           values = { drug = order.drug, count = #missed, times = table.concat(missed, ", ") } }
end

-- MED-R05: the drug, what it contains and the classes of these, against recorded allergies.
local function words(text) return " " .. names.fold(text) .. " " end

local function mentions(text, term)
  if term == "" then return false end
  local said = words(text)
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

-- MED-R06: order, signature, consent, container, as of the day of the dose.
local function latest_start(starts, day)
  local latest
  for _, start in each(starts) do
    if start <= day and (latest == nil or start > latest) then latest = start end
  end
  return latest
end

rules["MED-R06"] = function(dose, needs, context)
  local order = needs.order
  if not asked(dose) or dose.at == nil or not kept(order) then return nil end
  local found, day, zone = {}, day_of(dose.at, dose, context), zone_of(dose, context)
  local function tell(code, path, values, records, passes)
    found[#found + 1] = softened({ code = code, path = path, values = values, passes_at = passes,
                                   records = records or { order._id } }, order)
  end
  if order.start and day < order.start then
    tell("not_started", "/order", { start = order.start }, nil, instant.at(order.start, "00:00",
      zone))
  elseif order["end"] and day > order["end"] then
    tell("ended", "/order", { ["end"] = order["end"] })
  end
  local sig = order.prescriber_sig
  local signed = sig and sig.at and day_of(sig.at, dose, context)
  if signed == nil or signed > day then
    tell("not_signed", "/order", { prescriber = order.prescriber or "-" })
  elseif sig.method == "verbal" then
    local last = date.add(signed, config.verbal_order_days)
    if day > last and (order.written_on == nil or order.written_on > day) then
      tell("verbal_only", "/order", { days = config.verbal_order_days, signed = signed })
    end
  end
  local year = latest_start(config.school_year_starts, day)
  if year and order.start and order.start < year then
    tell("last_school_year", "/order", { year = year })
  end
  if config.consent_required then
    local consented = false
    for _, consent in each(needs.consents) do
      local on = consent.sig and consent.sig.at and day_of(consent.sig.at, dose, context)
      consented = consented or (kept(consent) and within(day, consent.from, consent.to) and
                                on ~= nil and on <= day)
    end
    if not consented then tell("no_consent", "/order", { day = day }) end
  end
  if kept(needs.lot) and needs.lot.original_container == false then
    tell("container", "/lot", {}, { needs.lot._id })
  end
  return found
end

-- MED-R07: who may give it. Judged where `by` is known; nurses and other licensed people need no
-- delegation. How far a delegation that does not fit got tells the reason.
local reasons = { "not_delegated", "wrong_route", "not_trained", "expired", "rescinded" }

local function is_rescinded(delegation, at, day)
  local on = delegation.rescinded_on
  if on == nil then return false end
  if #on == 10 then return on <= day end
  return instant.compare(on, at or (day .. "T00:00:00Z")) <= 0
end

local function for_everybody(delegation)
  return delegation.all or delegation.person == nil or delegation.person == "all"
end

-- 0: it holds; else the index into `reasons`. `covers` says whether it is about this task, and
-- whether it names the route.
local function fit(delegation, person, at, day, context, covers)
  if not kept(delegation) then return 1 end
  if not for_everybody(delegation) and person and delegation.person ~= person then return 1 end
  local task, route = covers(delegation)
  if not task then return 1 end
  if not route then return 2 end
  local signed = delegation.competency and delegation.competency.at
  if delegation.trained_on == nil or delegation.trained_on > day or signed == nil or
     day_of(signed, delegation, context) > day then
    return 3
  end
  if delegation.valid_through and delegation.valid_through < day then return 4 end
  if is_rescinded(delegation, at, day) then return 5 end
  return 0
end

local function contains(list, value)
  for _, one in each(list) do
    if one == value then return true end
  end
  return false
end

-- A delegation for an order names its id; one for a task names no order, and either the routes or
-- a word that the setting medication_task knows.
local function covers_dose(dose, order, named_orders)
  local of_orders = by_id(named_orders)
  return function(delegation)
    local task, routes = delegation.task_or_order or "", delegation.routes or {}
    local route = dose.route or (order and order.route)
    local route_fits = #routes == 0 or route == nil or contains(routes, route)
    if task == dose.order then return true, route_fits end
    if of_orders[task] then return false, false end
    local medication = text.find(names.fold(task), config.medication_task) ~= nil
    return medication or #routes > 0, route_fits
  end
end

local function covers_procedure(log)
  local wanted = names.fold(log.procedure or "")
  return function(delegation) return names.fold(delegation.task_or_order or "") == wanted, true end
end

rules["MED-R07"] = function(record, needs, context)
  local procedure = record._kind == "medical.procedure_log"
  if record.by == nil or (not procedure and not asked(record)) then return nil end
  if procedure and not contains(config.delegated_categories, record.category or "clinical") then
    return nil
  end
  local day = day_of(record.at or record._created, record, context)
  if has_role(needs.roles, config.licensed_roles, day) then return nil end
  local order = needs.order
  local covers = procedure and covers_procedure(record)
    or covers_dose(record, order, needs.delegated_orders)
  local best, closest = 1, nil
  for _, delegation in each(needs.delegations) do
    local reached = fit(delegation, record.person, record.at, day, context, covers)
    if reached == 0 then return nil end
    if reached > best then
      best, closest = reached, delegation
    end
  end
  return softened({
    code = reasons[best], path = "/by", records = closest and { closest._id } or {},
    values = { task = procedure and record.procedure or (order and order.drug) or "-",
               route = record.route or (order and order.route) or "-" },
  }, order)
end

-- MED-R09: as of the day of the dose. A dose that names no lot is judged where every container of
-- its order has expired.
rules["MED-R09"] = function(record, needs, context)
  local found = {}
  local function tell(expiry, path, records, order)
    found[#found + 1] = softened({ code = "expired", path = path, records = records,
                                   values = { expiry = expiry, last = last_day(expiry) } }, order)
  end
  if record._kind ~= "medical.medication_administration" then
    local at = record.at or (needs.administration and needs.administration.at)
    local day = day_of(at, record, context)
    if day and record.expiry and record.status ~= "not-done" and last_day(record.expiry) < day then
      tell(record.expiry, "/expiry", {})
    end
    return found
  end
  if not asked(record) or record.at == nil then return nil end
  local day = day_of(record.at, record, context)
  local lot = needs.lot
  for _, one in each(lot == nil and record.lot and needs.lots or {}) do
    if kept(one) and one.lot == record.lot then lot = one end  -- named by what its label says
  end
  if lot then
    if kept(lot) and lot.expiry and last_day(lot.expiry) < day then
      tell(lot.expiry, "/lot", { lot._id }, needs.order)
    end
    return found
  end
  local newest
  for _, one in each(record.lot == nil and needs.lots or {}) do
    if kept(one) and one.expiry and (newest == nil
      or last_day(one.expiry) > last_day(newest.expiry)) then
      newest = one
    end
  end
  if newest and last_day(newest.expiry) < day then
    tell(newest.expiry, "/order", { newest._id }, needs.order)
  end
  return found
end

-- MED-R11: the first dose of a new medicine is not given here.
rules["MED-R11"] = function(dose, needs, context)
  local order = needs.order
  if not asked(dose) or dose.at == nil or not kept(order) or order.start == nil then return nil end
  if emergency(order) or order.first_dose_confirmed_on then return nil end
  local day = day_of(dose.at, dose, context)
  if day < order.start or date.diff(order.start,
    day) >= config.new_medicine_days then return nil end
  local orders = orders_of(needs)
  local mine = keys_of(dose, orders)
  for _, other in each(needs.doses) do
    if other._id ~= dose._id and given(other) and before(other, dose) and
       shares(mine, keys_of(other, orders)) then
      return nil
    end
  end
  return { code = "first_dose", path = "/order", records = { order._id },
           values = { drug = order.drug, start = order.start } }
end

-- MED-R12: two hands, one dose. The same scheduled time, or moments after each other, or inside the
-- interval by another person or at another site.
rules["MED-R12"] = function(dose, needs, context)
  if not asked(dose) or dose.at == nil then return nil end
  local orders, found = orders_of(needs), {}
  for _, pair in ipairs(neighbours(dose, needs, orders)) do
    local earlier, later = pair.earlier, pair.later
    local order = orders[later.order]
    local passed = instant.minutes(earlier.at, later.at)
    local interval = interval_of(order)
    local function differ(field)
      return earlier[field] ~= nil and later[field] ~= nil and earlier[field] ~= later[field]
    end
    local wait
    if interval and passed < interval and (differ("by") or differ("_device")
      or differ("_space")) then
      wait = interval
    elseif not emergency(order) and passed < config.duplicate_minutes then
      wait = config.duplicate_minutes
    elseif earlier.order == later.order then
      local zone = zone_of(later, context)
      local first, second = slot_of(order, earlier.at, zone), slot_of(order, later.at, zone)
      if first and second and first.at == second.at then wait = 0 end
    end
    if wait then
      local free = wait > 0 and pair.later._id == dose._id
        and instant.add_minutes(earlier.at, wait) or nil
      found[#found + 1] = softened({
        code = "given_already", path = "/at", records = { pair.other._id }, passes_at = free,
        values = { drug = shared_name(pair, orders), first = clock(earlier.at, later, context),
                   second = clock(later.at, later, context), minutes = passed },
      }, order)
    end
  end
  return found
end

-- MED-R14: what was given as needed has a reason, and somebody looks whether it helped.
rules["MED-R14"] = function(record, needs, context)
  local found = {}
  local minutes = record._kind == "medical.comfort_measure" and config.comfort_follow_up_min
    or config.prn_effect_min
  local function followed(done_at, path)
    local over = instant.add_minutes(record.at, minutes)
    if done_at and instant.compare(done_at, over) > 0 then
      found[#found + 1] = { code = "late_effect", path = path, values = { minutes = minutes } }
    elseif done_at == nil and context.now and instant.compare(context.now, over) > 0 then
      found[#found + 1] = { code = "no_effect", path = path,
                            values = { minutes = minutes, over = clock(over, record, context) } }
    end
  end
  if record.at == nil then return nil end
  if record._kind == "medical.comfort_measure" then
    local scored = record.after ~= nil and (record.after_at or record.at) or nil
    followed(scored, "/after")
  elseif record.status == "completed" and needs.order and needs.order.kind == "PRN" then
    if record.reason_prn == nil or record.reason_prn == "" then
      found[#found + 1] = { code = "no_reason", path = "/reason_prn" }
    end
    local seen = record.effect ~= nil and (record.effect_at or record.at) or record.effect_at
    followed(seen, "/effect")
  end
  return found
end

-- Controlled drugs ----------------------------------------------------------------------------

-- MED-R08, the two people. Judged without other records, so that such a count can be refused.
rules["MED-R08-people"] = function(record)
  local counted = record._kind == "medical.controlled_count" and record.by or record.counted_by
  local one, other = signer(counted), signer(record.witness)
  if one and other and one == other then
    return { code = "same_person", path = "/witness", values = { person = one } }
  end
  if record._kind == "medical.controlled_count" and not (one and other) then
    return { code = "one_signature", path = one and "/witness" or "/by" }
  end
end

local function plus(list) return decimal.sum(list) end

-- How many units of the lot a dose took.
local function units_of(dose, order, lot)
  local said = exact(dose.units_taken)
  if said then return said end
  local unit = lot and lot.unit
  if unit == nil and order then
    local _, _, _, per_unit = concentration(order)
    unit = per_unit
  end
  return unit and amount_of(dose, order, unit) or "1"
end

-- What should be there at a count: the sum of all events of the lot, from whichever site. It starts
-- from the last count that was declared a new balance, else from the first count or what was
-- received. Doses and the counts' own `given` tell of the same pills: the greater of the two sums
-- is what left the container. Returns expected, steps, ids of the records.
local function balance(count, needs)
  local counts, orders = {}, by_id(needs.orders)
  for _, one in each(needs.counts) do
    if kept(one) and one._id ~= count._id and before(one, count) then counts[#counts + 1] = one end
  end
  counts[#counts + 1] = count
  table.sort(counts, before)
  local first = 1
  for i = 1, #counts - 1 do
    if counts[i].adjusts then first = i end
  end
  local start, lot = counts[first], kept(needs.lot) and needs.lot or nil
  local received = exact(lot and lot.received)
  local base, since, ids = nil, nil, {}
  local coming, leaving, wasted = {}, {}, {}
  local function take(one)
    coming[#coming + 1] = exact(one.received)
    leaving[#leaving + 1] = exact(one.given)
    wasted[#wasted + 1] = exact(one.wasted)
    if one._id ~= count._id then ids[#ids + 1] = one._id end
  end
  local taken = {}
  if start.adjusts and first < #counts then
    base, since = exact(start.counted), start.at
    ids[#ids + 1] = start._id
    first = first + 1
  else
    base = exact(start.previous) or (exact(start.received) and "0") or received
    -- Where the first count does not start from the full container, what left before it is in
    -- its `previous` already.
    if received == nil or base == nil or
       (decimal.compare(base, received) ~= 0 and decimal.compare(base, "0") ~= 0) then
      since = start.at
      taken[1] = exact(start.given)
    end
  end
  if base == nil then return nil end
  for i = first, #counts do take(counts[i]) end
  for _, dose in each(needs.doses) do
    if given(dose) and instant.compare(dose.at, count.at) <= 0 and
       (since == nil or instant.compare(dose.at, since) > 0) then
      taken[#taken + 1] = units_of(dose, orders[dose.order], lot)
      ids[#ids + 1] = dose._id
    end
  end
  local out, by_dose = plus(leaving), plus(taken)
  if decimal.compare(by_dose, out) > 0 then out = by_dose end
  local expected = decimal.sub(decimal.sub(decimal.add(base, plus(coming)), out), plus(wasted))
  local steps = { "start " .. base, "received " .. plus(coming), "left by doses " .. by_dose,
                  "left by counts " .. plus(leaving), "wasted " .. plus(wasted),
                  "expected " .. expected }
  return expected, steps, ids
end

-- previous + received - given - wasted, of the count alone.
local function own_balance(count)
  local previous = exact(count.previous)
  if previous == nil then return nil end
  local arrived = decimal.add(previous, exact(count.received) or "0")
  return decimal.sub(decimal.sub(arrived, exact(count.given) or "0"), exact(count.wasted) or "0")
end

-- MED-R08, the number: any difference is told, none is corrected by the program.
rules["MED-R08"] = function(count, needs)
  local counted = exact(count.counted)
  if counted == nil or count.at == nil then return nil end
  local found = {}
  local own = own_balance(count)
  local function tell(code, expected, steps, records)
    found[#found + 1] = { code = code, path = "/counted", records = records, steps = steps,
      values = { expected = expected, counted = counted, variance = decimal.sub(counted,
        expected) } }
  end
  if own and decimal.compare(own, counted) ~= 0 then tell("variance", own) end
  local expected, steps, ids = balance(count, needs)
  if expected and decimal.compare(expected, counted) ~= 0 and
     not (own and #found > 0 and decimal.compare(own, expected) == 0) then
    tell("balance", expected, steps, ids)
  end
  return found
end

-- Emergencies, vital signs, injections, procedures ----------------------------------------------

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

-- Papers --------------------------------------------------------------------------------------

-- MED-R17: no more leaves than the purpose needs; CORE-R07 asks to whom, what and why. Where
-- the school's records are education records (FERPA), the education plugin's EDU-R15 speaks.
rules["MED-R17"] = function(record)
  if config.disclosure_law ~= "HIPAA" then return nil end
  if record._kind == "core.contact_log" then
    local told = names.fold(record.summary or "")
    if text.find(names.fold(record.with or ""), config.care_circle) == nil and
      text.find(told, config.health_words) ~= nil then
      return { code = "outside", path = "/summary", severity = "warn",
        values = { with = record.with or "-" } }
    end
    return nil
  end
  local purpose = names.fold(record.purpose or "")
  for _, limit in each(config.minimum_necessary) do
    if text.find(purpose, limit.purpose) then
      local whole = text.find(names.fold(record.what or ""), config.whole_record)
      local beyond = {}
      for _, field in each(record.fields) do
        if not contains(limit.fields, field) then beyond[#beyond + 1] = field end
      end
      if whole or #beyond > 0 then
        return { code = "too_much", path = "/what",
          values = { what = #beyond > 0 and table.concat(beyond, ", ") or record.what,
            allowed = table.concat(limit.fields, ", ") } }
      end
      return nil
    end
  end
end

-- MED-R18: an error report says when a nurse was told.
rules["MED-R18"] = function(report)
  if report.nurse_told_at == nil then
    return { code = "nurse_not_told", path = "/nurse_told_at",
             values = { type = (report.type or "-"):gsub("_", " ") } }
  end
end

-- Training ---------------------------------------------------------------------------------------

-- MED-R19: who trains has completed that course before; a clinical skill is signed off by a
-- licensed person.
rules["MED-R19"] = function(record, needs, context)
  local found = {}
  if record._kind == "medical.skills_checkoff" then
    if record.evaluator and record.on and
       not has_role(needs.roles, config.licensed_roles, record.on) then
      found[#found + 1] = { code = "not_licensed", path = "/evaluator",
        values = { skill = record.skill or "-", roles = table.concat(config.licensed_roles,
          ", ") } }
    end
    return found
  end
  local day = day_of(record.at, record, context)
  local done = false
  for _, completion in each(needs.completions) do
    done = done or (kept(completion) and completion.passed ~= false and day ~= nil and
                    names.fold(completion.course or "") == names.fold(record.topic or "") and
                    completion.on <= day)
  end
  if record.trainer and record.topic and day and not done then
    found[#found + 1] = { code = "trainer", path = "/trainer", values = { course = record.topic,
      day = day } }
  end
  if record.group_size and record.trainees and record.group_size ~= #record.trainees then
    found[#found + 1] = { code = "group_size", path = "/group_size", severity = "warn",
      values = { said = record.group_size, listed = #record.trainees } }
  end
  return found
end

-- Reports -------------------------------------------------------------------------------------

local function texts(context)
  return function(en, es) return context.language == "es" and es or en end
end

local function full_name(people, id)
  local person = people[id]
  return person and (person.given .. " " .. person.family) or (id or "-")
end

local function or_dash(value) return value == nil and "-" or value end

local function table_of(labels, rows)
  local columns = array()
  for i, label in ipairs(labels) do columns[i] = { label = label } end
  return { type = "table", columns = columns, rows = rows }
end

local function heading(text_, level) return { type = "heading", level = level or 1,
  text = text_ } end

local function note(text_) return { type = "text", text = text_, style = "note" } end

local function local_time(at, context)
  return at and (date.of(at, context.zone) .. " " .. instant.time(at, context.zone)) or "-"
end

local function local_day(at, context)
  return at and (#at == 10 and at or date.of(at, context.zone)) or nil
end

-- Records of the period, in the order of a field, those of one person where one is asked for.
local function chosen(list, field, parameters, context, who)
  local out = array()
  for _, record in each(list) do
    local at = record[field]
    local day = local_day(at or record._created, context)
    if kept(record) and within(day, parameters.from, parameters.to) and
       (parameters.person == nil or record[who or "person"] == parameters.person) then
      out[#out + 1] = record
    end
  end
  table.sort(out, function(a, b)
    local one, other = a[field] or a._created, b[field] or b._created
    if #one == #other and #one == 10 then return one == other and a._id < b._id or one < other end
    if #one == 10 or #other == 10 then return one < other end
    local order = instant.compare(one, other)
    return order < 0 or (order == 0 and a._id < b._id)
  end)
  return out
end

local function initials_of(people, ids)
  local given_to, used, legend = {}, {}, array()
  for _, id in ipairs(ids) do
    local letter = "^[%z\1-\127\194-\244][\128-\191]*"
    local person = people[id]
    local short = person and ((person.given:match(letter) or "") .. (person.family:match(letter)
      or ""))
      or id
    used[short] = (used[short] or 0) + 1
    if used[short] > 1 then short = short .. used[short] end
    given_to[id] = short
    legend[#legend + 1] = { short, full_name(people, id) }
  end
  return given_to, legend
end

local why_codes = { refused = "R", absent = "A", held = "H", no_supply = "H", other = "H",
  missed = "M" }

local function mar_code(dose)
  if dose.status == "completed" or dose.status == "in-progress" then return "G" end
  if dose.status == "not-done" then return why_codes[dose.not_done_reason] or "H" end
  if dose.status == "unknown" then return "?" end
  return "H"
end

local function order_line(order)
  return order.drug .. " " .. order.dose .. " " .. order.unit .. ", " .. order.route
end

-- The month of one person: a row for each order and time, a column for each day.
reports["mar_sheet"] = function(parameters, needs, context)
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
      listed[#listed + 1] = { local_time(dose.at, context), order_line(order),
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
      local row = { order_line(order), time }
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
           "G administrada, R rechazada, A ausente, H retenida, M omitida (nada se anotó a tiempo)")),
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
  local T, people, doses = texts(context), by_id(needs.people), by_id(needs.doses)
  local orders, lines = by_id(needs.orders), array()
  for _, injection in each(needs.injections) do
    local dose = doses[injection.administration]
    if kept(injection) and kept(dose) then
      local order = orders[dose.order]
      lines[#lines + 1] = { _id = injection._id, at = dose.at, person = dose.person, drug = order
        and order.drug,
        lot = injection.lot, expiry = injection.expiry, place = injection.body_site, by = dose.by }
    end
  end
  for _, shot in each(needs.immunizations) do
    if kept(shot) and shot.status == "completed" then
      lines[#lines + 1] = { _id = shot._id, at = shot.at, person = shot.person, drug = shot.vaccine,
        lot = shot.lot, expiry = shot.expiry, place = shot.body_site, by = shot.by }
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

reports["health_visits"] = function(parameters, needs, context)
  local T, people = texts(context), by_id(needs.people)
  local visits, incidents = array(), array()
  for _, visit in ipairs(chosen(needs.visits, "in", parameters, context)) do
    visits[#visits + 1] = { full_name(people, visit.person), local_time(visit["in"], context),
      local_time(visit.out, context), or_dash(visit.complaint), or_dash(visit.action),
        or_dash(visit.disposition) }
  end
  for _, one in ipairs(chosen(needs.responses, "at", parameters, context)) do
    incidents[#incidents + 1] = { local_time(one.at, context), full_name(people, one.person),
      one.trigger,
      or_dash(one.drug_given), local_time(one.called_911_at, context), or_dash(one.disposition) }
  end
  for _, one in ipairs(chosen(needs.sharps, "at", parameters, context, "who")) do
    incidents[#incidents + 1] = { local_time(one.at, context), full_name(people, one.who),
      T("sharps: ", "punzantes: ") .. (one.device or "-"), or_dash(one.exposure), "-",
        or_dash(one.follow_up) }
  end
  return {
    heading(T("Health office visits", "Visitas a enfermería")),
    table_of({ T("Person", "Persona"), T("In", "Entrada"), T("Out", "Salida"), T("Complaint",
      "Motivo"),
               T("Action", "Qué se hizo"), T("Then", "Después") }, visits),
    heading(T("Incidents", "Incidentes"), 2),
    table_of({ T("When", "Cuándo"), T("Person", "Persona"), T("What", "Qué"),
      T("Given or exposure", "Administrado o exposición"),
               T("911 called", "Llamada al 911"), T("Then", "Después") }, incidents),
  }
end

-- Who may give what, and until when. Of a child only the name shows, to those who care for it.
reports["delegation_overview"] = function(parameters, needs, context)
  local T, people, orders = texts(context), by_id(needs.people), by_id(needs.orders)
  local today, rows = parameters.on or date.of(context.now, context.zone), array()
  for _, one in each(needs.delegations) do
    if kept(one) then
      local state = T("holds", "vigente")
      if is_rescinded(one, nil, today) then state = T("rescinded", "revocada")
      elseif one.valid_through < today then state = T("expired", "vencida")
      elseif one.trained_on > today then state = T("not yet", "aún no") end
      local order = orders[one.task_or_order]
      rows[#rows + 1] = { full_name(people, one.para), full_name(people, one.nurse),
        for_everybody(one) and T("everybody", "todas") or full_name(people, one.person),
        order and order.drug or one.task_or_order, table.concat(one.routes or {}, ", "),
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
  local T, people, rows = texts(context), by_id(needs.people), array()
  for _, one in ipairs(chosen(needs.errors, "found_at", { from = parameters.from,
    to = parameters.to }, context)) do
    rows[#rows + 1] = { local_time(one.found_at or one.nurse_told_at, context), ((one.type
      or "-"):gsub("_", " ")),
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

reports["shift_handoff"] = function(parameters, needs, context)
  local T, people, blocks = texts(context), by_id(needs.people), array()
  blocks[1] = heading(T("Shift handoff", "Entrega de turno"))
  for _, one in ipairs(chosen(needs.handoffs, "at", { from = parameters.from, to = parameters.to },
    context)) do
    local rows = array()
    for _, item in each(one.items) do
      rows[#rows + 1] = { type(item) == "table" and (item.text or "-") or item }
    end
    local function signed(sig) return sig and local_time(sig.at, context) or T("not signed",
      "sin firma") end
    blocks[#blocks + 1] = heading(local_time(one.at, context) .. "  " .. full_name(people,
      one.from) .. " → " ..
                                  full_name(people, one.to), 2)
    blocks[#blocks + 1] = table_of({ T("Item", "Punto") }, rows)
    blocks[#blocks + 1] = note(T("Read back: ", "Repetido: ") .. (one.read_back or "-") .. "; " ..
      T("signed: ", "firmado: ") .. signed(one.signed_from) .. ", " .. signed(one.signed_to))
  end
  return blocks
end

reports["comfort_log"] = function(parameters, needs, context)
  local T, people, rows = texts(context), by_id(needs.people), array()
  for _, one in ipairs(chosen(needs.measures, "at", parameters, context)) do
    rows[#rows + 1] = { local_time(one.at, context), full_name(people, one.person),
      or_dash(one.type),
      tostring(or_dash(one.before)), tostring(or_dash(one.after)) }
  end
  return {
    heading(T("Comfort measures", "Medidas de confort")),
    table_of({ T("When", "Cuándo"), T("Person", "Persona"), T("What was done", "Qué se hizo"),
      T("Before", "Antes"),
               T("After", "Después") }, rows),
  }
end

reports["pain_trend"] = function(parameters, needs, context)
  local T, people, rows, points = texts(context), by_id(needs.people), array(), array()
  for _, one in ipairs(chosen(needs.scores, "at", parameters, context)) do
    rows[#rows + 1] = { local_time(one.at, context), one.scale, tostring(one.value),
      or_dash(one.place) }
    points[#points + 1] = { date.of(one.at, context.zone), tonumber(one.value) }
  end
  return {
    heading(T("Pain: ", "Dolor: ") .. full_name(people, parameters.person)),
    { type = "chart", chart = "line", title = T("Pain score", "Puntuación de dolor"),
      x = { label = T("Date", "Fecha"), kind = "date" }, y = { label = T("Score", "Puntuación") },
      series = { { label = T("Score", "Puntuación"), points = points } } },
    table_of({ T("When", "Cuándo"), T("Scale", "Escala"), T("Value", "Valor"), T("Where",
      "Dónde") }, rows),
  }
end

reports["procedure_log"] = function(parameters, needs, context)
  local T, people, rows = texts(context), by_id(needs.people), array()
  for _, one in ipairs(chosen(needs.procedures, "at", parameters, context)) do
    rows[#rows + 1] = { local_time(one.at, context), full_name(people, one.person), one.procedure,
      or_dash(one.category),
      full_name(people, one.by), full_name(people, one.under), or_dash(one.site) }
  end
  return {
    heading(T("Procedures", "Procedimientos")),
    table_of({ T("When", "Cuándo"), T("Person", "Persona"), T("Procedure", "Procedimiento"),
      T("Category", "Categoría"),
               T("By", "Por"), T("Under", "Bajo"), T("Site", "Sede") }, rows),
  }
end

reports["training_delivered"] = function(parameters, needs, context)
  local T, people = texts(context), by_id(needs.people)
  local span, sessions, checks = { from = parameters.from, to = parameters.to }, array(), array()
  for _, one in ipairs(chosen(needs.sessions, "at", span, context)) do
    local who = {}
    for _, id in each(one.trainees) do who[#who + 1] = full_name(people, id) end
    sessions[#sessions + 1] = { local_time(one.at, context), one.topic, full_name(people,
      one.trainer),
      table.concat(who, ", "), one.minutes }
  end
  for _, one in ipairs(chosen(needs.checkoffs, "on", span, context)) do
    checks[#checks + 1] = { one.on, full_name(people, one.person), one.skill, or_dash(one.result),
      full_name(people, one.evaluator) }
  end
  return {
    heading(T("Training delivered", "Capacitación impartida")),
    table_of({ T("When", "Cuándo"), T("Course", "Curso"), T("Trainer", "Capacitador"),
      T("Trainees", "Participantes"),
               T("Minutes", "Minutos") }, sessions),
    heading(T("Skills check-offs", "Comprobación de destrezas"), 2),
    table_of({ T("On", "El"), T("Person", "Persona"), T("Skill", "Destreza"), T("Result",
      "Resultado"),
               T("Signed off by", "Aprobada por") }, checks),
  }
end

-- What a person may ask for: to whom something about them went, for the years that the law says.
reports["disclosure_accounting"] = function(parameters, needs, context)
  local T, people, rows = texts(context), by_id(needs.people), array()
  for _, one in each(needs.disclosures) do
    if kept(one) then
      rows[#rows + 1] = { local_time(one.at, context), one.to_party, or_dash(one.address),
        one.what, one.purpose,
        one.legal_basis, full_name(by_id(needs.authorisers), one.authorised_by) }
    end
  end
  table.sort(rows, function(a, b) return a[1] .. a[2] < b[1] .. b[2] end)
  return {
    heading(T("Accounting of disclosures: ", "Registro de divulgaciones: ") .. full_name(people,
      parameters.person)),
    table_of({ T("Date", "Fecha"), T("To", "A quién"), T("Address", "Dirección"), T("What", "Qué"),
               T("Purpose", "Propósito"), T("Basis", "Base legal"), T("By", "Por") }, rows),
  }
end

-- What was spoken about with the family of one person.
reports["contact_log"] = function(parameters, needs, context)
  local T, people, rows = texts(context), by_id(needs.people), array()
  local span = { from = parameters.from, to = parameters.to }
  for _, one in ipairs(chosen(needs.contacts, "at", span, context)) do
    rows[#rows + 1] = { local_time(one.at, context), one.with, or_dash(one.channel),
      or_dash(one.summary), or_dash(one.tone_note), full_name(people, one.by) }
  end
  return {
    heading(T("Contacts: ", "Contactos: ") .. full_name(people, parameters.person)),
    table_of({ T("When", "Cuándo"), T("With", "Con"), T("Channel", "Medio"),
      T("Summary", "Resumen"), T("Tone", "Tono"), T("By", "Por") }, rows),
  }
end

-- What needs attention: `dutybook today` and `dutybook due` put the rows of all plugins together.

local function attention(rows)
  local columns = array()
  for _, id in ipairs({ "level", "when", "what", "place", "who", "record" }) do
    columns[#columns + 1] = { id = id, label = id }
  end
  return { { type = "table", columns = columns, rows = rows } }
end

local function same_person(a, b)
  return a ~= nil and b ~= nil and string.match(a, "[^/]*$") == string.match(b, "[^/]*$")
end

local function asked_for(who, parameters)
  return parameters.person == nil or same_person(who, parameters.person)
end

-- A dose is due from the start of its window on, and overdue when the window has closed. Every
-- person on duty sees all doses of the day: who gives them is decided in the room.
reports["today"] = function(parameters, needs, context)
  local people, rows, written = by_id(needs.people), array(), {}
  local day, zone = parameters.date, context.zone
  for _, dose in each(needs.doses) do
    local order = kept(dose) and dose.status ~= "entered-in-error" and needs.orders and dose.order
    if order then
      for _, one in each(needs.orders) do
        local slot = one._id == order and slot_of(one, dose.at, zone)
        if slot then written[order .. " " .. slot.time .. " " .. slot.day] = true end
      end
    end
  end
  for _, order in each(needs.orders) do
    local today = kept(order) and order.kind == "scheduled" and within(day, order.start, order["end"])
      and due_that_day(order, day)
    for _, time in each(today and order.times or {}) do
      time = time:sub(1, 5)
      if not written[order._id .. " " .. time .. " " .. day] then
        local at = instant.at(day, time, zone)
        local opens = instant.add_minutes(at, -config.scheduled_window_min)
        local closes = instant.add_minutes(at, config.scheduled_window_min)
        local level = "today"
        if instant.compare(closes, context.now) < 0 then
          level = "overdue"
        elseif instant.compare(opens, context.now) <= 0 then
          level = "now"
        end
        rows[#rows + 1] = { level, time, order_line(order), "", full_name(people, order.person),
                            order._id }
      end
    end
  end
  return attention(rows)
end

reports["due"] = function(parameters, needs, context)
  local T, people, rows = texts(context), by_id(needs.people), array()
  local last = date.add(parameters.date, parameters.days or 30)
  local function add(day, what, who, record)
    if day == nil or day > last then return end
    local level = day < parameters.date and "expired" or "soon"
    rows[#rows + 1] = { level, day, what, "", who and full_name(people, who) or "", record._id }
  end
  for _, one in each(needs.delegations) do
    if kept(one) and one.rescinded_on == nil and asked_for(one.para, parameters) then
      add(one.valid_through, T("Delegation ends", "Termina la delegación"), one.para, one)
    end
  end
  for _, one in each(needs.consents) do
    if kept(one) and parameters.person == nil then
      add(one.to, T("Consent ends", "Termina el consentimiento"), one.guardian, one)
    end
  end
  for _, one in each(needs.lots) do
    if kept(one) and parameters.person == nil then
      local day = #one.expiry == 7 and date.last_of_month(one.expiry) or one.expiry
      add(day, T("Lot expires: ", "Lote vence: ") .. or_dash(one.lot), nil, one)
    end
  end
  return attention(rows)
end
