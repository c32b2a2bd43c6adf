-- Papers: CORE-R07, R08.

local common = require "common"
local after, blank, clock, day_of, each, has, kept, minutes_of, signed, values_of =
  common.after, common.blank, common.clock, common.day_of, common.each, common.has, common.kept,
  common.minutes_of, common.signed, common.values_of

rules["CORE-R07"] = function(it)
  for _, field in ipairs({ "purpose", "what", "legal_basis", "to_party" }) do
    if blank(it[field]) then
      return { code = "blank", path = "/" .. field, values = { field = field } }
    end
  end
end

rules["CORE-R07-outside"] = function(it, needs)
  if it.outside ~= true or #(it.about or {}) == 0 then return nil end
  if not kept(needs.disclosure) then return { code = "no_disclosure", path = "/disclosure" } end
  for _, person in ipairs(it.about) do
    if not has(values_of(needs.disclosure.about), person) then
      return { code = "other_person", path = "/disclosure", records = { needs.disclosure._id } }
    end
  end
end

-- When the content of a paper last changed. Signing changes the record too, so that without
-- last_edit only a change on a later day than the last signature counts.
local function changed_after(item, context)
  local last
  local list = {}
  for _, one in each(item.signatures) do
    if signed(one.sig) then
      list[#list + 1] = one.sig
      if last == nil or instant.compare(one.sig.at, last.at) > 0 then last = one.sig end
    end
  end
  if last == nil then return nil end
  if item.last_edit then
    for _, sig in ipairs(list) do
      if after(item.last_edit, sig.at, item, context) then return sig, item.last_edit end
    end
  elseif item._changed and item._source ~= "imported"
    and day_of(item._changed, item, context) > day_of(last.at, item, context) then
    return last, item._changed
  end
end

local function paper_gaps(item)
  local fields, roles = {}, {}
  for _, field in each(item.fields) do
    if field.required ~= false and blank(field.value) then fields[#fields + 1] = field.name end
  end
  for _, one in each(item.signatures) do
    if one.required ~= false and not signed(one.sig) then roles[#roles + 1] = one.role end
  end
  return fields, roles
end

rules["CORE-R08"] = function(it, needs, context)
  if it.state == "cancelled" then return nil end
  local found = array()
  local severity = not after(context.now, it.due, it, context) and "warn" or nil
  local fields, roles = paper_gaps(it)
  local due = clock(it.due, it, context)
  for _, name in ipairs(fields) do
    found[#found + 1] = {
      code = "missing_field", severity = severity, path = "/fields",
      values = { name = name, due = due },
    }
  end
  for _, role in ipairs(roles) do
    found[#found + 1] = {
      code = "missing_signature", severity = severity, path = "/signatures",
      values = { role = role, due = due },
    }
  end
  local sig, changed = changed_after(it, context)
  if sig then
    found[#found + 1] = {
      code = "signed_before_change", path = "/signatures",
      values = { signed = clock(sig.at, it, context), changed = clock(changed, it, context) },
    }
  end
  return found
end

rules["CORE-R08-check"] = function(it, needs)
  if not kept(needs.item) then return nil end
  local found = array()
  local fields, roles = paper_gaps(needs.item)
  local count = #fields + #roles
  if it.complete and count > 0 then
    found[#found + 1] = {
      code = "not_complete", path = "/complete", records = { needs.item._id },
      values = { count = count },
    }
  end
  if it.by == needs.item.owner then
    found[#found + 1] = { code = "own_check", path = "/by", records = { needs.item._id } }
  end
  return found
end

rules["CORE-R08-delivery"] = function(it, needs, context)
  if signed(it.receipt) then return nil end
  if instant.minutes(it.at, context.now) > minutes_of(config.receipt_limit) then
    return { code = "no_receipt", path = "/receipt", values = { at = clock(it.at, it, context) } }
  end
end

return { paper_gaps = paper_gaps }
