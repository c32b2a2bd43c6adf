-- What needs attention: `dutybook today` and `dutybook due` put the rows of all plugins together.

local common = require "common"
local active, day_of, live, same = common.active, common.day_of, common.live, common.same
local report_words = require "report_words"
local words = report_words.words
local report_parts = require "report_parts"
local clock_time, named, namer = report_parts.clock_time, report_parts.named, report_parts.namer

-- What needs attention: `dutybook today` and `dutybook due` put the rows of all plugins together.

local function attention(rows)
  local columns = array()
  for _, id in ipairs({ "level", "when", "what", "place", "who", "record" }) do
    columns[#columns + 1] = { id = id, label = id }
  end
  return { { type = "table", columns = columns, rows = rows } }
end

reports["today"] = function(parameters, needs, context)
  local t, name_of, rows = words(context.language), namer(needs.people), array()
  for _, post in ipairs(live(needs.posts)) do
    local mine = parameters.person == nil
    for _, one in ipairs(post.staff or {}) do mine = mine or same(one, parameters.person) end
    if mine and day_of(post.from, context) == parameters.date then
      rows[#rows + 1] = {
        #(post.staff or {}) == 0 and "urgent" or "today", clock_time(post.from, context),
        t(post.place) .. " - " .. clock_time(post.to, context), post.where or "",
        named(post.staff, name_of), post._id,
      }
    end
  end
  return attention(rows)
end

reports["due"] = function(parameters, needs, context)
  local t, name_of, rows = words(context.language), namer(needs.people), array()
  local last = date.add(parameters.date, parameters.days or 30)
  for _, one in ipairs(live(needs.placements)) do
    local review = one.iep_review
    if review and review <= last and active(one.begin, one["end"], parameters.date)
      and (parameters.person == nil or same(one.student, parameters.person)) then
      rows[#rows + 1] = {
        review < parameters.date and "overdue" or "soon", review, t("IEP review"), "",
        name_of(one.student), one._id,
      }
    end
  end
  return attention(rows)
end
