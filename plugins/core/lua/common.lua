-- What the core rules share: days, names, values, and which records count.

local function each(list) return ipairs(list or {}) end

local function kept(record) return record ~= nil and record._status ~= "retracted" end

local function zone_of(record, context) return record._zone or context.zone end

-- The local date of a date or an instant.
local function day_of(at, record, context)
  if at == nil then return nil end
  return #at == 10 and at or date.of(at, zone_of(record, context))
end

local function clock(at, record, context)
  if #at == 10 then return at end
  local zone = zone_of(record, context)
  return date.of(at, zone) .. " " .. instant.time(at, zone)
end

-- Dates and instants compared: by the local day as soon as one of them is a date.
local function after(a, b, record, context)
  if #a > 10 and #b > 10 then return instant.compare(a, b) > 0 end
  return day_of(a, record, context) > day_of(b, record, context)
end

local function within(day, from, to)
  return (from == nil or day >= from) and (to == nil or day <= to)
end

local function blank(value)
  return value == nil or (type(value) == "string" and text.find(value, "\\S") == nil)
    or (type(value) == "table" and #value == 0)
end

local function signed(sig) return type(sig) == "table" and sig.at ~= nil end

local function has(list, wanted)
  for _, one in each(list) do
    if names.fold(one) == names.fold(wanted or "") then return true end
  end
  return false
end

-- A field that holds one value or a list of them.
local function values_of(value)
  if value == nil then return {} end
  return type(value) == "table" and value or { value }
end

local function exact(value)
  if value == nil then return nil end
  value = tostring(value)
  return decimal.valid(value) and value or nil
end

local function hours_of(minutes) return decimal.div(tostring(minutes), "60", 2) end

-- Minutes of an ISO 8601 duration of whole weeks, days, hours and minutes.
local function minutes_of(duration)
  local days, time = duration, ""
  local t = string.find(duration, "T", 1, true)
  if t then days, time = string.sub(duration, 1, t - 1), string.sub(duration, t) end
  local function from(s, pattern) return tonumber(string.match(s, pattern) or "0") end
  return from(days, "(%d+)W") * 10080 + from(days, "(%d+)D") * 1440
    + from(time, "(%d+)H") * 60 + from(time, "(%d+)M")
end

local function name_of(person) return person.given .. " " .. person.family end

local function copy_ids(records, but)
  local ids = array()
  for _, record in each(records) do
    if record._id ~= but then ids[#ids + 1] = record._id end
  end
  return ids
end

return {
  each = each, kept = kept, zone_of = zone_of, day_of = day_of, clock = clock, after = after,
  within = within, blank = blank, signed = signed, has = has, values_of = values_of,
  exact = exact, hours_of = hours_of, minutes_of = minutes_of, name_of = name_of,
  copy_ids = copy_ids,
}
