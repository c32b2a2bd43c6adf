-- Credentials: CORE-R04.

local common = require "common"
local day_of, each, exact, has, kept, values_of, within, zone_of =
  common.day_of, common.each, common.exact, common.has, common.kept, common.values_of,
  common.within, common.zone_of

local function act_day(duty, context)
  return day_of(duty.done_at or duty.due or duty.occurrence_date, duty, context)
end

-- How far a type of credential reaches on a day: true, or what is wrong with it.
local function holding(type, day, credentials, courses)
  local wrong, record
  local function look(issued, through, id)
    if issued > day then
      if wrong == nil then wrong = { code = "not_yet", issued = issued, id = id } end
    elseif through ~= nil and through < day then
      if wrong == nil or wrong.code == "not_yet" or through > wrong.through then
        wrong = { code = "lapsed", through = through, id = id }
      end
    else
      record = true
    end
  end
  for _, one in each(credentials) do
    if kept(one) and one.type == type then look(one.issued, one.valid_through, one._id) end
  end
  for _, one in each(courses) do
    if kept(one) and one.course == type and one.passed ~= false then
      look(one.on, one.valid_through, one._id)
    end
  end
  return record, wrong
end

rules["CORE-R04"] = function(it, needs, context)
  local day = act_day(it, context)
  if it.state == "cancelled" or it.assignee == nil or day == nil then return nil end
  local wanted, order = {}, {}
  local function want(type)
    if not wanted[type] then wanted[type], order[#order + 1] = true, type end
  end
  for _, type in ipairs(values_of(it.needs_credential)) do want(type) end
  for _, set in each(needs.sets) do
    if kept(set) and within(day, set.effective_from, set.effective_to) then
      for _, type in each(set.credentials) do want(type) end
    end
  end
  local found = array()
  for _, type in ipairs(order) do
    local good, wrong = holding(type, day, needs.credentials, needs.courses)
    if not good then
      found[#found + 1] = {
        code = wrong and wrong.code or "none", path = "/assignee",
        records = wrong and { wrong.id } or array(),
        passes_at = wrong and wrong.code == "not_yet"
          and instant.at(wrong.issued, "00:00", zone_of(it, context)) or "never",
        values = {
          type = type, day = day, through = wrong and wrong.through,
          issued = wrong and wrong.issued,
        },
      }
    end
  end
  return found
end

-- Years of experience: a tenth is enough to tell, 365.25 days are a year.
local function experience(periods, kinds, day)
  local days, hours = "0", "0"
  for _, one in each(periods) do
    if kept(one) and one.from <= day and (kinds == nil or #kinds == 0 or has(kinds, one.kind)) then
      local last = one.to and one.to < day and one.to or day
      local length = tostring(date.diff(one.from, last) + 1)
      days = decimal.add(days, decimal.mul(length, exact(one.fte) or "1"))
      hours = decimal.add(hours, exact(one.hours) or "0")
    end
  end
  return decimal.div(days, "365", 2, "down"), hours
end

local function study_hours(studies, day)
  local hours = "0"
  for _, one in each(studies) do
    if kept(one) and one.on <= day then hours = decimal.add(hours, exact(one.hours) or "0") end
  end
  return hours
end

-- What a requirement set still misses, in words.
local function missing_for(set, it, needs, day)
  local missing = {}
  local function miss(words) missing[#missing + 1] = words end
  if set.min_hours and decimal.compare(study_hours(needs.studies, day), set.min_hours) < 0 then
    miss(set.min_hours .. " h study")
  end
  if set.min_training_hours then
    local hours = "0"
    for _, one in each(needs.courses) do
      if kept(one) and one.on <= day and one.passed ~= false then
        hours = decimal.add(hours, exact(one.hours) or "0")
      end
    end
    if decimal.compare(hours, set.min_training_hours) < 0 then
      miss(set.min_training_hours .. " h training")
    end
  end
  local years, hours = experience(needs.periods, set.experience_kinds, day)
  if set.min_experience_years and decimal.compare(years, set.min_experience_years) < 0 then
    miss(set.min_experience_years .. " y experience")
  end
  if set.min_experience_hours and decimal.compare(hours, set.min_experience_hours) < 0 then
    miss(set.min_experience_hours .. " h experience")
  end
  for _, exam in each(set.exams) do
    if it["exam_" .. exam] ~= true then miss(exam .. " exam") end
  end
  return missing
end

local function expiry_by(set, issued)
  local last = date.add(issued, set.valid_months, "month")
  if set.expiry_rule == "month_end" then return date.last_of_month(last) end
  if set.expiry_rule == "day_before" then return date.add(last, -1) end
  return last
end

rules["CORE-R04-eligible"] = function(it, needs)
  local missing, met, closed, expected, sets = nil, false, nil, nil, array()
  for _, set in each(needs.sets) do
    if kept(set) and within(it.issued, set.effective_from, set.effective_to) then
      sets[#sets + 1] = set._id
      if set.closed then
        closed = closed or set
      else
        -- Sets that disagree stay apart; a credential that meets one of them is not questioned.
        local words = missing_for(set, it, needs, it.issued)
        if #words == 0 then
          met = true
        elseif missing == nil then
          missing = { set = set, words = words }
        end
        if set.valid_months and it.valid_through then
          local last = expiry_by(set, it.issued)
          if expected == nil or last == it.valid_through then
            expected = { set = set, last = last }
          end
        end
      end
    end
  end
  local found = array()
  if missing and not met then
    found[#found + 1] = {
      code = "not_eligible", path = "/type", records = { missing.set._id },
      values = {
        type = it.type, day = it.issued, set = missing.set.name,
        missing = table.concat(missing.words, ", "),
      },
    }
  elseif closed and not met then
    found[#found + 1] = {
      code = "closed", path = "/issued", records = { closed._id },
      values = { set = closed.name, since = closed.effective_from },
    }
  end
  if expected and expected.last ~= it.valid_through then
    found[#found + 1] = {
      code = "expiry", severity = "warn", path = "/valid_through", records = { expected.set._id },
      values = { through = it.valid_through, set = expected.set.name, expected = expected.last },
    }
  end
  return found
end

return { act_day = act_day, experience = experience }
