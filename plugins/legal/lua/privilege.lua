-- The privilege log: LEG-R11.

local common = require "common"
local add, blank, live = common.add, common.blank, common.live
local conflicts = require "conflicts"
local folded = conflicts.folded

local function people_of_entry(record)
  local all = { record.author }
  for _, field in ipairs({ "to", "cc", "bcc" }) do
    for _, name in ipairs(record[field] or {}) do add(all, name) end
  end
  return all
end

local function has_attorney(record, matter)
  for _, name in ipairs(people_of_entry(record)) do
    if text.find(name, "(?i)\\besq\\b") or (matter and matter.attorney == name) then return true end
    for _, attorney in ipairs(record.attorneys or {}) do
      if names.fold(attorney) == names.fold(name) then return true end
    end
  end
  return false
end

rules["LEG-R11"] = function(record, needs)
  local found = array()
  local missing = array()
  for _, field in ipairs({ "date", "doc_type", "author", "description", "basis" }) do
    if blank(record[field]) then add(missing, field) end
  end
  if #(record.to or {}) == 0 then add(missing, "to") end
  if #missing > 0 then
    add(found, {
      code = "incomplete",
      path = "/" .. missing[1],
      values = { fields = table.concat(missing, ", ") },
    })
  end
  if record.basis == "AC" and not has_attorney(record, needs.matter) then
    add(found, { code = "no_attorney", path = "/attorneys" })
  end
  -- Named as a third party, or on the other side of the matter.
  local outside = {}
  local matter = needs.matter and live(needs.matter) and needs.matter or {}
  for _, list in pairs({
    named = record.third_parties, adverse = matter.adverse, others = matter.other_parties,
  }) do
    for _, name in ipairs(list) do outside[folded(name)] = true end
  end
  for _, name in ipairs(people_of_entry(record)) do
    if name and name ~= record.author and outside[folded(name)] then
      add(found, { code = "third_party", path = "/to", values = { name = name } })
      break
    end
  end
  return found
end
