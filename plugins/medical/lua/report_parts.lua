-- What the reports share.

local common = require "common"
local each, kept, within = common.each, common.kept, common.within

local function texts(context)
  return function(en, es) return context.language == "es" and es or en end
end

local function full_name(people, id)
  local person = people[id]
  return person and (person.given .. " " .. person.family) or (id or "-")
end

local function or_dash(value) return value == nil and "-" or value end

local function table_of(labels, rows)
  local columns = array()
  for i, label in ipairs(labels) do columns[i] = { label = label } end
  return { type = "table", columns = columns, rows = rows }
end

local function heading(text_, level) return { type = "heading", level = level or 1,
  text = text_ } end

local function note(text_) return { type = "text", text = text_, style = "note" } end

local function local_time(at, context)
  return at and (date.of(at, context.zone) .. " " .. instant.time(at, context.zone)) or "-"
end

local function local_day(at, context)
  return at and (#at == 10 and at or date.of(at, context.zone)) or nil
end

-- Records of the period, in the order of a field, those of one person where one is asked for.
local function chosen(list, field, parameters, context, who)
  local out = array()
  for _, record in each(list) do
    local at = record[field]
    local day = local_day(at or record._created, context)
    if kept(record) and within(day, parameters.from, parameters.to) and
       (parameters.person == nil or record[who or "person"] == parameters.person) then
      out[#out + 1] = record
    end
  end
  table.sort(out, function(a, b)
    local one, other = a[field] or a._created, b[field] or b._created
    if #one == #other and #one == 10 then return one == other and a._id < b._id or one < other end
    if #one == 10 or #other == 10 then return one < other end
    local order = instant.compare(one, other)
    return order < 0 or (order == 0 and a._id < b._id)
  end)
  return out
end

local function initials_of(people, ids)
  local given_to, used, legend = {}, {}, array()
  for _, id in ipairs(ids) do
    local letter = "^[%z\1-\127\194-\244][\128-\191]*"
    local person = people[id]
    local short = person and ((person.given:match(letter) or "") .. (person.family:match(letter)
      or ""))
      or id
    used[short] = (used[short] or 0) + 1
    if used[short] > 1 then short = short .. used[short] end
    given_to[id] = short
    legend[#legend + 1] = { short, full_name(people, id) }
  end
  return given_to, legend
end

local why_codes = { refused = "R", absent = "A", held = "H", no_supply = "H", other = "H",
  missed = "M" }

local function mar_code(dose)
  if dose.status == "completed" or dose.status == "in-progress" then return "G" end
  if dose.status == "not-done" then return why_codes[dose.not_done_reason] or "H" end
  if dose.status == "unknown" then return "?" end
  return "H"
end

local function order_line(order, say)
  return order.drug .. " " .. order.dose .. " " .. order.unit .. ", " .. say(order.route)
end

return {
  texts = texts, full_name = full_name, or_dash = or_dash, table_of = table_of,
  heading = heading, note = note, local_time = local_time, chosen = chosen,
  initials_of = initials_of, mar_code = mar_code, order_line = order_line,
}
