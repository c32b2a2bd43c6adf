-- What the medical rules share: persons, days, and which records count.

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

return {
  each = each, kept = kept, exact = exact, zone_of = zone_of, day_of = day_of, clock = clock,
  signer = signer, within = within, last_day = last_day, before = before, asked = asked,
  given = given, emergency = emergency, softened = softened, by_id = by_id, has_role = has_role,
}
