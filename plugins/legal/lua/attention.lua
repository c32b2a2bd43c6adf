-- What needs attention: `dutybook today` and `dutybook due` put the rows of all plugins together.

local common = require "common"
local add, live = common.add, common.live
local walls = require "walls"
local may_see = walls.may_see
local report_words = require "report_words"
local words_of = report_words.words_of
local report_parts = require "report_parts"
local matters_by_id, reader_of = report_parts.matters_by_id, report_parts.reader_of

-- What needs attention: `dutybook today` and `dutybook due` put the rows of all plugins together.

local function deadlines_ahead(parameters, needs, context, days)
  local w, rows = words_of(context), array()
  local matters, last = matters_by_id(needs.matters), date.add(parameters.date, days)
  for _, one in ipairs(needs.computed or {}) do
    local at = one.due or one.computed
    local day = at and (#at == 10 and at or date.of(at, one.tz or context.zone))
    local matter = matters[one.matter]
    local mine = parameters.person == nil or (matter and matter.attorney == parameters.person)
    if live(one) and one.done_on == nil and day and day <= last and mine
      and (matter == nil or may_see(matter, reader_of(parameters, context))) then
      local level = day < parameters.date and "overdue"
        or (day == parameters.date and "urgent" or "soon")
      -- No more than the matter's number: this list is read over shoulders.
      local number = matter and matter.number or one.matter
      add(rows, { level, day, w("Deadline") .. (number and " " .. number or "") .. ": "
        .. one.event, "", "", one._id })
    end
  end
  local columns = array()
  for _, id in ipairs({ "level", "when", "what", "place", "who", "record" }) do
    add(columns, { id = id, label = id })
  end
  return { { type = "table", columns = columns, rows = rows } }
end

reports["today"] = function(parameters, needs, context)
  return deadlines_ahead(parameters, needs, context, 0)
end

reports["due"] = function(parameters, needs, context)
  return deadlines_ahead(parameters, needs, context, parameters.days or 30)
end
