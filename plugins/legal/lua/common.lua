-- What the legal rules share.

local function live(record)
  return record._status ~= "retracted"
end

local function blank(value)
  return value == nil or (type(value) == "string" and value:match("^%s*$") ~= nil)
end

local function contains(list, value)
  for _, item in ipairs(list or {}) do
    if item == value then return true end
  end
  return false
end

local function add(list, item)
  list[#list + 1] = item
end

-- The live records of several lists, each once, by id.
local function united(...)
  local seen, all = {}, {}
  for _, list in ipairs({ ... }) do
    for _, record in ipairs(list) do
      if not seen[record._id] and live(record) then
        seen[record._id] = true
        add(all, record)
      end
    end
  end
  return all
end

-- The calendar date of a date or an instant, in a zone.
local function day_of(when, zone)
  if when == nil then return nil end
  if #when == 10 then return when end
  return date.of(when, zone)
end

-- The host takes at most 100 findings of one rule about one record. Of pairs, each is also told
-- from its other side.
local function capped(found)
  while #found > 100 do table.remove(found) end
  return found
end

local function signed(sig)
  return type(sig) == "table" and not blank(sig.person)
end

local function number_text(value)
  if value == nil then return nil end
  local text = type(value) == "number" and string.format("%.10g", value) or tostring(value)
  return decimal.valid(text) and text or nil
end

-- Whether the roles say that a person was an attorney on a day: true, false, or nil where no role
-- of theirs is known at all.
local function attorney_on(person, day, roles, matter)
  if matter and matter.attorney == person then return true end
  local known = nil
  for _, role in ipairs(roles or {}) do
    if live(role) and role.person == person then
      known = known or false
      local then_valid = not day
        or ((not role.from or role.from <= day) and (not role.to or day <= role.to))
      if then_valid and contains(config.attorney_roles, role.role) then known = true end
    end
  end
  return known
end

return {
  live = live, blank = blank, contains = contains, add = add, united = united, day_of = day_of,
  capped = capped, signed = signed, number_text = number_text, attorney_on = attorney_on,
}
