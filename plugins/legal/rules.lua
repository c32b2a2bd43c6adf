-- Legal offices: deadlines, conflicts, time and bills, filings, privilege, notaries, education.
-- Nothing here is legal advice: every answer is a proposal, and an attorney decides.
-- Sections follow the rules of the manifest; arithmetic of the calendar is the host's.

-- Small helpers -------------------------------------------------------------------------------

local function live(record)
  return record._status ~= "retracted"
end

local function blank(value)
  return value == nil or (type(value) == "string" and value:match("^%s*$") ~= nil)
end

local function contains(list, value)
  for _, item in ipairs(list or {}) do
    if item == value then return true end
  end
  return false
end

local function add(list, item)
  list[#list + 1] = item
end

-- The live records of several lists, each once, by id.
local function united(...)
  local seen, all = {}, {}
  for _, list in ipairs({ ... }) do
    for _, record in ipairs(list) do
      if not seen[record._id] and live(record) then
        seen[record._id] = true
        add(all, record)
      end
    end
  end
  return all
end

-- The calendar date of a date or an instant, in a zone.
local function day_of(when, zone)
  if when == nil then return nil end
  if #when == 10 then return when end
  return date.of(when, zone)
end

-- The host takes at most 100 findings of one rule about one record. Of pairs, each is also told
-- from its other side.
local function capped(found)
  while #found > 100 do table.remove(found) end
  return found
end

local function signed(sig)
  return type(sig) == "table" and not blank(sig.person)
end

local function number_text(value)
  if value == nil then return nil end
  local text = type(value) == "number" and string.format("%.10g", value) or tostring(value)
  return decimal.valid(text) and text or nil
end

-- Whether the roles say that a person was an attorney on a day: true, false, or nil where no role
-- of theirs is known at all.
local function attorney_on(person, day, roles, matter)
  if matter and matter.attorney == person then return true end
  local known = nil
  for _, role in ipairs(roles or {}) do
    if live(role) and role.person == person then
      known = known or false
      local then_valid = not day
        or ((not role.from or role.from <= day) and (not role.to or day <= role.to))
      if then_valid and contains(config.attorney_roles, role.role) then known = true end
    end
  end
  return known
end

-- Deadlines: FRCP 6 (LEG-R01 to R06, R16) -----------------------------------------------------

local services_with_three_days = {
  mail = true, left_with_clerk = true, other_consented_means = true,
}

-- The court's zone; a name that is no zone does not stop a record from being judged.
local function court_zone(record, court, context)
  for _, zone in ipairs({ record.tz or "", court and court.tz or "" }) do
    if zone ~= "" and pcall(instant.time, "2026-01-01T00:00:00Z", zone) then return zone end
  end
  return context.zone
end

-- The count by the host's library; nothing where a value is missing or makes no sense.
local function count(record, court, context)
  court = court and live(court) and court or nil
  local zone = court_zone(record, court, context)
  local trigger = record.trigger
  if type(trigger) ~= "string" or math.type(record.period) ~= "integer" then return nil end
  if record.unit ~= "hour" and #trigger > 10 then
    local ok, day = pcall(date.of, trigger, zone)
    if not ok then return nil end
    trigger = day
  end
  local ok, result = pcall(deadline.compute, {
    trigger = trigger,
    period = record.period,
    unit = record.unit,
    direction = record.direction,
    runs_from = record.runs_from,
    service = record.service,
    tz = zone,
    holidays = court and court.holidays or {},
    inaccessible = court and court.inaccessible or {},
  })
  return ok and result or nil
end

-- The values that a count depends on, in words: when they change, it is done anew.
local function inputs_of(record)
  return string.format("%s; %s %s %s; %s, %s; %s; %s", record.trigger or "-",
    tostring(record.period or "-"), record.unit or "-", record.direction or "-",
    record.runs_from or "-", record.service or "-", record.court or "no court", record.tz or "-")
end

local function mentions(steps, when)
  for _, step in ipairs(steps or {}) do
    if step:find(when, 1, true) then return true end
  end
  return false
end

-- A count once made stays: a calendar that changes later raises a finding (LEG-R01 to R05) and
-- never moves a date silently. A date that a person typed over the computed one becomes `due`, and
-- the computed one is kept beside it (LEG-R06).
local function counted_anew(record, needs, context)
  local inputs = inputs_of(record)
  local counted = record.computed and mentions(record.explained, record.computed)
  if counted and record.counted_from == inputs then return {} end
  local fresh = count(record, needs.court, context)
  if not fresh then return {} end
  local filled = {
    computed = fresh.computed,
    explained = fresh.explained,
    counted_from = inputs,
  }
  if record.computed and not counted and record.computed ~= fresh.computed then
    filled.due = record.computed
  end
  return filled
end

-- The signature is for the date that stood there when it was given.
complete["legal.deadline"] = function(record, needs, context)
  local filled = counted_anew(record, needs, context)
  local review = record.reviewed_by
  local noted = record.reviewed_due
  if signed(review) and not (noted and noted.at == review.at) then
    local due = filled.due or record.due or filled.computed or record.computed
    if due then filled.reviewed_due = { at = review.at, due = due } end
  end
  return filled
end

-- Which rule of the table a count belongs to.
local function rule_of_count(record)
  if record.unit == "hour" then return "LEG-R02" end
  if record.direction == "before" then return "LEG-R03" end
  if record.runs_from == "service" and services_with_three_days[record.service] then
    return "LEG-R04"
  end
  return "LEG-R01"
end

-- The date that is stored against a count made now. Where only the court's calendar makes the
-- difference it is LEG-R05's, else the rule's of the period.
local function stale_for(rule)
  return function(record, needs, context)
    local fresh = count(record, needs.court, context)
    if not fresh and not record.computed and rule_of_count(record) == rule then
      return {
        code = "no_count",
        path = "/trigger",
        severity = "warn",
        values = { inputs = inputs_of(record) },
      }
    end
    if not record.computed then return nil end
    if not fresh or fresh.computed == record.computed then return nil end
    local plain = count(record, nil, context)
    local by_calendar = needs.court and plain and plain.computed ~= fresh.computed
    local owner = by_calendar and "LEG-R05" or rule_of_count(record)
    if owner ~= rule then return nil end
    return {
      code = "stale",
      path = "/computed",
      records = needs.court and { needs.court._id } or nil,
      values = { stored = record.computed, counted = fresh.computed },
      steps = fresh.explained,
    }
  end
end
for _, rule in ipairs({ "LEG-R01", "LEG-R02", "LEG-R03", "LEG-R04", "LEG-R05" }) do
  rules[rule] = stale_for(rule)
end

-- A question without a matter is arithmetic alone: nobody has to sign it.
local function due_of(record)
  return record.due or record.computed
end

-- Model Rule 5.3: a proposal until an attorney signs; entered by one, reviewed by another.
rules["LEG-R06"] = function(record, needs, context)
  local due = due_of(record)
  if not record.matter or not due then return nil end
  local found = array()
  local zone = court_zone(record, needs.court, context)
  local last = day_of(due, zone)
  local reviewed = record.reviewed_by
  if record.due and record.computed and record.due ~= record.computed and not signed(reviewed) then
    add(found, {
      code = "changed",
      path = "/due",
      values = { due = record.due, computed = record.computed },
      steps = record.explained,
    })
  end
  if not signed(reviewed) then
    if record.done_on then return found end
    local left = date.diff(date.of(context.now, zone), last)
    local urgent = left <= config.review_urgent_days
    add(found, {
      code = urgent and "unsigned" or "proposal",
      path = "/reviewed_by",
      severity = not urgent and "info" or nil,
      values = { due = last, days = left },
      steps = record.explained,
    })
    return found
  end
  local day = day_of(reviewed.at, zone)
  if attorney_on(reviewed.person, day, needs.roles, needs.matter) == false then
    add(found, {
      code = "no_attorney",
      path = "/reviewed_by",
      values = { person = reviewed.person },
    })
  end
  local noted = record.reviewed_due
  if noted and noted.at == reviewed.at and noted.due ~= due then
    add(found, {
      code = "changed_after_review",
      path = "/reviewed_by",
      values = { reviewed = noted.due, due = due },
    })
  end
  local first = record._on_behalf or record._by
  local second = signed(record.confirmed_by) and record.confirmed_by.person or nil
  if reviewed.person == first and (not second or second == first) then
    add(found, { code = "one_person", path = "/confirmed_by", values = { person = first } })
  end
  return found
end

-- Done late, closed without proof, or past its day and still open.
rules["LEG-R16"] = function(record, needs, context)
  local due = due_of(record)
  if not record.matter or not due then return nil end
  local found = array()
  local zone = court_zone(record, needs.court, context)
  local filing = needs.filing and live(needs.filing) and needs.filing or nil
  local done = filing and filing.filed_at or record.done_on
  local last = day_of(due, zone)
  if not done then
    if date.of(context.now, zone) > last then
      add(found, { code = "overdue", path = "/done_on", values = { due = last } })
    end
    return found
  end
  local late = day_of(done, zone) > last
  if #due > 10 and #done > 10 then late = instant.compare(done, due) > 0 end
  -- FRCP 6(a)(4)(B): what is not filed electronically must reach the clerk before closing time.
  local closes = needs.court and needs.court.clerk_closes
  if not late and closes and filing and filing.method == "paper" and day_of(done, zone) == last then
    late = instant.time(done, zone) > closes:sub(1, 5)
  end
  if late then
    add(found, {
      code = "late",
      path = "/done_on",
      records = filing and { filing._id } or nil,
      values = { due = due, done = #done > 10 and instant.in_zone(done, zone) or done },
    })
  end
  local proof = not blank(record.proof) or (filing and not blank(filing.receipt))
  for _, service in ipairs(needs.services) do
    if live(service) and not blank(service.proof) then proof = true end
  end
  if not proof then add(found, { code = "no_proof", path = "/proof" }) end
  return found
end

-- Conflicts of interest (LEG-R07) -------------------------------------------------------------

-- Case, accents, company endings and Jr. do not tell two names apart; "&" is "and".
local function folded(name)
  return names.fold(names.company(name))
end

-- "Okafor, Grace" is "Grace Okafor" too; "Sons, Inc." is not: both spellings, folded. A firm such as
-- "Smith, Jones" is kept as it stands beside it.
local function spellings(name)
  local keys, key = {}, folded(name)
  if key ~= "" then keys[key] = true end
  local family, given = name:match("^%s*([^,]+),%s*([^,]+)$")
  if given and folded("x " .. given) ~= "x" then
    local turned = folded(given .. " " .. family)
    if turned ~= "" then keys[turned] = true end
  end
  return keys
end

local function sorted_keys(set)
  local keys = array()
  for key in pairs(set) do add(keys, key) end
  return keys
end

local function names_of_matter(matter)
  local all = {}
  if not blank(matter.client) then add(all, { side = "client", name = matter.client }) end
  for _, name in ipairs(matter.adverse or {}) do add(all, { side = "adverse", name = name }) end
  for _, name in ipairs(matter.other_parties or {}) do add(all, { side = "other", name = name }) end
  return all
end

-- Keys to look names up by: each name folded, and as it stands if it may be the id of a party.
local function lookup_keys(list)
  local set = {}
  for _, name in ipairs(list) do
    if not blank(name) then
      for key in pairs(spellings(name)) do set[key] = true end
      if not name:find("%s") then set[name:match("[^/]+$") or name] = true end
    end
  end
  return sorted_keys(set)
end

complete["legal.matter"] = function(record)
  local all = {}
  for _, entry in ipairs(names_of_matter(record)) do add(all, entry.name or "") end
  return { name_keys = lookup_keys(all) }
end

-- Folded once for each party of a call.
local function party_keys(party)
  if party._folded then return party._folded end
  local set = {}
  for _, name in ipairs({ party.name, table.unpack(party.aliases or {}) }) do
    for key in pairs(spellings(name)) do set[key] = true end
  end
  party._folded = set
  return set
end

complete["legal.party"] = function(record)
  local set = {}
  for key in pairs(record.name and party_keys(record) or {}) do set[key] = true end
  if record._id then set[record._id] = true end
  return { name_keys = sorted_keys(set) }
end

complete["legal.conflict_check"] = function(record)
  return { name_keys = lookup_keys(record.names or {}) }
end

-- The folded names that a name stands for: those of a party where it is the id of one.
local function meaning(name, parties)
  local id = name:match("[^/]+$") or name
  for _, party in ipairs(parties) do
    if party._id == id or party._id == name then return party_keys(party), party.name end
  end
  return spellings(name), name
end

-- The keys that join two names, directly or through a party that has both; nil if none does.
local function joined_by(a, b, parties)
  local shared = {}
  local function overlap(x, y)
    for key in pairs(x) do
      if y[key] then return true end
    end
    return false
  end
  if overlap(a, b) then
    for key in pairs(a) do
      if b[key] then shared[key] = true end
    end
  end
  for _, party in ipairs(parties) do
    local keys = party_keys(party)
    if overlap(keys, a) and overlap(keys, b) then
      for key in pairs(keys) do shared[key] = true end
    end
  end
  for _ in pairs(shared) do return shared end
  return nil
end

-- Client against adverse is a conflict; another party's name against either is worth a look.
local function kind_of_hit(a, b)
  if a == b then return nil end
  if a == "other" or b == "other" then return "related" end
  return "conflict"
end

-- An attorney's decision that covers the names, recorded before or after: both matters see it.
local function decision_for(shared, checks, one, other)
  for _, check in ipairs(checks) do
    local about = not check.matter or check.matter == one or check.matter == other
    local made = check.decision == "clear" or check.decision == "waived"
    if about and made and signed(check.decided_by) then
      for _, name in ipairs(check.names) do
        if shared[folded(name)] then return check end
      end
    end
  end
  return nil
end

local function matter_hits(record, needs, parties, checks)
  local found = array()
  local own = names_of_matter(record)
  for _, a in ipairs(own) do a.keys, a.shown = meaning(a.name, parties) end
  for _, other in ipairs(united(needs.same, needs.through_names, needs.through_parties)) do
    local seen = {}
    for _, a in ipairs(other._id ~= record._id and own or {}) do
      local mine, my_name = a.keys, a.shown
      for _, b in ipairs(names_of_matter(other)) do
        local code = kind_of_hit(a.side, b.side)
        local theirs, their_name = meaning(b.name, parties)
        local shared = code and not seen[code] and joined_by(mine, theirs, parties)
        if shared then
          seen[code] = true
          local decision = decision_for(shared, checks, record._id, other._id)
          -- The same words from whichever of the two matters it is seen.
          local first = a.side == "client" or (b.side ~= "client" and a.side == "adverse")
          add(found, {
            code = decision and "decided" or code,
            severity = decision and "info" or (code == "related" and "warn" or nil),
            path = "/" .. (a.side == "other" and "other_parties" or a.side),
            records = { other._id },
            values = {
              name = first and my_name or their_name,
              side = first and a.side or b.side,
              matter = first and record.number or other.number,
              other_name = first and their_name or my_name,
              other_side = first and b.side or a.side,
              other_matter = first and other.number or record.number,
            },
          })
        end
      end
    end
  end
  return found
end

local function unchecked_client(record, checks, parties)
  if not config.require_conflict_check or blank(record.client) then return nil end
  local client = meaning(record.client, parties)
  for _, check in ipairs(checks) do
    for _, name in ipairs(check.decision ~= "pending" and check.names or {}) do
      if client[folded(name)] then return nil end
    end
  end
  return { code = "not_checked", path = "/client", values = { name = record.client } }
end

-- What a recorded check would find today. "clear" says that there was no hit.
local function check_hits(record, needs, parties, zone)
  local found = array()
  local decided = record.decision == "clear" or record.decision == "waived"
  for _, matter in ipairs(united(needs.same, needs.through_names, needs.through_parties)) do
    local hit, own = nil, matter._id == record.matter
    for _, name in ipairs(record.names or {}) do
      local mine = meaning(name, parties)
      for _, entry in ipairs(names_of_matter(matter)) do
        local theirs = meaning(entry.name, parties)
        if entry.side ~= "other" and joined_by(mine, theirs, parties) then
          hit = hit or { name = name, side = entry.side }
          -- The matter that the check was made for, opened with these names afterwards.
          local made = day_of(record.at, zone)
          if entry.side == "client" and made and matter.opened >= made then own = true end
        end
      end
    end
    local listed = record.decision == "waived" and #(record.hits or {}) == 0
    for _, one in ipairs(record.hits or {}) do
      if one.matter == matter._id or one.matter == matter.number then listed = true end
    end
    local told = record.decision == "pending" and "hit" or (decided and not listed and "new_hit")
    if hit and not own and told then
      add(found, {
        code = told,
        severity = "needs_review",
        path = "/names",
        records = { matter._id },
        values = { name = hit.name, side = hit.side, matter = matter.number },
      })
    end
  end
  if decided and not signed(record.decided_by) then
    add(found, { code = "undecided", severity = "needs_review", path = "/decided_by" })
  end
  return found
end

rules["LEG-R07"] = function(record, needs, context)
  local parties = united(needs.named, needs.kin, needs.near)
  if record._kind == "legal.conflict_check" then
    return capped(check_hits(record, needs, parties, context.zone))
  end
  local checks = united(needs.checks, needs.checks_of_kin)
  local found = capped(matter_hits(record, needs, parties, checks))
  if #found < 100 then add(found, unchecked_client(record, checks, parties)) end
  return found
end

-- What a paralegal does not do (LEG-R08) ------------------------------------------------------

local function advice_by_paralegal(record, person, at, needs, context)
  local day = day_of(at, context.zone)
  return not attorney_on(person, day, needs.roles, needs.matter)
end

local function contact_findings(record, needs, context)
  local found = array()
  if not advice_by_paralegal(record, record.by, record.at, needs, context) then return found end
  local function told(code, path, severity)
    add(found, {
      code = code,
      path = path,
      severity = severity or "needs_review",
      values = { person = record.by },
    })
  end
  if record.advice_given then told("advice", "/advice_given") end
  if record.fees_set or record.relationship_set_up then
    told("fees_or_relationship", record.fees_set and "/fees_set" or "/relationship_set_up")
  end
  if record.status_disclosed == false then told("not_disclosed", "/status_disclosed", "warn") end
  return found
end

-- Letters go out under an attorney: approved in the document or by a review of it.
local function document_findings(record, needs, context)
  if record.status ~= "sent" then return nil end
  local by = signed(record.approved_by) and record.approved_by or nil
  for _, review in ipairs(needs.reviews) do
    if not by and live(review) and review.result == "approved" then
      by = { person = review.by, at = review.at }
    end
  end
  local day = by and day_of(by.at, context.zone)
  if by and attorney_on(by.person, day, needs.roles, needs.matter) ~= false then return nil end
  return {
    code = "sent_unapproved",
    path = "/status",
    severity = record.advice == false and "needs_review" or nil,
    values = { title = record.title },
  }
end

rules["LEG-R08"] = function(record, needs, context)
  needs.roles = united(needs.contact_roles, needs.approver_roles, needs.reviewer_roles,
    needs.trainer_roles)
  if record._kind == "legal.client_contact" then
    return contact_findings(record, needs, context)
  end
  if record._kind == "legal.legal_document" then
    return document_findings(record, needs, context)
  end
  -- A training session teaches; it does not advise (seed row 17).
  local person = record.trainer or record._on_behalf or record._by
  if not record.advice_given then return nil end
  if not advice_by_paralegal(record, person, record.on, needs, context) then return nil end
  return {
    code = "advice",
    path = "/advice_given",
    severity = "needs_review",
    values = { person = person or "?" },
  }
end

-- Time, expenses, invoices (LEG-R09, R15) -----------------------------------------------------

local rounding_modes = { up = "up", nearest = "half_up", down = "down" }

-- An increment is minutes from 1 (6), or a part of an hour ("0.1").
local function increment_minutes(matter)
  local given = matter and matter.billing and number_text(matter.billing.increment)
  given = given or number_text(config.time_increment_minutes)
  if decimal.compare(given, "0") <= 0 then given = number_text(config.time_increment_minutes) end
  if decimal.compare(given, "1") < 0 then return decimal.mul(given, "60") end
  return given
end

-- 19 minutes, sixths of an hour rounded up: 0.4.
local function billed_hours(minutes, matter)
  local rounding = matter and matter.billing and matter.billing.rounding or config.time_rounding
  local mode = rounding_modes[rounding] or "up"
  local rounded = decimal.round_to(tostring(minutes), increment_minutes(matter), mode)
  return decimal.div(rounded, "60", 4), rounding
end

-- Shown with as few places as it takes: 0.4, not 0.4000.
local function trimmed(value)
  if not value:find(".", 1, true) then return value end
  return (value:gsub("0+$", ""):gsub("%.$", ""))
end

local function unit_cost_of(entry, matter)
  return entry.rate or entry.unit_cost or (matter and matter.billing and matter.billing.rate)
end

-- LEDES 1998B: units x unit cost + adjustment, in cents.
local function line_total(entry, matter)
  local units = entry.units or entry.hours
  local cost = unit_cost_of(entry, matter)
  if not units or not cost then return nil end
  return decimal.round(decimal.add(decimal.mul(units, cost), entry.adjustment or "0"), 2)
end

complete["legal.time_entry"] = function(record, needs)
  local filled = {}
  if not record.hours and math.type(record.minutes) == "integer" and record.minutes > 0 then
    filled.hours = trimmed((billed_hours(record.minutes, needs.matter)))
  end
  if not record.total then
    local line = { hours = record.hours or filled.hours, rate = record.rate,
      adjustment = record.adjustment }
    filled.total = line_total(line, needs.matter)
  end
  return filled
end

complete["legal.expense_entry"] = function(record)
  return not record.total and { total = line_total(record) } or nil
end

local function own_time(record)
  local found = array()
  local hours, rounding = billed_hours(record.minutes, record.matter_record)
  if record.hours and decimal.compare(record.hours, hours) ~= 0 then
    add(found, {
      code = "hours",
      path = "/hours",
      values = { hours = record.hours, right = trimmed(hours), minutes = record.minutes },
      steps = {
        record.minutes .. " minutes, increments of " .. record.increment .. " minutes, rounding: "
          .. rounding .. ": " .. trimmed(hours) .. " h",
      },
    })
  end
  if record.from and record.to then
    local elapsed = instant.minutes(record.from, record.to)
    if elapsed ~= record.minutes then
      add(found, {
        code = "minutes",
        path = "/minutes",
        severity = "warn",
        values = { minutes = record.minutes, elapsed = elapsed },
      })
    end
  end
  return found
end

-- Tasks in a narrative: parts between semicolons and lines, or three parts that begin with a word
-- for a task ("Draft motion, call client, and review lease").
local function tasks_in(narrative)
  local parts = 0
  for part in narrative:gmatch("[^;\n]+") do
    if part:find("%w") then parts = parts + 1 end
  end
  local starts = 0
  local text_now = narrative:lower():gsub(" and ", ",")
  for part in text_now:gmatch("[^,;\n]+") do
    local word = part:match("^%s*(%a+)")
    if word == "and" or word == "then" then word = part:match("^%s*%a+%s+(%a+)") end
    local stem = word and word:gsub("ed$", ""):gsub("ing$", ""):gsub("e$", ""):gsub("s$", "")
    if stem and contains(config.task_words, stem) then starts = starts + 1 end
  end
  return math.max(parts, starts >= 3 and starts or 1)
end

local function narrative_findings(record, found)
  if record.billable and record.minutes >= config.block_billing_minutes then
    local tasks = tasks_in(record.narrative)
    if tasks >= 2 then
      add(found, {
        code = "block",
        path = "/narrative",
        severity = "warn",
        values = { tasks = tasks, minutes = record.minutes },
      })
    end
  end
  if record.billable then
    for _, pattern in ipairs(config.clerical_patterns) do
      local words = text.find(record.narrative, "(?i)\\b(?:" .. pattern .. ")")
      if words then
        add(found, { code = "clerical", path = "/billable", values = { words = words } })
        break
      end
    end
  end
end

rules["LEG-R09"] = function(record, needs)
  if not record.minutes or not record.narrative then return nil end
  record.matter_record = needs.matter
  record.increment = trimmed(increment_minutes(needs.matter))
  local found = own_time(record)
  narrative_findings(record, found)
  local others, sum, ids = united(needs.others), record.minutes, array()
  for _, other in ipairs(others) do
    if other._id ~= record._id then
      sum = sum + other.minutes
      add(ids, other._id)
      local both = record.from and record.to and other.from and other.to
      local shared = both and instant.overlap(record.from, record.to, other.from, other.to) or 0
      if shared > 0 then
        add(found, {
          code = "overlap",
          path = "/from",
          records = { other._id },
          values = { minutes = shared },
        })
      end
    end
  end
  local over = sum > 1440 and "day_over_24" or (sum > config.day_warn_minutes and "long_day")
  if over then
    add(capped(found), {
      code = over,
      path = "/minutes",
      records = ids,
      severity = over == "long_day" and "warn" or nil,
      values = {
        date = record.date,
        hours = trimmed(decimal.div(tostring(sum), "60", 2)),
        person = record.person,
      },
    })
  end
  return found
end

local function invoice_sum(entries)
  local sum = "0"
  for _, entry in ipairs(entries) do sum = decimal.add(sum, entry.line) end
  return decimal.round(sum, 2)
end

-- Billable lines of a period, by date, then id; lines without a rate have none.
local function bill_lines(time, expenses, matter)
  local lines = {}
  for _, entry in ipairs(united(time)) do
    if entry.billable then add(lines, entry) end
  end
  for _, entry in ipairs(united(expenses)) do add(lines, entry) end
  for _, entry in ipairs(lines) do entry.line = line_total(entry, matter) or "0" end
  table.sort(lines, function(a, b)
    if a.date ~= b.date then return a.date < b.date end
    return a._id < b._id
  end)
  return lines
end

complete["legal.invoice"] = function(record, needs)
  if record.total then return nil end
  return { total = invoice_sum(bill_lines(needs.time, needs.expenses, needs.matter)) }
end

local function unknown_codes(record)
  local wrong = {}
  local function look(field, set)
    local code = record[field]
    if code and not contains(config[set], code) then
      add(wrong, { field = field, value = code })
    end
  end
  look("task_code", "utbms_tasks")
  look("activity_code", "utbms_activities")
  look("expense_code", "utbms_expenses")
  return wrong
end

rules["LEG-R15"] = function(record, needs)
  local found = array()
  if record._kind == "legal.invoice" then
    local right = invoice_sum(bill_lines(needs.time, needs.expenses, needs.matter))
    if record.total and decimal.compare(record.total, right) ~= 0 then
      add(found, {
        code = "invoice_total",
        path = "/total",
        values = { total = record.total, right = right },
      })
    end
    return found
  end
  local right = line_total(record, needs.matter)
  if record.total and right and decimal.compare(record.total, right) ~= 0 then
    add(found, {
      code = "line_total",
      path = "/total",
      values = { total = record.total, right = right },
      steps = {
        (record.units or record.hours) .. " x " .. unit_cost_of(record, needs.matter) .. " + "
          .. (record.adjustment or "0") .. " = " .. right,
      },
    })
  end
  for _, wrong in ipairs(unknown_codes(record)) do
    add(found, { code = "code", path = "/" .. wrong.field, values = { code = wrong.value } })
  end
  return found
end

-- Filings (LEG-R10) ---------------------------------------------------------------------------

-- Every text in a record, lists and objects gone into; the envelope left out.
local function texts_in(value, out)
  if type(value) == "string" then
    add(out, value)
  elseif type(value) == "table" then
    for key, item in pairs(value) do
      if not (type(key) == "string" and key:sub(1, 1) == "_") then texts_in(item, out) end
    end
  end
  return out
end

-- FRCP 5.2(a). A finding never repeats what should not be shown.
local function unredacted(record, document)
  local found = array()
  local seen = {}
  local function told(what, from)
    if seen[what] then return end
    seen[what] = true
    add(found, {
      code = "unredacted",
      path = from == record and "" or "/document",
      records = document and { document._id } or nil,
      values = { what = what },
    })
  end
  for _, from in ipairs({ record, document }) do
    local minors = from == document and from.minors or nil
    local searched = {}
    for key, value in pairs(from) do
      if key ~= "minors" and key ~= "hash" then searched[key] = value end
    end
    for _, each in ipairs(texts_in(searched, {})) do
      for _, rule in ipairs(config.redaction_patterns) do
        if text.find(each, rule.pattern) then told(rule.what, from) end
      end
      for _, minor in ipairs(minors or (document and document.minors) or {}) do
        if each:lower():find(minor:lower(), 1, true) then told("a minor's name", from) end
      end
    end
  end
  return found
end

rules["LEG-R10"] = function(record, needs)
  local document = needs.document and live(needs.document) and needs.document or nil
  local checklist = needs.checklist and live(needs.checklist) and needs.checklist or nil
  local found = unredacted(record, document)
  if not checklist then
    add(found, { code = "no_checklist", path = "/checklist" })
    return found
  end
  local open = array()
  for _, item in ipairs(checklist.items or {}) do
    local done = not blank(item.done_by) and not blank(item.at)
    if item.required ~= false and not done then add(open, item.text) end
  end
  if #open > 0 then
    add(found, {
      code = "incomplete",
      path = "/checklist",
      records = { checklist._id },
      values = { items = table.concat(open, "; ") },
    })
  end
  if not signed(checklist.redaction_checked) then
    add(found, { code = "redaction_unchecked", path = "/checklist", records = { checklist._id } })
  end
  return found
end

-- Privilege log (LEG-R11) ---------------------------------------------------------------------

local function people_of_entry(record)
  local all = { record.author }
  for _, field in ipairs({ "to", "cc", "bcc" }) do
    for _, name in ipairs(record[field] or {}) do add(all, name) end
  end
  return all
end

local function has_attorney(record, matter)
  for _, name in ipairs(people_of_entry(record)) do
    if text.find(name, "(?i)\\besq\\b") or (matter and matter.attorney == name) then return true end
    for _, attorney in ipairs(record.attorneys or {}) do
      if names.fold(attorney) == names.fold(name) then return true end
    end
  end
  return false
end

rules["LEG-R11"] = function(record, needs)
  local found = array()
  local missing = array()
  for _, field in ipairs({ "date", "doc_type", "author", "description", "basis" }) do
    if blank(record[field]) then add(missing, field) end
  end
  if #(record.to or {}) == 0 then add(missing, "to") end
  if #missing > 0 then
    add(found, {
      code = "incomplete",
      path = "/" .. missing[1],
      values = { fields = table.concat(missing, ", ") },
    })
  end
  if record.basis == "AC" and not has_attorney(record, needs.matter) then
    add(found, { code = "no_attorney", path = "/attorneys" })
  end
  -- Named as a third party, or on the other side of the matter.
  local outside = {}
  local matter = needs.matter and live(needs.matter) and needs.matter or {}
  for _, list in pairs({
    named = record.third_parties, adverse = matter.adverse, others = matter.other_parties,
  }) do
    for _, name in ipairs(list) do outside[folded(name)] = true end
  end
  for _, name in ipairs(people_of_entry(record)) do
    if name and name ~= record.author and outside[folded(name)] then
      add(found, { code = "third_party", path = "/to", values = { name = name } })
      break
    end
  end
  return found
end

-- Notarial acts (LEG-R12) ---------------------------------------------------------------------

local function register_findings(record, needs, found)
  local before, smaller = false, false
  for _, other in ipairs(united(needs.register)) do
    if other._id ~= record._id and other.register == record.register then
      if other.no == record.no then
        add(found, {
          code = "duplicate_number",
          path = "/no",
          severity = "needs_review",
          records = { other._id },
          values = { no = record.no },
        })
      end
      before = before or other.no == record.no - 1
      smaller = smaller or other.no < record.no
    end
  end
  if smaller and not before then
    add(found, {
      code = "gap",
      path = "/no",
      severity = "needs_review",
      values = { no = record.no, missing = record.no - 1 },
    })
  end
end

rules["LEG-R12"] = function(record, needs, context)
  -- A question may be asked before everything is known.
  if not record.at or not record.notary then return nil end
  local found = array()
  local day = date.of(record.at, context.zone)
  if record.commission_expires and record.commission_expires < day then
    add(found, {
      code = "commission_ended",
      path = "/commission_expires",
      values = { ended = record.commission_expires, day = day },
    })
  end
  if record.signed_on and record.signed_on ~= day then
    add(found, {
      code = "other_day",
      path = "/signed_on",
      values = { signed = record.signed_on, day = day },
    })
  end
  local named = {}
  for _, name in ipairs({ record.signer or "", table.unpack(record.parties or {}) }) do
    named[name] = true
    named[names.fold(name)] = true
  end
  local person = needs.notary
  local full = person and names.fold(person.given .. " " .. person.family)
  if named[record.notary] or (full and named[full]) then
    add(found, { code = "notary_is_party", path = "/notary" })
  end
  if record.no then register_findings(record, needs, found) end
  return found
end

-- Continuing education (LEG-R13) --------------------------------------------------------------

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

-- Training (CORE-R13, for sessions of this field) ---------------------------------------------

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

-- Walls around matters (LEG-R14) --------------------------------------------------------------

local function may_see(matter, reader)
  local list = matter.access_list or {}
  if #list == 0 then return true end
  return reader ~= nil and (matter.attorney == reader or contains(list, reader))
end

-- Work by somebody whom the wall keeps out. What they may read is the host's to keep.
rules["LEG-R14"] = function(record, needs)
  local person = record.person or record.author or record.by
  local matter = needs.matter
  if not person or not matter or may_see(matter, person) then return nil end
  return {
    code = "outside",
    path = record.person and "/person" or (record.author and "/author" or "/by"),
    values = { person = person, number = matter.number },
  }
end

-- Reports -------------------------------------------------------------------------------------

local spanish = {
  ["Legal deadlines"] = "Plazos judiciales", ["Deadline"] = "Plazo",
  ["Due"] = "Vence", ["Matter"] = "Asunto", ["What is due"] = "Qué vence", ["Rule"] = "Norma",
  ["Steps of the count"] = "Pasos del cálculo", ["Reviewed by"] = "Revisado por",
  ["Days left"] = "Días restantes", ["not reviewed"] = "sin revisar", ["Done"] = "Hecho",
  ["computed"] = "calculado", ["Deadline, matter"] = "Plazo, asunto",
  ["Entries behind a matter's wall that are not shown:"] =
    "Datos de asuntos restringidos que no se muestran:",
  ["This is a proposal, not legal advice: an attorney decides."] =
    "Es una propuesta, no un consejo jurídico: decide un abogado.",
  ["Matter sheet"] = "Ficha del asunto", ["Number"] = "Número", ["Title"] = "Título",
  ["Client"] = "Cliente", ["Attorney"] = "Abogado", ["Opened"] = "Abierto",
  ["Closed"] = "Cerrado", ["Status"] = "Estado", ["Court"] = "Tribunal",
  ["Parties"] = "Partes", ["Name"] = "Nombre", ["Side"] = "Lado",
  ["Other names"] = "Otros nombres", ["client"] = "cliente", ["adverse"] = "contraria",
  ["other"] = "otra", ["Conflict report"] = "Informe de conflictos",
  ["Other matter"] = "Otro asunto", ["Result"] = "Resultado", ["conflict"] = "conflicto",
  ["related"] = "relacionado", ["decided"] = "decidido", ["No hits."] = "Sin coincidencias.",
  ["Conflict checks"] = "Comprobaciones de conflictos", ["Names"] = "Nombres", ["At"] = "Fecha",
  ["By"] = "Por", ["Decision"] = "Decisión", ["Decided by"] = "Decidido por",
  ["No conflict check is recorded."] = "No hay ninguna comprobación registrada.",
  ["clear"] = "sin conflicto", ["waived"] = "dispensado", ["declined"] = "rechazado",
  ["pending"] = "pendiente", ["Field"] = "Campo", ["Value"] = "Valor",
  ["Time and billing"] = "Tiempo y facturación", ["Date"] = "Fecha", ["Person"] = "Persona",
  ["Minutes"] = "Minutos", ["Hours"] = "Horas", ["Narrative"] = "Descripción", ["Task"] = "Tarea",
  ["Activity"] = "Actividad", ["Billable"] = "Facturable", ["Rate"] = "Tarifa",
  ["Total"] = "Total", ["yes"] = "sí", ["no"] = "no", ["Expenses"] = "Gastos", ["Code"] = "Código",
  ["Units"] = "Unidades", ["Unit cost"] = "Costo por unidad", ["Totals"] = "Totales",
  ["Kind"] = "Tipo", ["Billable hours"] = "Horas facturables", ["Amount"] = "Importe",
  ["task"] = "tarea", ["activity"] = "actividad", ["expense"] = "gasto", ["all"] = "todo",
  ["Double bookings"] = "Horas dobles", ["Minutes in both"] = "Minutos en ambos",
  ["First"] = "Primero", ["Second"] = "Segundo", ["none"] = "ninguno",
  ["Privilege log"] = "Registro de privilegio", ["CLE status"] = "Formación jurídica continua",
  ["Credential"] = "Credencial", ["Period"] = "Periodo", ["Needed"] = "Necesarias",
  ["Ethics"] = "Ética", ["Ethics needed"] = "Ética necesaria", ["Missing"] = "Faltan",
  ["Ethics missing"] = "Ética, faltan", ["Unit"] = "Unidad", ["May renew from"] = "Renovable desde",
  ["Activities"] = "Actividades", ["Provider"] = "Organizador", ["Category"] = "Categoría",
  ["Source"] = "Fuente", ["Training delivered"] = "Formación impartida", ["Topic"] = "Tema",
  ["Trainer"] = "Instructor", ["Trainees"] = "Aprendices", ["complete"] = "completo",
  ["Control no."] = "N.º de control", ["Bates"] = "Bates", ["Type"] = "Tipo", ["Author"] = "Autor",
  ["To"] = "Para", ["Cc"] = "Cc", ["Bcc"] = "Cco", ["Description"] = "Descripción",
  ["Basis"] = "Fundamento", ["Withheld or redacted"] = "Retenido o tachado",
  ["Attorneys"] = "Abogados", ["Not exported"] = "No exportado",
}

local function words_of(context)
  local in_spanish = (context.language or "en"):sub(1, 2) == "es"
  return function(english)
    return in_spanish and spanish[english] or english
  end
end

local function heading(word, level)
  return { type = "heading", level = level or 1, text = word }
end

-- `columns` is a list of {id, label, align}; labels are translated here.
local function table_of(w, columns, rows)
  local heads = array()
  for _, column in ipairs(columns) do
    add(heads, { id = column[1], label = w(column[2]), align = column[3] })
  end
  return { type = "table", columns = heads, rows = rows }
end

local function person_names(...)
  local all = {}
  for _, list in ipairs({ ... }) do
    for _, person in ipairs(list) do all[person._id] = person.given .. " " .. person.family end
  end
  return function(id)
    return id and (all[id] or id) or ""
  end
end

local function matters_by_id(list)
  local all = {}
  for _, matter in ipairs(list or {}) do all[matter._id] = matter end
  return all
end

-- Who reads is told by the host, else by a parameter; nobody named sees no matter with a wall.
local function reader_of(parameters, context)
  return context.reader or parameters.reader
end

-- Records whose matter the reader may see, and how many were left out.
local function behind_walls(records, matters, reader)
  local open, hidden = {}, 0
  for _, record in ipairs(records) do
    local matter = matters[record.matter]
    if matter and not may_see(matter, reader) then
      hidden = hidden + 1
    else
      add(open, record)
    end
  end
  return open, hidden
end

local function tell_hidden(blocks, w, hidden)
  if hidden == 0 then return end
  add(blocks, {
    type = "text",
    style = "note",
    text = w("Entries behind a matter's wall that are not shown:") .. " " .. hidden,
  })
end

local function advice_note(blocks, w)
  add(blocks, {
    type = "text",
    style = "note",
    text = w("This is a proposal, not legal advice: an attorney decides."),
  })
end

local function list_text(list)
  return table.concat(list or {}, "; ")
end

-- Calendar entries carry the matter's number alone: nothing privileged leaves by a calendar.
local function deadline_event(record, number, w)
  local due = due_of(record)
  local event = {
    uid = "deadline-" .. record._id,
    summary = w("Deadline, matter") .. " " .. number,
    status = signed(record.reviewed_by) and "CONFIRMED" or "TENTATIVE",
  }
  event[#due == 10 and "date" or "start"] = due
  return event
end

reports["deadline_calendar"] = function(parameters, needs, context)
  local w = words_of(context)
  local matters = matters_by_id(needs.matters)
  local who = person_names(needs.people, needs.people_set)
  local all, hidden = behind_walls(united(needs.computed, needs.set), matters,
    reader_of(parameters, context))
  local shown = {}
  for _, record in ipairs(all) do
    local due = due_of(record)
    local inside = due:sub(1, 10) >= parameters.from and due:sub(1, 10) <= parameters.to
    local wanted = not parameters.matter or parameters.matter == record.matter
    if inside and wanted then add(shown, record) end
  end
  table.sort(shown, function(a, b)
    local x, y = due_of(a):sub(1, 10), due_of(b):sub(1, 10)
    if x ~= y then return x < y end
    return a._id < b._id
  end)
  local rows, events = array(), array()
  local today = date.of(context.now, context.zone)
  for _, record in ipairs(shown) do
    local number = matters[record.matter] and matters[record.matter].number or record.matter
    local due = due_of(record)
    local kept = record.due and record.due ~= record.computed
    add(rows, {
      due:gsub("T", " ") .. (kept and " (" .. w("computed") .. " " .. record.computed .. ")" or ""),
      number,
      record.event,
      record.rule,
      list_text(record.explained),
      signed(record.reviewed_by) and who(record.reviewed_by.person) or w("not reviewed"),
      record.done_on and w("Done") or date.diff(today, due:sub(1, 10)),
    })
    if not record.done_on then add(events, deadline_event(record, number, w)) end
  end
  local blocks = array()
  add(blocks, heading(w("Legal deadlines") .. ", " .. parameters.from .. " - " .. parameters.to))
  add(blocks, table_of(w, {
    { "due", "Due" }, { "matter", "Matter" }, { "event", "What is due" }, { "rule", "Rule" },
    { "steps", "Steps of the count" }, { "reviewed_by", "Reviewed by" },
    { "days_left", "Days left", "right" },
  }, rows))
  add(blocks, { type = "events", events = events })
  tell_hidden(blocks, w, hidden)
  advice_note(blocks, w)
  return blocks
end

local function matter_facts(matter, w, who)
  local rows = array()
  local function row(label, value)
    if not blank(value) then add(rows, { w(label), value }) end
  end
  row("Number", matter.number)
  row("Title", matter.title)
  row("Attorney", who(matter.attorney))
  row("Opened", matter.opened)
  row("Closed", matter.closed)
  row("Status", matter.status)
  row("Court", matter.court)
  return table_of(w, { { "field", "Field" }, { "value", "Value" } }, rows)
end

local function matter_parties(matter, parties, w)
  local rows = array()
  for _, entry in ipairs(names_of_matter(matter)) do
    local keys, name = meaning(entry.name, parties)
    local others = array()
    for _, party in ipairs(parties) do
      if joined_by(keys, party_keys(party), {}) then
        if party.name ~= name then add(others, party.name) end
        for _, alias in ipairs(party.aliases or {}) do add(others, alias) end
      end
    end
    add(rows, { w(entry.side), name, list_text(others) })
  end
  return table_of(w, { { "side", "Side" }, { "name", "Name" }, { "aliases", "Other names" } }, rows)
end

reports["matter_sheet"] = function(parameters, needs, context)
  local w = words_of(context)
  local matter = needs.matter
  local blocks = array()
  add(blocks, heading(w("Matter sheet")))
  if not matter or not live(matter) then return blocks end
  local reader = reader_of(parameters, context)
  if not may_see(matter, reader) then
    tell_hidden(blocks, w, 1)
    return blocks
  end
  local who = person_names(needs.people, needs.deciders)
  local parties = united(needs.named, needs.kin, needs.near)
  add(blocks, matter_facts(matter, w, who))
  add(blocks, heading(w("Parties"), 2))
  add(blocks, matter_parties(matter, parties, w))
  add(blocks, heading(w("Conflict report"), 2))
  local checks = united(needs.checks, needs.checks_of_kin)
  local others = matters_by_id(united(needs.same, needs.through_names, needs.through_parties))
  local rows, hidden = array(), 0
  for _, hit in ipairs(matter_hits(matter, needs, parties, checks)) do
    local v = hit.values
    if may_see(others[hit.records[1]], reader) then
      add(rows, {
        v.name, w(v.side), v.matter, v.other_name, w(v.other_side), v.other_matter, w(hit.code),
      })
    else
      hidden = hidden + 1
    end
  end
  if #rows == 0 and hidden == 0 then
    add(blocks, { type = "text", text = w("No hits.") })
  else
    add(blocks, table_of(w, {
      { "name", "Name" }, { "side", "Side" }, { "matter", "Matter" }, { "other_name", "Name" },
      { "other_side", "Side" }, { "other_matter", "Other matter" }, { "result", "Result" },
    }, rows))
  end
  tell_hidden(blocks, w, hidden)
  add(blocks, heading(w("Conflict checks"), 2))
  local made = array()
  for _, check in ipairs(checks) do
    add(made, {
      list_text(check.names), day_of(check.at, context.zone), who(check.by), w(check.decision),
      signed(check.decided_by) and who(check.decided_by.person) or "",
    })
  end
  if #made == 0 then
    add(blocks, { type = "text", text = w("No conflict check is recorded.") })
  else
    add(blocks, table_of(w, {
      { "names", "Names" }, { "at", "At" }, { "by", "By" }, { "decision", "Decision" },
      { "decided_by", "Decided by" },
    }, made))
  end
  advice_note(blocks, w)
  return blocks
end

-- Sums by a code: billable hours (or units) and amount.
local function totals_by(entries, field, label, w, rows)
  local sums = {}
  for _, entry in ipairs(entries) do
    local code = entry[field]
    if code then
      local sum = sums[code] or { hours = "0", amount = "0" }
      sum.hours = decimal.add(sum.hours, entry.hours or "0")
      sum.amount = decimal.add(sum.amount, entry.line)
      sums[code] = sum
    end
  end
  for code, sum in pairs(sums) do
    add(rows, { w(label), code, trimmed(sum.hours),
      decimal.round(sum.amount, 2) })
  end
end

local function double_bookings(time, who)
  local rows = array()
  for i, a in ipairs(time) do
    -- Sorted by date; work past midnight reaches the next day.
    local reach = date.add(a.date, 1)
    for j = i + 1, #time do
      local b = time[j]
      if b.date > reach then break end
      if a.person == b.person and a.from and a.to and b.from and b.to then
        local minutes = instant.overlap(a.from, a.to, b.from, b.to)
        if minutes > 0 then
          add(rows, { a.date, who(a.person), a.narrative, b.narrative, minutes })
        end
      end
    end
  end
  return rows
end

reports["time_billing"] = function(parameters, needs, context)
  local w = words_of(context)
  local matters = matters_by_id(needs.matters)
  local who = person_names(needs.people)
  local reader = reader_of(parameters, context)
  local time, hidden = behind_walls(united(needs.time), matters, reader)
  local expenses, more = behind_walls(united(needs.expenses), matters, reader)
  local function wanted(list)
    local kept = {}
    for _, entry in ipairs(list) do
      local fits = (not parameters.matter or parameters.matter == entry.matter)
        and (not parameters.person or parameters.person == entry.person)
      if fits then
        entry.line = line_total(entry, matters[entry.matter]) or "0.00"
        add(kept, entry)
      end
    end
    table.sort(kept, function(a, b)
      if a.date ~= b.date then return a.date < b.date end
      return a._id < b._id
    end)
    return kept
  end
  time, expenses = wanted(time), wanted(expenses)
  local rows, cost_rows, totals, billable = array(), array(), array(), {}
  local function number_of(entry)
    return matters[entry.matter] and matters[entry.matter].number or entry.matter
  end
  local hours, amount = "0", "0"
  for _, entry in ipairs(time) do
    if entry.billable then
      add(billable, entry)
      hours = decimal.add(hours, entry.hours or "0")
      amount = decimal.add(amount, entry.line)
    end
    add(rows, {
      entry.date, number_of(entry), who(entry.person), entry.minutes, entry.hours or "",
      entry.narrative, entry.task_code or "", entry.activity_code or "",
      entry.billable and w("yes") or w("no"),
      unit_cost_of(entry, matters[entry.matter]) or "",
      entry.billable and entry.line or "",
    })
  end
  for _, entry in ipairs(expenses) do
    amount = decimal.add(amount, entry.line)
    add(cost_rows, {
      entry.date, number_of(entry), entry.narrative, entry.expense_code, entry.units,
      entry.unit_cost, entry.line,
    })
  end
  totals_by(billable, "task_code", "task", w, totals)
  totals_by(billable, "activity_code", "activity", w, totals)
  totals_by(expenses, "expense_code", "expense", w, totals)
  add(totals, { w("all"), "", trimmed(hours), decimal.round(amount, 2) })
  local blocks = array()
  add(blocks, heading(w("Time and billing") .. ", " .. parameters.from .. " - " .. parameters.to))
  add(blocks, table_of(w, {
    { "date", "Date" }, { "matter", "Matter" }, { "person", "Person" },
    { "minutes", "Minutes", "right" }, { "hours", "Hours", "right" }, { "narrative", "Narrative" },
    { "task_code", "Task" }, { "activity_code", "Activity" }, { "billable", "Billable" },
    { "rate", "Rate", "right" }, { "total", "Total", "right" },
  }, rows))
  if #cost_rows > 0 then
    add(blocks, heading(w("Expenses"), 2))
    add(blocks, table_of(w, {
      { "date", "Date" }, { "matter", "Matter" }, { "narrative", "Narrative" },
      { "expense_code", "Code" }, { "units", "Units", "right" },
      { "unit_cost", "Unit cost", "right" }, { "total", "Total", "right" },
    }, cost_rows))
  end
  add(blocks, heading(w("Totals"), 2))
  add(blocks, table_of(w, {
    { "kind", "Kind" }, { "code", "Code" }, { "hours", "Billable hours", "right" },
    { "amount", "Amount", "right" },
  }, totals))
  add(blocks, heading(w("Double bookings"), 2))
  local double = double_bookings(time, who)
  if #double == 0 then
    add(blocks, { type = "text", text = w("none") })
  else
    add(blocks, table_of(w, {
      { "date", "Date" }, { "person", "Person" }, { "first", "First" }, { "second", "Second" },
      { "minutes", "Minutes in both", "right" },
    }, double))
  end
  tell_hidden(blocks, w, hidden + more)
  return blocks
end

-- LEDES 1998B: the 24 columns in their order; the host writes the file from this table.
local ledes_columns = {
  "INVOICE_DATE", "INVOICE_NUMBER", "CLIENT_ID", "LAW_FIRM_MATTER_ID", "INVOICE_TOTAL",
  "BILLING_START_DATE", "BILLING_END_DATE", "INVOICE_DESCRIPTION", "LINE_ITEM_NUMBER",
  "EXP/FEE/INV_ADJ_TYPE", "LINE_ITEM_NUMBER_OF_UNITS", "LINE_ITEM_ADJUSTMENT_AMOUNT",
  "LINE_ITEM_TOTAL", "LINE_ITEM_DATE", "LINE_ITEM_TASK_CODE", "LINE_ITEM_EXPENSE_CODE",
  "LINE_ITEM_ACTIVITY_CODE", "TIMEKEEPER_ID", "LINE_ITEM_DESCRIPTION", "LAW_FIRM_ID",
  "LINE_ITEM_UNIT_COST", "TIMEKEEPER_NAME", "TIMEKEEPER_CLASSIFICATION", "CLIENT_MATTER_ID",
}

-- The format is ASCII without bars, brackets or line breaks inside values.
local function ledes_text(value)
  local one_line = tostring(value or ""):gsub("%s*[%c|]+%s*", " "):gsub("%[%]", "")
  return (one_line:gsub("[\194-\244][\128-\191]*", "?"))
end

local function ledes_date(day)
  return (day:gsub("-", ""))
end

local function classification(person, day, roles)
  for _, role in ipairs(roles) do
    local valid = live(role) and role.person == person and role.from <= day
      and (not role.to or day <= role.to)
    local word = valid and config.timekeeper_classification[role.role]
    if word then return word end
  end
  return config.timekeeper_classification.other or "OT"
end

-- What keeps a bill from being exported (LEG-R15), in sentences.
local function ledes_problems(bill, lines, total)
  local problems = array()
  for _, entry in ipairs(lines) do
    local cost = unit_cost_of(entry, bill.matter)
    if not cost then add(problems, entry._id .. ": no rate") end
    if not entry.units and not entry.hours then add(problems, entry._id .. ": no hours") end
    if entry.total and decimal.compare(entry.total, entry.line) ~= 0 then
      add(problems, entry._id .. ": total " .. entry.total .. " is not " .. entry.line)
    end
    for _, wrong in ipairs(unknown_codes(entry)) do
      add(problems, entry._id .. ": " .. wrong.value .. " is no UTBMS code")
    end
    local fee = entry._kind == "legal.time_entry"
    if fee and not (entry.task_code and entry.activity_code) then
      add(problems, entry._id .. ": a fee needs a task code and an activity code")
    end
  end
  if bill.total and decimal.compare(bill.total, total) ~= 0 then
    add(problems, "invoice total " .. bill.total .. " is not the sum of its lines, " .. total)
  end
  if #lines == 0 then add(problems, "there is nothing to bill in this period") end
  return problems
end

local function ledes_row(bill, entry, number, total, who, roles)
  local fee = entry._kind == "legal.time_entry"
  local billing = bill.matter.billing or {}
  local row = array()
  for _, value in ipairs({
    ledes_date(bill.date), bill.number, billing.client_id or bill.matter.client,
    bill.matter.number, total, ledes_date(bill.from), ledes_date(bill.to),
    bill.description or bill.matter.title, tostring(number), fee and "F" or "E",
    entry.units or entry.hours, entry.adjustment or "0.00", entry.line, ledes_date(entry.date),
    fee and entry.task_code or "", fee and "" or entry.expense_code,
    fee and entry.activity_code or "", fee and entry.person or "", entry.narrative,
    config.law_firm_id, unit_cost_of(entry, bill.matter), fee and who(entry.person) or "",
    fee and classification(entry.person, entry.date, roles) or "",
    billing.client_matter_id or "",
  }) do
    add(row, ledes_text(value))
  end
  return row
end

reports["ledes_invoice"] = function(parameters, needs, context)
  local w = words_of(context)
  local invoice = needs.invoice and live(needs.invoice) and needs.invoice or nil
  local matter = invoice and needs.matter_of_invoice or needs.matter
  local blocks = array()
  local function refuse(problems)
    add(blocks, heading(w("Not exported")))
    for _, problem in ipairs(problems) do add(blocks, { type = "text", text = problem }) end
    return blocks
  end
  if not matter or not live(matter) then return refuse({ "there is no such matter or invoice" }) end
  if not may_see(matter, reader_of(parameters, context)) then
    tell_hidden(blocks, w, 1)
    return blocks
  end
  local bill = {
    matter = matter,
    from = invoice and invoice.billing_start or parameters.from,
    to = invoice and invoice.billing_end or parameters.to,
    number = invoice and invoice.number or parameters.number,
    date = invoice and invoice.date or parameters.date or parameters.to,
    description = invoice and invoice.description or parameters.description,
    total = invoice and invoice.total or parameters.total,
  }
  if not bill.from or not bill.to then return refuse({ "from and to are needed" }) end
  bill.number = bill.number or (matter.number .. "-" .. ledes_date(bill.to))
  local lines = bill_lines(invoice and needs.time_of_invoice or needs.time,
    invoice and needs.expenses_of_invoice or needs.expenses, matter)
  local total = invoice_sum(lines)
  local problems = ledes_problems(bill, lines, total)
  if #problems > 0 then return refuse(problems) end
  local who = person_names(needs.people, needs.people_of_invoice)
  local roles = united(needs.roles, needs.roles_of_invoice)
  local columns, rows = array(), array()
  for _, name in ipairs(ledes_columns) do add(columns, { id = name, label = name }) end
  for i, entry in ipairs(lines) do add(rows, ledes_row(bill, entry, i, total, who, roles)) end
  add(blocks, { type = "table", columns = columns, rows = rows })
  return blocks
end

reports["privilege_log"] = function(parameters, needs, context)
  local w = words_of(context)
  local blocks = array()
  local matter = needs.matter
  local name = matter and matter.number or parameters.matter
  add(blocks, heading(w("Privilege log") .. ", " .. name))
  if matter and not may_see(matter, reader_of(parameters, context)) then
    tell_hidden(blocks, w, #united(needs.entries))
    return blocks
  end
  local entries, rows = united(needs.entries), array()
  table.sort(entries, function(a, b)
    if a.control_no ~= b.control_no then return a.control_no < b.control_no end
    return a._id < b._id
  end)
  for _, entry in ipairs(entries) do
    add(rows, {
      entry.control_no, entry.bates or "", entry.date, entry.doc_type, entry.author,
      list_text(entry.to), list_text(entry.cc), list_text(entry.bcc), entry.description,
      entry.basis, entry.withheld_or_redacted, list_text(entry.attorneys),
    })
  end
  add(blocks, table_of(w, {
    { "control_no", "Control no." }, { "bates", "Bates" }, { "date", "Date" },
    { "doc_type", "Type" }, { "author", "Author" }, { "to", "To" }, { "cc", "Cc" },
    { "bcc", "Bcc" }, { "description", "Description" }, { "basis", "Basis" },
    { "withheld_or_redacted", "Withheld or redacted" }, { "attorneys", "Attorneys" },
  }, rows))
  return blocks
end

reports["cle_status"] = function(parameters, needs, context)
  local w = words_of(context)
  local who = person_names(needs.person and { needs.person } or {})
  local rows, done = array(), array()
  for _, credential in ipairs(united(needs.credentials)) do
    local status = cle_status(credential, needs.activities)
    if status then
      local early = status.set.early_months
      add(rows, {
        credential.type,
        status.from .. " - " .. status.to,
        status.hours, status.set.hours, status.ethics, status.set.ethics,
        status.complete and w("complete") or status.missing, status.missing_ethics,
        date.diff(date.of(context.now, context.zone), status.to),
        early and date.add(status.to, -early, "month") or "",
        status.set.unit, status.set.source,
      })
    end
  end
  for _, activity in ipairs(united(needs.activities)) do
    add(done, { activity.on, activity.hours, activity.ethics_hours or "", activity.provider or "",
      activity.category or "" })
  end
  table.sort(done, function(a, b) return a[1] < b[1] end)
  return {
    heading(w("CLE status") .. ", " .. who(parameters.person)),
    table_of(w, {
      { "credential", "Credential" }, { "period", "Period" }, { "hours", "Hours", "right" },
      { "needed", "Needed", "right" }, { "ethics", "Ethics", "right" },
      { "ethics_needed", "Ethics needed", "right" }, { "missing", "Missing", "right" },
      { "ethics_missing", "Ethics missing", "right" }, { "days_left", "Days left", "right" },
      { "renew_from", "May renew from" }, { "unit", "Unit" }, { "source", "Source" },
    }, rows),
    heading(w("Activities"), 2),
    table_of(w, {
      { "on", "Date" }, { "hours", "Hours", "right" }, { "ethics", "Ethics", "right" },
      { "provider", "Provider" }, { "category", "Category" },
    }, done),
  }
end

reports["training_delivered"] = function(parameters, needs, context)
  local w = words_of(context)
  local who = person_names(needs.trainees, needs.trainers)
  local rows, sum = array(), 0
  local sessions = united(needs.sessions)
  table.sort(sessions, function(a, b)
    if a.on ~= b.on then return a.on < b.on end
    return a._id < b._id
  end)
  for _, session in ipairs(sessions) do
    local trainees = array()
    for _, id in ipairs(session.trainees) do add(trainees, who(id)) end
    add(rows, { session.on, who(session.trainer), session.topic, list_text(trainees),
      session.minutes })
    sum = sum + session.minutes
  end
  add(rows, { w("all"), "", "", "", sum })
  return {
    heading(w("Training delivered") .. ", " .. parameters.from .. " - " .. parameters.to),
    table_of(w, {
      { "on", "Date" }, { "trainer", "Trainer" }, { "topic", "Topic" }, { "trainees", "Trainees" },
      { "minutes", "Minutes", "right" },
    }, rows),
  }
end

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
      local number = matter and matter.number or ""
      add(rows, { level, day, w("Deadline") .. " " .. number .. ": " .. one.event, "", "",
                  one._id })
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
