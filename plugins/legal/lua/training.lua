-- Continuing education and training: LEG-R13, CORE-R13 for sessions of this field.

local common = require "common"
local contains, live, united = common.contains, common.live, common.united
local billing = require "billing"
local trimmed = billing.trimmed

-- The dated requirement in force at the end of the period that is judged.
local function requirement_for(credential)
  local last = credential.valid_through
  for _, set in ipairs(config.cle_requirements) do
    local at = last or credential.issued
    local in_force = set.effective_from <= at and (not set.effective_to or at <= set.effective_to)
    if set.credential == credential.type and in_force then
      last = last or date.add(credential.issued, set.years, "year")
      return set, last
    end
  end
  return nil
end

-- Hours and ethics in the years up to the last day that the credential is valid.
local function cle_status(credential, activities)
  local set, last = requirement_for(credential)
  if not set then return nil end
  local status = { set = set, from = date.add(date.add(last, -set.years, "year"), 1), to = last }
  local hours, ethics = "0", "0"
  for _, activity in ipairs(united(activities)) do
    local counts = #(activity.credentials or {}) == 0
      or contains(activity.credentials, credential.type)
    if counts and activity.person == credential.person and status.from <= activity.on
      and activity.on <= last then
      hours = decimal.add(hours, activity.hours)
      ethics = decimal.add(ethics, activity.ethics_hours or "0")
    end
  end
  local function missing(needed, got)
    return decimal.compare(got, needed) < 0 and decimal.sub(needed, got) or "0"
  end
  status.hours, status.ethics = trimmed(hours), trimmed(ethics)
  status.missing = trimmed(missing(set.hours, hours))
  status.missing_ethics = trimmed(missing(set.ethics, ethics))
  status.complete = status.missing == "0" and status.missing_ethics == "0"
  return status
end

rules["LEG-R13"] = function(record, needs, context)
  if record._kind == "legal.cle_activity" then
    if not record.hours then return nil end
    if decimal.compare(record.ethics_hours or "0", record.hours) <= 0 then return nil end
    return {
      code = "ethics_over_hours",
      path = "/ethics_hours",
      values = { hours = record.hours, ethics = record.ethics_hours },
    }
  end
  local status = cle_status(record, needs.activities)
  if not status or status.complete then return nil end
  local left = date.diff(date.of(context.now, context.zone), status.to)
  if left > config.cle_warn_days then return nil end
  return {
    code = left >= 0 and "short" or "lapsed",
    severity = left >= 0 and "warn" or nil,
    path = record.valid_through and "/valid_through" or "/issued",
    values = {
      type = record.type,
      hours = status.missing,
      ethics = status.missing_ethics,
      days = math.abs(left),
      unit = status.set.unit,
      last = status.to,
    },
    steps = {
      status.from .. " to " .. status.to .. ": " .. status.hours .. " of " .. status.set.hours
        .. " " .. status.set.unit .. ", ethics " .. status.ethics .. " of " .. status.set.ethics,
    },
  }
end

-- Who gives training has completed it before.
rules["CORE-R13"] = function(record, needs)
  if not record.trainer or not record.on then return nil end
  local first = nil
  for _, done in ipairs(needs.completed) do
    if live(done) and done.passed ~= false then
      if done.on <= record.on then return nil end
      if not first or done.on < first then first = done.on end
    end
  end
  return {
    code = first and "trained_later" or "never_trained",
    path = "/trainer",
    values = { topic = record.topic, on = record.on, first = first },
  }
end

return { cle_status = cle_status }
