-- Deadlines, FRCP 6: LEG-R01 to R06, R16.

local common = require "common"
local add, attorney_on, blank, day_of, live, signed =
  common.add, common.attorney_on, common.blank, common.day_of, common.live, common.signed

local services_with_three_days = {
  mail = true, left_with_clerk = true, other_consented_means = true,
}

-- What a period runs from. Where nobody says, service that is named is what it runs from.
local function runs_from(record)
  local named = record.service and record.service ~= "none"
  return record.runs_from or (named and "service") or "event"
end

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
    runs_from = runs_from(record),
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
  if runs_from(record) == "service" and services_with_three_days[record.service] then
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

return { due_of = due_of }
