-- Tests and grading: EDU-R11, R12.

local common = require "common"
local active, bare, before, day_of, has_role, listed, live, others, roles_on, same =
  common.active, common.bare, common.before, common.day_of, common.has_role, common.listed,
  common.live, common.others, common.roles_on, common.same

-- First day of the school year that a day lies in.
local function year_start(day)
  local start = day:sub(1, 5) .. config.school_year_starts
  return start <= day and start or date.add(start, -1, "year")
end

local function trained(trainings, person, day)
  for _, one in ipairs(live(trainings)) do
    if same(one.person, person) and listed(config.test_training_courses, one.course)
      and one.passed ~= false and year_start(day) <= one.on and one.on <= day
      and (not one.valid_through or day <= one.valid_through) then
      return true
    end
  end
  return false
end

rules["EDU-R11"] = function(session, needs, context)
  local found = array()
  if not trained(needs.administrator_training, session.administrator, session.date) then
    found[#found + 1] = { code = "untrained", path = "/administrator" }
  end
  for i, proctor in ipairs(session.proctors or {}) do
    if not trained(needs.proctor_training, proctor, session.date) then
      found[#found + 1] = { code = "untrained_proctor", path = "/proctors",
                            values = { proctor = bare(proctor), place = i } }
      break
    end
  end
  local signed = session.security_agreement
  if not same(signed.person, session.administrator) then
    found[#found + 1] = { code = "agreement_of_other", path = "/security_agreement" }
  end
  if before(session.from, signed.at) or day_of(signed.at, context) < year_start(session.date) then
    found[#found + 1] = { code = "agreement_date", path = "/security_agreement" }
  end
  -- Once the sheet is final, every planned accommodation has an entry.
  if session._status ~= "final" then return found end
  for _, plan in ipairs(live(needs.plans)) do
    local seen = not active(plan.from, plan.to, session.date)
    for _, use in ipairs(live(needs.uses)) do
      if same(use.student, plan.student) and use.accommodation == plan.accommodation then
        seen = true
      end
    end
    if not seen then
      found[#found + 1] = { code = "no_entry", records = { plan._id },
                            values = { accommodation = plan.accommodation } }
    end
  end
  return found
end

local function plan_for(use, plans)
  for _, plan in ipairs(live(plans)) do
    if plan.accommodation == use.accommodation and same(plan.student, use.student) then
      return plan
    end
  end
end

-- Base x factor, rounded up to the minute; nothing where one of them is not known.
local function extended(use, needs)
  local plan = plan_for(use, needs.plans)
  local base = use.base_minutes or needs.session and needs.session.base_minutes
  local factor = use.factor or plan and plan.factor
  if not base or not factor then return nil end
  return math.tointeger(tonumber(decimal.round(decimal.mul(tostring(base), factor), 0, "up")))
end

complete["education.accommodation_use"] = function(use, needs)
  local minutes = extended(use, needs)
  if not minutes then return {} end
  -- What a person wrote stays; EDU-R11.use tells that it differs.
  return { minutes_computed = minutes, minutes_allowed = use.minutes_allowed or minutes }
end

rules["EDU-R11.use"] = function(use, needs)
  local found = array()
  local plan = plan_for(use, needs.plans)
  local some = #live(needs.plans) > 0
  if use.given and (not use.planned or (some and not plan)) then
    found[#found + 1] = { code = "unplanned", path = "/given",
                          values = { accommodation = use.accommodation } }
  end
  if use.planned and not use.given then
    found[#found + 1] = { code = "not_given", path = "/given",
                          severity = use.not_given_reason and "warn" or nil,
                          values = { accommodation = use.accommodation } }
  end
  local minutes = extended(use, needs)
  if minutes and use.minutes_allowed and use.minutes_allowed ~= minutes then
    found[#found + 1] = { code = "minutes_changed", path = "/minutes_allowed",
                          values = { allowed = use.minutes_allowed, computed = minutes } }
  end
  -- The plan may have come after the entry, which then had no time filled in.
  local allowed = use.minutes_allowed or minutes
  if allowed and use.minutes_used and use.minutes_used > allowed then
    found[#found + 1] = { code = "over_time", path = "/minutes_used",
                          values = { used = use.minutes_used, allowed = allowed } }
  end
  if use.scribe and use.verbatim ~= true then
    found[#found + 1] = { code = "not_verbatim", path = "/verbatim" }
  end
  return found
end

rules["EDU-R12.form"] = function(item)
  local below = decimal.compare(item.score, "0") < 0
  if below or decimal.compare(item.score, item.max) > 0 then
    return { code = "out_of_range", path = "/score",
             values = { score = item.score, max = item.max } }
  end
end

rules["EDU-R12"] = function(item, needs, context)
  local found = array()
  local ids, versions, seen = {}, {}, { [item.key_version] = true }
  for _, other in ipairs(others(item, needs.others)) do
    if other.class == item.class then
      ids[#ids + 1] = other._id
      seen[other.key_version] = true
    end
  end
  for version in pairs(seen) do versions[#versions + 1] = version end
  if #versions > 1 then
    found[#found + 1] = { code = "mixed_keys", records = ids,
                          values = { versions = table.concat(versions, ", ") } }
  end
  local approved = item.approved_by
  if item.counts and not approved then
    found[#found + 1] = { code = "not_approved", path = "/counts" }
  end
  if approved then
    local day = day_of(approved.at, context)
    local held = roles_on(needs.roles, approved.person, day)
    local teaches = has_role(needs.roles, approved.person, day, config.teacher_roles)
    if (same(approved.person, item.graded_by) or #held > 0) and not teaches then
      found[#found + 1] = { code = "approver", path = "/approved_by" }
    end
  end
  return found
end

return { extended = extended }
