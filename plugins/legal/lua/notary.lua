-- Notarial acts: LEG-R12.

local common = require "common"
local add, united = common.add, common.united

local function register_findings(record, needs, found)
  local before, smaller = false, false
  for _, other in ipairs(united(needs.register)) do
    if other._id ~= record._id and other.register == record.register then
      if other.no == record.no then
        add(found, {
          code = "duplicate_number",
          path = "/no",
          severity = "needs_review",
          records = { other._id },
          values = { no = record.no },
        })
      end
      before = before or other.no == record.no - 1
      smaller = smaller or other.no < record.no
    end
  end
  if smaller and not before then
    add(found, {
      code = "gap",
      path = "/no",
      severity = "needs_review",
      values = { no = record.no, missing = record.no - 1 },
    })
  end
end

rules["LEG-R12"] = function(record, needs, context)
  -- A question may be asked before everything is known.
  if not record.at or not record.notary then return nil end
  local found = array()
  local day = date.of(record.at, context.zone)
  if record.commission_expires and record.commission_expires < day then
    add(found, {
      code = "commission_ended",
      path = "/commission_expires",
      values = { ended = record.commission_expires, day = day },
    })
  end
  if record.signed_on and record.signed_on ~= day then
    add(found, {
      code = "other_day",
      path = "/signed_on",
      values = { signed = record.signed_on, day = day },
    })
  end
  local named = {}
  for _, name in ipairs({ record.signer or "", table.unpack(record.parties or {}) }) do
    named[name] = true
    named[names.fold(name)] = true
  end
  local person = needs.notary
  local full = person and names.fold(person.given .. " " .. person.family)
  if named[record.notary] or (full and named[full]) then
    add(found, { code = "notary_is_party", path = "/notary" })
  end
  if record.no then register_findings(record, needs, found) end
  return found
end
