-- Walls around matters: LEG-R14.

local common = require "common"
local contains = common.contains

local function may_see(matter, reader)
  local list = matter.access_list or {}
  if #list == 0 then return true end
  return reader ~= nil and (matter.attorney == reader or contains(list, reader))
end

-- Work by somebody whom the wall keeps out. What they may read is the host's to keep.
rules["LEG-R14"] = function(record, needs)
  local person = record.person or record.author or record.by
  local matter = needs.matter
  if not person or not matter or may_see(matter, person) then return nil end
  return {
    code = "outside",
    path = record.person and "/person" or (record.author and "/author" or "/by"),
    values = { person = person, number = matter.number },
  }
end

return { may_see = may_see }
