-- Orders, consent and containers: MED-R06, R09.

local common = require "common"
local asked, day_of, each, kept, last_day, softened, within, zone_of =
  common.asked, common.day_of, common.each, common.kept, common.last_day, common.softened,
  common.within, common.zone_of

-- MED-R06: order, signature, consent, container, as of the day of the dose.
local function latest_start(starts, day)
  local latest
  for _, start in each(starts) do
    if start <= day and (latest == nil or start > latest) then latest = start end
  end
  return latest
end

-- The day from which a consent holds: signed, and begun.
local function consent_begins(consent, dose, context)
  local signed = consent.sig and consent.sig.at and day_of(consent.sig.at, dose, context)
  if signed == nil or not kept(consent) then return nil end
  local from = consent.from and consent.from > signed and consent.from or signed
  return within(from, consent.from, consent.to) and from or nil
end

rules["MED-R06"] = function(dose, needs, context)
  local order = needs.order
  if not asked(dose) or dose.at == nil or not kept(order) then return nil end
  local found, day, zone = {}, day_of(dose.at, dose, context), zone_of(dose, context)
  -- `until_day`: from the begin of that day on it is no more so.
  local function tell(code, path, values, records, until_day)
    found[#found + 1] = softened({ code = code, path = path, values = values,
                                   passes_at = until_day and instant.at(until_day, "00:00", zone),
                                   records = records or { order._id } }, order)
  end
  if order.start and day < order.start then
    tell("not_started", "/order", { start = order.start }, nil, order.start)
  elseif order["end"] and day > order["end"] then
    tell("ended", "/order", { ["end"] = order["end"] })
  end
  local sig = order.prescriber_sig
  local signed = sig and sig.at and day_of(sig.at, dose, context)
  if signed == nil or signed > day then
    tell("not_signed", "/order", { prescriber = order.prescriber or "-" }, nil, signed)
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
    local consented, later = false, nil
    for _, consent in each(needs.consents) do
      local begins = consent_begins(consent, dose, context)
      if begins and begins > day then
        later = (later == nil or begins < later) and begins or later
      else
        consented = consented or (begins ~= nil and within(day, consent.from, consent.to))
      end
    end
    if not consented then tell("no_consent", "/order", { day = day }, nil, later) end
  end
  if kept(needs.lot) and needs.lot.original_container == false then
    tell("container", "/lot", {}, { needs.lot._id })
  end
  return found
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
