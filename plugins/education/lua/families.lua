-- Interpreting, families, disclosures: EDU-R13 to R15.

local common = require "common"
local active, bare, day_of, has_role, listed, live, roles_on, same, word_in =
  common.active, common.bare, common.day_of, common.has_role, common.listed, common.live,
  common.roles_on, common.same, common.word_in

-- Languages by their tag, "es-MX"; rosters also write their names.
local LANGUAGES = { spanish = "es", espanol = "es", castellano = "es", spa = "es", english = "en",
                    ingles = "en", eng = "en" }

local function language(tag)
  local word = names.fold(tag:match("^[^-_ ]+") or tag)
  return LANGUAGES[word] or word
end

local function speaks(person, tag)
  for _, each in ipairs(person.languages or {}) do
    if language(each) == language(tag) then return true end
  end
  return false
end

rules["EDU-R13"] = function(event, needs, context)
  local found = array()
  local day = day_of(event.from, context)
  local enrolled = #live(needs.enrolments) > 0 or event.relation == "student"
    or event.relation == "sibling" or has_role(needs.roles, nil, day, { "student" })
  if enrolled then found[#found + 1] = { code = "student_interprets", path = "/interpreter" } end
  if event.setting == "IEP_meeting" and not event.qualified then
    found[#found + 1] = { code = "not_qualified", path = "/qualified" }
  end
  if not event.confidentiality_ack then
    found[#found + 1] = { code = "no_confidentiality", path = "/confidentiality_ack" }
  end
  local person = needs.interpreter
  if language(event.from_lang) == language(event.to_lang) then
    found[#found + 1] = { code = "same_language", path = "/to_lang" }
  elseif person and not (speaks(person, event.from_lang) and speaks(person, event.to_lang)) then
    found[#found + 1] = { code = "pair_not_declared", path = "/interpreter",
                          values = { from = event.from_lang, to = event.to_lang } }
  end
  if event.setting == "phone" and #(event.parties or {}) < 3 then
    found[#found + 1] = { code = "parties", path = "/parties", severity = "warn",
                          values = { named = #(event.parties or {}) } }
  end
  return found
end

local function text_of(report)
  local parts = { report.plain_text or "", report.unit or "" }
  for _, section in ipairs(report.sections or {}) do
    parts[#parts + 1] = (section.heading or "") .. " . " .. (section.text or "")
  end
  return table.concat(parts, " . ")
end

-- How another student is named: "full" by given and family name or by another name on file,
-- "given" by one of the two alone, nil not at all. Staff, guardians and the student's own names may
-- be there. `lists` holds pupil_roles, pupils and everyone.
local function naming(student, lists)
  local pupils, own, others = {}, {}, {}
  for _, role in ipairs(live(lists.pupil_roles)) do pupils[bare(role.person)] = true end
  for _, pupil in ipairs(live(lists.pupils)) do pupils[bare(pupil.person)] = true end
  for _, person in ipairs(live(lists.everyone)) do
    if pupils[bare(person._id)] and not same(person._id, student) then
      others[#others + 1] = person
    else
      own[names.fold(person.given)], own[names.fold(person.family)] = true, true
    end
  end
  return function(text)
    text = names.fold(text)
    local partly
    for _, person in ipairs(others) do
      local first, last = names.fold(person.given), names.fold(person.family)
      if word_in(text, first .. " " .. last) or word_in(text, last .. " " .. first) then
        return "full"
      end
      for _, other in ipairs(person.other_names or {}) do
        local name = names.fold(other)
        if name:find(" ", 1, true) and word_in(text, name) then return "full" end
      end
      local named = (not own[first] and word_in(text, first))
        or (not own[last] and word_in(text, last))
      if named then partly = "given" end
    end
    return partly
  end
end

rules["EDU-R14"] = function(report, needs, context)
  local found = array()
  local lists = { pupil_roles = needs.pupil_roles, pupils = needs.pupils, everyone = needs.people }
  -- The name itself is left out: a finding is seen by more people than the report.
  local named = naming(report.student, lists)(text_of(report))
  if named == "full" then
    found[#found + 1] = { code = "other_student" }
  elseif named == "given" then
    found[#found + 1] = { code = "maybe_other_student", severity = "warn" }
  end
  local day = day_of(report.approved_by.at, context)
  local held = roles_on(needs.approver_roles, report.approved_by.person, day)
  if #held > 0 and not has_role(needs.approver_roles, report.approved_by.person, day,
                                config.teacher_roles) then
    found[#found + 1] = { code = "not_by_teacher", path = "/approved_by",
                          severity = "needs_review" }
  end
  local home = needs.student and needs.student[1] and needs.student[1].home_language
  if home and language(home) ~= language(report.language) then
    found[#found + 1] = { code = "language", path = "/language", severity = "needs_review",
                          values = { home = home, language = report.language } }
  end
  if report.reading_level and report.reading_level > config.reading_level_most then
    found[#found + 1] = { code = "hard_to_read", path = "/reading_level", severity = "warn",
                          values = { level = report.reading_level,
                                     most = config.reading_level_most } }
  end
  return found
end

-- 34 CFR 300.320(a)(3)(ii): as often as report cards. The newest period without a report.
rules["EDU-R14.due"] = function(service, needs, context)
  local today = day_of(context.now, context)
  local newest
  for _, period in ipairs(config.report_periods) do
    local due = date.add(period.ends, config.report_grace_days)
    local given = not active(service.from, service.to, period.ends)
    for _, report in ipairs(live(needs.reports)) do
      if report.period == period.name then given = true end
    end
    if due < today and not given and (not newest or newest.ends < period.ends) then
      newest = period
    end
  end
  if newest then
    return { code = "no_report", values = { period = newest.name, ended = newest.ends } }
  end
end

-- 34 CFR 99.32: party and legitimate interest; 99.32(d) exempts some parties.
rules["EDU-R15"] = function(disclosure, needs, context)
  if #live(needs.students) == 0 then return nil end
  if listed(config.disclosure_exempt, disclosure.legal_basis) then return nil end
  local found = array()
  for _, field in ipairs({ "to_party", "purpose", "legal_basis" }) do
    if not (disclosure[field] or ""):find("%S") then
      found[#found + 1] = { code = "no_" .. field, path = "/" .. field }
    end
  end
  for _, student in ipairs(live(needs.students)) do
    local special = listed(student.plans, "IEP")
    if special and not disclosure.at then
      found[#found + 1] = { code = "no_date", path = "/at", records = { student._id } }
    end
  end
  return found
end

return { language = language, naming = naming }
