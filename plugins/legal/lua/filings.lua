-- Filings: LEG-R10.

local common = require "common"
local add, blank, live, signed = common.add, common.blank, common.live, common.signed

-- Every text in a record, lists and objects gone into; the envelope left out.
local function texts_in(value, out)
  if type(value) == "string" then
    add(out, value)
  elseif type(value) == "table" then
    for key, item in pairs(value) do
      if not (type(key) == "string" and key:sub(1, 1) == "_") then texts_in(item, out) end
    end
  end
  return out
end

-- FRCP 5.2(a). A finding never repeats what should not be shown.
local function unredacted(record, document)
  local found = array()
  local seen = {}
  local function told(what, from)
    if seen[what] then return end
    seen[what] = true
    add(found, {
      code = "unredacted",
      path = from == record and "" or "/document",
      records = document and { document._id } or nil,
      values = { what = what },
    })
  end
  for _, from in ipairs({ record, document }) do
    local minors = from == document and from.minors or nil
    local searched = {}
    for key, value in pairs(from) do
      if key ~= "minors" and key ~= "hash" then searched[key] = value end
    end
    for _, each in ipairs(texts_in(searched, {})) do
      for _, rule in ipairs(config.redaction_patterns) do
        if text.find(each, rule.pattern) then told(rule.what, from) end
      end
      for _, minor in ipairs(minors or (document and document.minors) or {}) do
        -- A pattern is at most 256 bytes, and a name shorter.
        if #minor <= 256 and each:lower():find(minor:lower(), 1, true) then told("a minor's name", from) end
      end
    end
  end
  return found
end

rules["LEG-R10"] = function(record, needs)
  local document = needs.document and live(needs.document) and needs.document or nil
  local checklist = needs.checklist and live(needs.checklist) and needs.checklist or nil
  local found = unredacted(record, document)
  if not checklist then
    add(found, { code = "no_checklist", path = "/checklist" })
    return found
  end
  local open = array()
  for _, item in ipairs(checklist.items or {}) do
    local done = not blank(item.done_by) and not blank(item.at)
    if item.required ~= false and not done then add(open, item.text) end
  end
  if #open > 0 then
    add(found, {
      code = "incomplete",
      path = "/checklist",
      records = { checklist._id },
      values = { items = table.concat(open, "; ") },
    })
  end
  if not signed(checklist.redaction_checked) then
    add(found, { code = "redaction_unchecked", path = "/checklist", records = { checklist._id } })
  end
  return found
end
