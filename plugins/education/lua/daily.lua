-- Rules of the daily work: EDU-S01, S02, S04 to S06.

local common = require "common"
local before, day_of, has_role, listed, same, word_in =
  common.before, common.day_of, common.has_role, common.listed, common.same, common.word_in

rules["EDU-S01"] = function(event)
  if not listed(config.allowed_actions, event.action) and not event.referred_to then
    return { code = "refer", path = "/action", values = { action = event.action } }
  end
end

rules["EDU-S02"] = function(tally)
  if not before(tally.from, tally.to) then return { code = "no_window", path = "/to" } end
  if (tally.correct or 0) > tally.spoke_up then
    return { code = "more_correct", path = "/correct",
             values = { correct = tally.correct, spoke_up = tally.spoke_up } }
  end
end

rules["EDU-S04"] = function(request, needs, context)
  if request.state == "asked" then return nil end
  local decided = request.decided_by
  if not decided then return { code = "not_decided", path = "/decided_by" } end
  local day = day_of(decided.at, context)
  local teaches = has_role(needs.roles, decided.person, day, config.teacher_roles)
  if not same(decided.person, request.teacher) and not teaches then
    return { code = "not_by_teacher", path = "/decided_by" }
  end
end

rules["EDU-S05"] = function(note)
  local text = names.fold((note.text or "") .. " . " .. (note.outcome or ""))
  for _, word in ipairs(config.deficit_words) do
    if word_in(text, names.fold(word)) then
      return { code = "wording", values = { word = word } }
    end
  end
end

rules["EDU-S06"] = function(event)
  if event.type == "disruption" and event.minutes_lost == nil then
    return { code = "no_minutes", path = "/minutes_lost" }
  end
end
