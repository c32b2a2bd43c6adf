-- Papers and training: MED-R17 to R19.

local common = require "common"
local day_of, each, has_role, kept = common.day_of, common.each, common.has_role, common.kept
local delegation = require "delegation"
local contains = delegation.contains

-- MED-R17: no more leaves than the purpose needs; CORE-R07 asks to whom, what and why. Where
-- the school's records are education records (FERPA), the education plugin's EDU-R15 speaks.
rules["MED-R17"] = function(record)
  if config.disclosure_law ~= "HIPAA" then return nil end
  if record._kind == "core.contact_log" then
    local told = names.fold(record.summary or "")
    if text.find(names.fold(record.with or ""), config.care_circle) == nil and
      text.find(told, config.health_words) ~= nil then
      return { code = "outside", path = "/summary", severity = "warn",
        values = { with = record.with or "-" } }
    end
    return nil
  end
  local purpose = names.fold(record.purpose or "")
  for _, limit in each(config.minimum_necessary) do
    if text.find(purpose, limit.purpose) then
      local whole = text.find(names.fold(record.what or ""), config.whole_record)
      local beyond = {}
      for _, field in each(record.fields) do
        if not contains(limit.fields, field) then beyond[#beyond + 1] = field end
      end
      if whole or #beyond > 0 then
        return { code = "too_much", path = "/what",
          values = { what = #beyond > 0 and table.concat(beyond, ", ") or record.what,
            allowed = table.concat(limit.fields, ", ") } }
      end
      return nil
    end
  end
end

-- MED-R18: an error report says when a nurse was told.
rules["MED-R18"] = function(report)
  if report.nurse_told_at == nil then
    return { code = "nurse_not_told", path = "/nurse_told_at",
             values = { type = (report.type or "-"):gsub("_", " ") } }
  end
end

-- MED-R19: who trains has completed that course before; a clinical skill is signed off by a
-- licensed person.
rules["MED-R19"] = function(record, needs, context)
  local found = {}
  if record._kind == "medical.skills_checkoff" then
    if record.evaluator and record.on and
       not has_role(needs.roles, config.licensed_roles, record.on) then
      found[#found + 1] = { code = "not_licensed", path = "/evaluator",
        values = { skill = record.skill or "-", roles = table.concat(config.licensed_roles,
          ", ") } }
    end
    return found
  end
  local day = day_of(record.at, record, context)
  local done = false
  for _, completion in each(needs.completions) do
    done = done or (kept(completion) and completion.passed ~= false and day ~= nil and
                    names.fold(completion.course or "") == names.fold(record.topic or "") and
                    completion.on <= day)
  end
  if record.trainer and record.topic and day and not done then
    found[#found + 1] = { code = "trainer", path = "/trainer", values = { course = record.topic,
      day = day } }
  end
  if record.group_size and record.trainees and record.group_size ~= #record.trainees then
    found[#found + 1] = { code = "group_size", path = "/group_size", severity = "warn",
      values = { said = record.group_size, listed = #record.trainees } }
  end
  return found
end
