-- Doses: MED-R01 to R04, R11, R12, R14.

local common = require "common"
local asked, before, clock, day_of, each, emergency, exact, given, kept, softened, zone_of =
  common.asked, common.before, common.clock, common.day_of, common.each, common.emergency,
  common.exact, common.given, common.kept, common.softened, common.zone_of
local amounts = require "amounts"
local amount_of, measured, quotient = amounts.amount_of, amounts.measured, amounts.quotient
local substances = require "substances"
local ingredients, interval_of, keys_of, neighbours, orders_of, shared_name, shares =
  substances.ingredients, substances.interval_of, substances.keys_of, substances.neighbours,
  substances.orders_of, substances.shared_name, substances.shares
local schedule = require "schedule"
local due_that_day, next_window, slot_of =
  schedule.due_that_day, schedule.next_window, schedule.slot_of

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
      -- Asked before a dose that is recorded already: it is that one which must not be too near,
      -- and after it the interval of the order that is asked about counts.
      local passes = pair.later._id == dose._id and free
        or instant.add_minutes(pair.later.at, interval_of(orders[dose.order]) or 0)
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
  local early = slot.minutes < 0
  return {
    code = early and "early" or "late", path = "/at", severity = "warn",
    records = { needs.order._id },
    passes_at = early and instant.add_minutes(slot.at, -window) or nil,
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
    local others = differ("by") or differ("_device") or differ("_space")
    -- When a dose of an order may follow one: behind the interval if others gave it, else moments.
    local function free_after(given_one, asked_order)
      local wait = emergency(asked_order) and 0 or config.duplicate_minutes
      local own = others and interval_of(asked_order) or 0
      return instant.add_minutes(given_one.at, math.max(wait, own))
    end
    local twice, free = false, nil
    if (interval and passed < interval and others)
      or (not emergency(order) and passed < config.duplicate_minutes) then
      twice = true
      free = later._id == dose._id and free_after(earlier, order)
        or free_after(later, orders[dose.order])
    elseif earlier.order == later.order then
      local zone = zone_of(later, context)
      local first, second = slot_of(order, earlier.at, zone), slot_of(order, later.at, zone)
      if first and second and first.at == second.at then
        twice, free = true, next_window(order, first, zone)
      end
    end
    if twice then
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
