-- Who is qualified to instruct: EDU-R07.

local common = require "common"
local day_of, has_role, listed, live = common.day_of, common.has_role, common.listed, common.live

-- The rule of a state for "two years of study" on a day: the newest that is in force.
local function two_years(day)
  local best
  for _, rule in ipairs(config.title_i_rules) do
    local fits = rule.state == config.state or rule.state == "*"
    local better = not best or (best.state == "*" and rule.state ~= "*")
      or (best.state == rule.state and best.effective_from < rule.effective_from)
    if fits and rule.effective_from <= day and better then best = rule end
  end
  return best
end

local DEGREES = { associate = true, bachelor = true, master = true }

-- 34 CFR 200.58: a secondary diploma or equivalent, and study, a degree or an assessment.
local function qualified(educations, assessments, day)
  local rule = two_years(day)
  local status = { secondary = false, hours = "0", enough = false,
                   wanted = rule and rule.hours or "48" }
  for _, one in ipairs(live(educations)) do
    if one.on <= day then
      if one.level == "secondary" then
        status.secondary = true
      elseif DEGREES[one.level] and (one.kind or "degree") == "degree" then
        status.secondary, status.enough, status.degree = true, true, one.level
      elseif one.hours then
        status.hours = decimal.add(status.hours, one.hours)
      end
    end
  end
  if decimal.compare(status.hours, status.wanted) >= 0 then status.enough = true end
  for _, one in ipairs(live(assessments)) do
    local cut = rule and rule.cut_scores and rule.cut_scores[one.name]
    local good = one.passed
    if cut and one.score then good = decimal.compare(one.score, cut) >= 0 end
    if good and one.on <= day then status.enough, status.test = true, one.name end
  end
  return status
end

rules["EDU-R07"] = function(record, needs, context)
  if not config.title_i then return nil end
  local person, path, day
  if record._kind == "core.duty" then
    if not listed(config.instructional_categories, record.category) then return nil end
    person, path, day = record.assignee, "/assignee", record.due or record.occurrence_date
  else
    person, path, day = record.para, "/para", record.from
  end
  if not person or not day then return nil end
  if #day > 10 then day = day_of(day, context) end
  for _, name in ipairs({ "roles_para", "roles_assignee" }) do
    if has_role(needs[name], person, day, config.teacher_roles) then return nil end
  end
  local educations, assessments = needs.education_para, needs.assessments_para
  if record._kind == "core.duty" then
    educations, assessments = needs.education_assignee, needs.assessments_assignee
  end
  if #live(educations) == 0 and #live(assessments) == 0 then
    return { code = "nothing_on_file", path = path, severity = "warn" }
  end
  local status = qualified(educations, assessments, day)
  if not status.secondary then return { code = "no_secondary", path = path } end
  if not status.enough then
    return { code = "not_qualified", path = path,
             values = { hours = status.hours, wanted = status.wanted } }
  end
end

return { qualified = qualified }
