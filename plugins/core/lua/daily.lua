-- The rest of the daily work: rules beside the numbered ones.

local common = require "common"
local blank, day_of, each, exact, has, kept, name_of, signed, within =
  common.blank, common.day_of, common.each, common.exact, common.has, common.kept,
  common.name_of, common.signed, common.within

rules["CORE-decision"] = function(it)
  if it.reviewed_by and it.reviewed_by == it.by then
    return { code = "own_review", path = "/reviewed_by" }
  end
  if it.beyond_scope == true and it.reviewed_by == nil then
    return { code = "beyond", path = "/authority" }
  end
end

rules["CORE-changes"] = function(it, needs, context)
  local found, waiting, counted = array(), 0, {}
  local day = day_of(it.from, it, context)
  for _, link in each(needs.links) do
    if kept(link) and within(day, link.from, link.to) and not counted[link.para] then
      counted[link.para] = true
      if not has(it.seen_by, link.para) then waiting = waiting + 1 end
    end
  end
  if waiting > 0 then
    found[#found + 1] = { code = "not_seen", path = "/seen_by", values = { count = waiting } }
  end
  local ids = array()
  for _, duty in each(needs.duties) do
    if kept(duty) and counted[duty.assignee] and (duty.state == "open" or duty.state == "started")
      and #duty.due > 10 then
      ids[#ids + 1] = duty._id
    end
  end
  if #ids > 0 then
    found[#found + 1] = { code = "duties", path = "/from", records = ids, values = { count = #ids } }
  end
  return found
end

rules["CORE-exception"] = function(it, needs)
  local found = array()
  if blank(it.reason) then found[#found + 1] = { code = "blank_reason", path = "/reason" } end
  for _, other in each(needs.others) do
    if other._id ~= it._id and kept(other) and (other.change ~= it.change
      or other.new_at ~= it.new_at or other.new_assignee ~= it.new_assignee) then
      found[#found + 1] = { code = "two_answers", path = "/change", records = { other._id } }
    end
  end
  return found
end

rules["CORE-check_in"] = function(it, needs)
  if not kept(needs.shift) then return nil end
  if needs.shift.person ~= it.person then
    return { code = "other_person", path = "/shift", records = { needs.shift._id } }
  end
  local minutes = instant.minutes(needs.shift.from, it.at)
  if minutes > config.late_minutes then
    return { code = "late", path = "/at", values = { minutes = minutes } }
  end
end

local function unread(protocol, acks)
  local people = {}
  for _, person in each(protocol.readers) do
    local read = false
    for _, ack in each(acks) do
      read = read or (kept(ack) and ack.protocol == protocol._id and ack.by == person
        and ack.version == protocol.version)
    end
    if not read then people[#people + 1] = person end
  end
  return people
end

rules["CORE-protocol"] = function(it, needs)
  local count = #unread(it, needs.acks)
  if count > 0 then
    return { code = "unread", path = "/version", values = { version = it.version, count = count } }
  end
end

rules["CORE-assessment"] = function(it, needs)
  local found = array()
  local score, cut = exact(it.score), exact(it.cut_score)
  if score and cut and (decimal.compare(score, cut) >= 0) ~= it.passed then
    found[#found + 1] = {
      code = "mismatch", path = "/passed", values = { score = score, cut = cut },
    }
  end
  for _, other in each(needs.others) do
    local theirs = exact(other.cut_score)
    if other._id ~= it._id and kept(other) and cut and theirs
      and decimal.compare(cut, theirs) ~= 0 then
      found[#found + 1] = {
        code = "two_cuts", path = "/cut_score", records = { other._id },
        values = { other = theirs },
      }
    end
  end
  return found
end

rules["CORE-experience"] = function(it)
  if it.to and it.to < it.from then return { code = "backward", path = "/to" } end
  if it.hours and it.kind == "placement" and not signed(it.confirmed) then
    return { code = "unconfirmed", path = "/confirmed" }
  end
end

local function earlier(a, b)
  local order = instant.compare(a.at, b.at)
  return order < 0 or (order == 0 and a._id < b._id)
end

-- Who has a file after the moves before this one: the last of them, else the folder's first holder.
rules["CORE-file"] = function(it, needs)
  local last
  for _, move in each(needs.moves) do
    if kept(move) and move._id ~= it._id and earlier(move, it)
      and (last == nil or earlier(last, move)) then
      last = move
    end
  end
  local holder = last and last.to or (kept(needs.folder) and needs.folder.holder or nil)
  if holder and holder ~= it.from then
    local shown = holder
    for _, person in each(needs.people) do
      if person._id == holder then shown = name_of(person) end
    end
    return {
      code = "two_holders", path = "/from", records = last and { last._id } or array(),
      values = { holder = shown },
    }
  end
end

rules["CORE-handoff"] = function(it)
  local found = array()
  if it.at and blank(it.read_back) then
    found[#found + 1] = { code = "not_read_back", path = "/read_back" }
  end
  for _, field in ipairs({ "signed_from", "signed_to" }) do
    if it.at and not signed(it[field]) then
      local who = field == "signed_from" and it.from or it.to
      found[#found + 1] = {
        code = "unsigned", path = "/" .. field,
        values = { who = who and who:match("[^/]+$") or field },
      }
    end
  end
  return found
end

-- Words in each sentence, on average.
local function sentence_length(written)
  local words, sentences = 0, 0
  for _ in string.gmatch(written, "[^%s]+") do words = words + 1 end
  for _ in string.gmatch(written, "[^%.%?!]+") do sentences = sentences + 1 end
  return sentences > 0 and words // sentences or 0
end

rules["CORE-reading"] = function(it)
  if it.family ~= true then return nil end
  local mean = sentence_length(it.text)
  if mean > config.most_words then
    return { code = "hard", path = "/text", values = { words = mean, most = config.most_words } }
  end
end

rules["CORE-site"] = function(it)
  local found = array()
  if blank(it.jurisdiction) then
    found[#found + 1] = { code = "no_jurisdiction", path = "/jurisdiction" }
  end
  if it.opens and it.closes and it.closes <= it.opens then
    found[#found + 1] = {
      code = "hours", path = "/closes", values = { opens = it.opens, closes = it.closes },
    }
  end
  return found
end

local function period_of(one) return one.from, one.to or "9999-12-31" end

local function share_days(a, b)
  local from1, to1 = period_of(a)
  local from2, to2 = period_of(b)
  return from1 <= to2 and from2 <= to1
end

rules["CORE-pay"] = function(it, needs)
  if it.to and it.to < it.from then return { code = "backward", path = "/to" } end
  local found = array()
  for _, other in each(needs.others) do
    if other._id ~= it._id and kept(other) and share_days(it, other)
      and (it.pay_grade ~= other.pay_grade or it.annual_rate ~= other.annual_rate) then
      found[#found + 1] = { code = "two_grades", path = "/pay_grade", records = { other._id } }
    end
  end
  return found
end

-- An explanation that was not understood is tried again in another way.
rules["CORE-explain"] = function(it, needs)
  local found = array()
  if it.form == nil then found[#found + 1] = { code = "no_form", path = "/form" } end
  for _, other in each(needs.others) do
    if kept(other) and other._id ~= it._id and other.understood == "no" and it.form ~= nil
      and other.form == it.form and instant.compare(other.at, it.at) < 0 then
      found[#found + 1] = {
        code = "same_form", path = "/form", records = { other._id },
        values = { form = it.form, topic = it.topic },
      }
    end
  end
  return found
end

rules["CORE-strategy"] = function(it)
  if blank(it.result) then return { code = "no_result", path = "/result" } end
end

rules["CORE-support"] = function(it)
  local said = " " .. names.fold(it.outcome or "") .. " "
  for _, word in ipairs(config.diagnosis_words) do
    if said:find(" " .. names.fold(word) .. " ", 1, true) then
      return { code = "diagnosis", path = "/outcome", values = { word = word } }
    end
  end
end

rules["CORE-feedback"] = function(it)
  if it.by ~= nil and it.by == it.to then return { code = "own", path = "/by" } end
end

-- The ranks of one person's goals order the duties: two of a rank would leave it open.
rules["CORE-goal"] = function(it, needs)
  local found = array()
  for _, other in each(needs.others) do
    if other._id ~= it._id and kept(other) and it.rank ~= nil and other.rank == it.rank
      and (it.to == nil or other.from == nil or other.from <= it.to)
      and (other.to == nil or it.from == nil or it.from <= other.to) then
      found[#found + 1] = {
        code = "same_rank", path = "/rank", records = { other._id }, values = { rank = it.rank },
      }
    end
  end
  return found
end

rules["CORE-priority"] = function(it)
  if it.priority == "urgent" and it.due == nil and (it.state == "open" or it.state == "started") then
    return { code = "no_due", path = "/due" }
  end
end

rules["CORE-plan"] = function(it, needs, context)
  local found = array()
  for _, one in each(it.done) do
    if has(it.missing, one) then
      found[#found + 1] = { code = "both", path = "/missing", values = { item = one } }
    end
  end
  local today = day_of(context.now, it, context)
  if it.target_date and it.target_date < today and #(it.missing or {}) > 0 then
    found[#found + 1] = {
      code = "late", path = "/target_date",
      values = { day = it.target_date, count = #it.missing },
    }
  end
  return found
end

rules["CORE-answer"] = function(it, needs)
  local found = array()
  if blank(it.reason) then found[#found + 1] = { code = "blank_reason", path = "/reason" } end
  for _, other in each(needs.others) do
    if other._id ~= it._id and kept(other) and other.answer ~= it.answer then
      found[#found + 1] = {
        code = "two_answers", path = "/answer", records = { other._id },
      }
    end
  end
  return found
end

return { unread = unread, earlier = earlier, sentence_length = sentence_length }
