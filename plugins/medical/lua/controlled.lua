-- Controlled drugs: MED-R08.

local common = require "common"
local before, by_id, each, exact, given, kept, signer =
  common.before, common.by_id, common.each, common.exact, common.given, common.kept,
  common.signer
local amounts = require "amounts"
local amount_of, concentration = amounts.amount_of, amounts.concentration

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

return { balance = balance, own_balance = own_balance }
