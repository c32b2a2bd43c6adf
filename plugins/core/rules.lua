-- Core: rules and reports of the duties that every field shares.
-- Nothing here is legal advice: a rule says what a law or a policy says, a person decides.
-- Sections: helpers; time and place (R01-R03); credentials (R04); duties (R05); papers (R07, R08);
-- people (R09-R13); records (R14-R17); the rest of the daily work; reports.

-- Helpers -------------------------------------------------------------------------------------

local function each(list) return ipairs(list or {}) end

local function kept(record) return record ~= nil and record._status ~= "retracted" end

local function zone_of(record, context) return record._zone or context.zone end

-- The local date of a date or an instant.
local function day_of(at, record, context)
  if at == nil then return nil end
  return #at == 10 and at or date.of(at, zone_of(record, context))
end

local function clock(at, record, context)
  if #at == 10 then return at end
  local zone = zone_of(record, context)
  return date.of(at, zone) .. " " .. instant.time(at, zone)
end

-- Dates and instants compared: by the local day as soon as one of them is a date.
local function after(a, b, record, context)
  if #a > 10 and #b > 10 then return instant.compare(a, b) > 0 end
  return day_of(a, record, context) > day_of(b, record, context)
end

local function within(day, from, to)
  return (from == nil or day >= from) and (to == nil or day <= to)
end

local function blank(value)
  return value == nil or (type(value) == "string" and text.find(value, "\\S") == nil)
    or (type(value) == "table" and #value == 0)
end

local function signed(sig) return type(sig) == "table" and sig.at ~= nil end

local function has(list, wanted)
  for _, one in each(list) do
    if names.fold(one) == names.fold(wanted or "") then return true end
  end
  return false
end

-- A field that holds one value or a list of them.
local function values_of(value)
  if value == nil then return {} end
  return type(value) == "table" and value or { value }
end

local function exact(value)
  if value == nil then return nil end
  value = tostring(value)
  return decimal.valid(value) and value or nil
end

local function hours_of(minutes) return decimal.div(tostring(minutes), "60", 2) end

-- Minutes of an ISO 8601 duration of whole weeks, days, hours and minutes.
local function minutes_of(duration)
  local days, time = duration, ""
  local t = string.find(duration, "T", 1, true)
  if t then days, time = string.sub(duration, 1, t - 1), string.sub(duration, t) end
  local function from(s, pattern) return tonumber(string.match(s, pattern) or "0") end
  return from(days, "(%d+)W") * 10080 + from(days, "(%d+)D") * 1440
    + from(time, "(%d+)H") * 60 + from(time, "(%d+)M")
end

local function name_of(person) return person.given .. " " .. person.family end

local function copy_ids(records, but)
  local ids = array()
  for _, record in each(records) do
    if record._id ~= but then ids[#ids + 1] = record._id end
  end
  return ids
end

-- Time and place (R01 to R03) -----------------------------------------------------------------

-- What a record says about where a person is: half-open, so that 08:00-09:00 and 09:00-10:00 touch.
local function stay(record)
  if record._kind == "core.meeting" then
    if record.when == nil then return nil end
    local to = record["until"] or instant.add_minutes(record.when, config.meeting_minutes)
    return { from = record.when, to = to, site = nil, where = record.where or record.title or "-" }
  end
  if record.from == nil or record.to == nil then return nil end
  return {
    from = record.from, to = record.to, site = record.site,
    where = record.site or record.place or record.category or "-",
  }
end

local function share_person(a, b)
  local there = {}
  for _, p in ipairs(values_of(a.person or a.who)) do there[p] = true end
  for _, p in ipairs(values_of(b.person or b.who)) do
    if there[p] then return true end
  end
  return false
end

local function clash(a, b)
  local first, second = stay(a), stay(b)
  if first == nil or second == nil then return nil end
  local kinds = { [a._kind] = true, [b._kind] = true }
  local work = kinds["core.work_time"]
  -- Time worked is the account of a shift, not a second place: it clashes with its like alone.
  if work and a._kind ~= b._kind then return nil end
  local minutes = instant.overlap(first.from, first.to, second.from, second.to)
  -- The same words whichever of the two is judged.
  local left, right = first, second
  if instant.compare(second.from, first.from) < 0
    or (instant.compare(second.from, first.from) == 0 and b._id < a._id) then
    left, right = second, first
  end
  local found = { records = { b._id }, path = a.person and "/person" or "/who" }
  if minutes > 0 then
    if kinds["core.meeting"] and kinds["core.shift"] then
      local shift = a._kind == "core.shift" and a or b
      if shift.kind ~= nil and shift.kind ~= "duty" then return nil end
      found.code, found.severity = "meeting_on_duty", "warn"
      found.values = { b = shift.site or shift.place }
      return found
    end
    found.code = "overlap"
    found.values = { minutes = minutes, a = left.where, b = right.where }
    return found
  end
  if left.site and right.site and left.site ~= right.site then
    local gap = instant.minutes(left.to, right.from)
    if gap >= 0 and gap < config.travel_minutes then
      found.code, found.severity = "travel", "warn"
      found.values = {
        minutes = gap, a = left.where, b = right.where, needed = config.travel_minutes,
      }
      return found
    end
  end
end

rules["CORE-R01"] = function(it, needs, context)
  local found, seen = array(), {}
  for _, list in ipairs({
    needs.shifts, needs.guest_shifts, needs.meetings, needs.guest_meetings, needs.times,
  }) do
    for _, other in ipairs(list) do
      if other._id ~= it._id and not seen[other._id] and kept(other) and share_person(it, other) then
        seen[other._id] = true
        found[#found + 1] = clash(it, other)
      end
    end
  end
  if it._kind == "core.shift" then
    for _, leave in each(needs.leaves) do
      local first, last = day_of(it.from, it, context), day_of(it.to, it, context)
      -- Leave without an end is one day.
      if kept(leave) and last >= leave.from and first <= (leave.to or leave.from) then
        found[#found + 1] = {
          code = "on_leave", path = "/person", records = { leave._id },
          values = { from_ = leave.from, to_ = leave.to or leave.from },
        }
      end
    end
  end
  return found
end

-- Worked: elapsed, less meal breaks that are long enough and off duty (29 CFR 785.18, 785.19).
local function worked_minutes(time)
  local minutes = instant.minutes(time.from, time.to)
  for _, pause in each(time.breaks) do
    local length = instant.minutes(pause.from, pause.to)
    if pause.relieved == true and length >= config.meal_minutes then minutes = minutes - length end
  end
  return minutes
end

local function week_of(day)
  return date.add(day, -((date.weekday(day) - config.week_starts) % 7))
end

local function contract_on(contracts, day)
  local best
  for _, one in each(contracts) do
    if kept(one) and within(day, one.from, one.to) and one.hours_per_week
      and (best == nil or one.from > best.from) then
      best = one
    end
  end
  return best
end

rules["CORE-R02"] = function(it, needs, context)
  local week = week_of(day_of(it.from, it, context))
  local total, times = 0, array()
  for _, time in ipairs(needs.times) do
    if kept(time) and time._id ~= it._id and time.to
      and week_of(day_of(time.from, time, context)) == week then
      total = total + worked_minutes(time)
      times[#times + 1] = time
    end
  end
  total = hours_of(total + worked_minutes(it))
  local contract = contract_on(needs.contracts, week)
    or contract_on(needs.contracts, day_of(it.from, it, context))
  local agreed = contract and contract.hours_per_week or config.contract_hours
  local found = array()
  if decimal.compare(total, agreed) > 0 then
    found[#found + 1] = {
      code = "over_contract", severity = "warn", records = copy_ids(times, it._id),
      values = { worked = total, week = week, agreed = agreed, over = decimal.sub(total, agreed) },
    }
  end
  if decimal.compare(total, config.overtime_hours) > 0 then
    found[#found + 1] = {
      code = "overtime", records = copy_ids(times, it._id),
      values = {
        worked = total, week = week, limit = config.overtime_hours,
        over = decimal.sub(total, config.overtime_hours),
      },
    }
  end
  return found
end

rules["CORE-R03"] = function(it)
  if instant.compare(it.to, it.from) <= 0 then return { code = "backward", path = "/to" } end
  local found = array()
  for _, pause in each(it.breaks) do
    if instant.compare(pause.to, pause.from) <= 0 or instant.compare(pause.from, it.from) < 0
      or instant.compare(pause.to, it.to) > 0 then
      return { code = "break_outside", path = "/breaks" }
    end
    local length = instant.minutes(pause.from, pause.to)
    if pause.relieved ~= true and length >= config.meal_minutes then
      found[1] = {
        code = "break_worked", severity = "info", path = "/breaks",
        values = { minutes = length, hours = hours_of(worked_minutes(it)) },
      }
    end
  end
  return found
end

-- Credentials (R04) ---------------------------------------------------------------------------

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

-- Duties (R05) --------------------------------------------------------------------------------

local function deferral_findings(it, needs, context)
  local found = array()
  if blank(it.reason) then found[#found + 1] = { code = "blank_reason", path = "/reason" } end
  local hard = needs.duty and needs.duty.hard_deadline
  if hard and after(it.new_due, hard, it, context) then
    found[#found + 1] = {
      code = "past_deadline", path = "/new_due", records = { needs.duty._id },
      values = { due = clock(it.new_due, it, context), deadline = clock(hard, it, context) },
    }
  end
  return found
end

local function covers(shift, at)
  return instant.compare(shift.from, at) <= 0 and instant.compare(at, shift.to) <= 0
end

-- The assignee is on shift: told only where shifts are planned at all (some within eight days).
local function shift_findings(it, needs, context, found)
  if #it.due == 10 then return end
  local planned, there = 0, false
  for _, shift in each(needs.shifts) do
    if kept(shift) then
      planned = planned + 1
      there = there or covers(shift, it.due)
    end
  end
  if planned > 0 and not there then
    found[#found + 1] = { code = "off_shift", severity = "warn", path = "/assignee" }
  end
end

local function workload_findings(it, needs, context, found)
  local day = day_of(it.due, it, context)
  local start = instant.at(day, "00:00", zone_of(it, context))
  local finish = instant.at(date.add(day, 1), "00:00", zone_of(it, context))
  local minutes, planned, ids = 0, it.estimate_min or 0, array()
  for _, shift in each(needs.shifts) do
    if kept(shift) then
      minutes = minutes + instant.overlap(shift.from, shift.to, start, finish)
    end
  end
  for _, duty in each(needs.day_duties) do
    if kept(duty) and duty._id ~= it._id and duty.due and duty.estimate_min
      and duty.state ~= "cancelled" and duty.state ~= "deferred"
      and day_of(duty.due, duty, context) == day then
      planned = planned + duty.estimate_min
      ids[#ids + 1] = duty._id
    end
  end
  if minutes > 0 and planned > minutes and it.estimate_min then
    found[#found + 1] = {
      code = "overfull", severity = "warn", records = ids,
      values = { planned = planned, day = day, minutes = minutes },
    }
  end
end

local function duty_findings(it, needs, context)
  local found = array()
  local function tell(code, path, severity, extra)
    local one = extra or {}
    one.code, one.path, one.severity = code, path, severity
    found[#found + 1] = one
  end
  if it.assignee and needs.person and needs.person.active == false then
    tell("inactive", "/assignee", nil, { records = { needs.person._id } })
  end
  local open = it.state == "open" or it.state == "started"
  if it.due and it.hard_deadline and after(it.due, it.hard_deadline, it, context) then
    tell("past_deadline", "/due", nil, { values = {
      due = clock(it.due, it, context), deadline = clock(it.hard_deadline, it, context),
    } })
  end
  if it.state == "deferred" then
    local told = false
    for _, one in each(needs.deferrals) do told = told or kept(one) end
    if not told then tell("no_deferral", "/state", "warn") end
  end
  if it.due and it.assignee and open then
    shift_findings(it, needs, context, found)
    workload_findings(it, needs, context, found)
  end
  if it.series and it.occurrence_date == nil then tell("no_day", "/occurrence_date", "warn") end
  for _, twin in each(needs.twins) do
    if twin._id ~= it._id and kept(twin) then
      tell("twice", "/occurrence_date", nil, { records = { twin._id } })
    end
  end
  if it.checked_by and it.checked_by == it.assignee then tell("self_checked", "/checked_by") end
  if it.assigned_by and it.assigned_by ~= it.assignee and #config.assigner_roles > 0
    and #needs.roles > 0 then
    local right = false
    for _, one in each(needs.roles) do
      right = right or (kept(one) and has(config.assigner_roles, one.role)
        and within(act_day(it, context) or one.from, one.from, one.to))
    end
    if not right then tell("no_right", "/assigned_by", "warn") end
  end
  return found
end

rules["CORE-R05"] = function(it, needs, context)
  if it._kind == "core.deferral" then return deferral_findings(it, needs, context) end
  if it.state == "cancelled" then return nil end
  return duty_findings(it, needs, context)
end

-- Papers (R07, R08) ---------------------------------------------------------------------------

rules["CORE-R07"] = function(it)
  for _, field in ipairs({ "purpose", "what", "legal_basis", "to_party" }) do
    if blank(it[field]) then
      return { code = "blank", path = "/" .. field, values = { field = field } }
    end
  end
end

rules["CORE-R07-outside"] = function(it, needs)
  if it.outside ~= true or #(it.about or {}) == 0 then return nil end
  if not kept(needs.disclosure) then return { code = "no_disclosure", path = "/disclosure" } end
  for _, person in ipairs(it.about) do
    if not has(values_of(needs.disclosure.about), person) then
      return { code = "other_person", path = "/disclosure", records = { needs.disclosure._id } }
    end
  end
end

-- When the content of a paper last changed. Signing changes the record too, so that without
-- last_edit only a change on a later day than the last signature counts.
local function changed_after(item, context)
  local last
  local list = {}
  for _, one in each(item.signatures) do
    if signed(one.sig) then
      list[#list + 1] = one.sig
      if last == nil or instant.compare(one.sig.at, last.at) > 0 then last = one.sig end
    end
  end
  if last == nil then return nil end
  if item.last_edit then
    for _, sig in ipairs(list) do
      if after(item.last_edit, sig.at, item, context) then return sig, item.last_edit end
    end
  elseif item._changed and item._source ~= "import"
    and day_of(item._changed, item, context) > day_of(last.at, item, context) then
    return last, item._changed
  end
end

local function paper_gaps(item)
  local fields, roles = {}, {}
  for _, field in each(item.fields) do
    if field.required ~= false and blank(field.value) then fields[#fields + 1] = field.name end
  end
  for _, one in each(item.signatures) do
    if one.required ~= false and not signed(one.sig) then roles[#roles + 1] = one.role end
  end
  return fields, roles
end

rules["CORE-R08"] = function(it, needs, context)
  if it.state == "cancelled" then return nil end
  local found = array()
  local severity = not after(context.now, it.due, it, context) and "warn" or nil
  local fields, roles = paper_gaps(it)
  local due = clock(it.due, it, context)
  for _, name in ipairs(fields) do
    found[#found + 1] = {
      code = "missing_field", severity = severity, path = "/fields",
      values = { name = name, due = due },
    }
  end
  for _, role in ipairs(roles) do
    found[#found + 1] = {
      code = "missing_signature", severity = severity, path = "/signatures",
      values = { role = role, due = due },
    }
  end
  local sig, changed = changed_after(it, context)
  if sig then
    found[#found + 1] = {
      code = "signed_before_change", path = "/signatures",
      values = { signed = clock(sig.at, it, context), changed = clock(changed, it, context) },
    }
  end
  return found
end

rules["CORE-R08-check"] = function(it, needs)
  if not kept(needs.item) then return nil end
  local found = array()
  local fields, roles = paper_gaps(needs.item)
  local count = #fields + #roles
  if it.complete and count > 0 then
    found[#found + 1] = {
      code = "not_complete", path = "/complete", records = { needs.item._id },
      values = { count = count },
    }
  end
  if it.by == needs.item.owner then
    found[#found + 1] = { code = "own_check", path = "/by", records = { needs.item._id } }
  end
  return found
end

rules["CORE-R08-delivery"] = function(it, needs, context)
  if signed(it.receipt) then return nil end
  if instant.minutes(it.at, context.now) > minutes_of(config.receipt_limit) then
    return { code = "no_receipt", path = "/receipt", values = { at = clock(it.at, it, context) } }
  end
end

-- People (R09 to R13) -------------------------------------------------------------------------

-- Given and family name without case, accents, hyphens, and suffixes such as Jr or III.
local function plain_name(person)
  local words = {}
  for word in string.gmatch(names.fold(person.given .. " " .. person.family), "[^%s]+") do
    if not has({ "jr", "sr", "ii", "iii", "iv" }, word) then words[#words + 1] = word end
  end
  return table.concat(words, "")
end

rules["CORE-R09"] = function(it, needs)
  local found, seen = array(), {}
  for _, other in each(needs.ids) do
    if other._id ~= it._id and kept(other) then
      for _, mine in each(it.external_ids) do
        for _, theirs in each(other.external_ids) do
          if not seen[other._id] and mine.system == theirs.system and mine.id == theirs.id then
            seen[other._id] = true
            found[#found + 1] = {
              code = "same_id", path = "/external_ids", records = { other._id },
              values = { system = mine.system, id = mine.id, other = name_of(other) },
            }
          end
        end
      end
    end
  end
  for _, other in each(needs.born) do
    if other._id ~= it._id and kept(other) and plain_name(other) == plain_name(it) then
      found[#found + 1] = {
        code = "same_name", path = "/family", records = { other._id },
        values = { other = name_of(other) },
      }
    end
  end
  return found
end

local function pd_hours(activities, courses)
  local hours = "0"
  for _, list in ipairs({ activities or {}, courses or {} }) do
    for _, one in ipairs(list) do
      if kept(one) and one.passed ~= false then hours = decimal.add(hours, one.hours) end
    end
  end
  return hours
end

rules["CORE-R10"] = function(it, needs, context)
  local today = day_of(context.now, it, context)
  if not has(config.para_roles, it.role) or not within(today, it.from, it.to)
    or date.diff(it.from, today) < config.pd_new_days then
    return nil
  end
  local hours = pd_hours(needs.activities, needs.courses)
  if decimal.compare(hours, "0") == 0 then return { code = "none", path = "/person" } end
  if decimal.compare(hours, config.pd_hours) < 0 then
    return { code = "below", path = "/person", values = { hours = hours, aim = config.pd_hours } }
  end
end

local function is_para(roles, day)
  for _, one in each(roles) do
    if kept(one) and has(config.para_roles, one.role) and within(day, one.from, one.to) then
      return true
    end
  end
  return false
end

-- Minutes of a shift that none of the covering shifts shares, and when the first begins.
local function uncovered(shift, cover)
  table.sort(cover, function(a, b)
    local order = instant.compare(a.from, b.from)
    return order < 0 or (order == 0 and a._id < b._id)
  end)
  local at, minutes, first = shift.from, 0, nil
  local function gap(to)
    if instant.compare(at, to) < 0 then
      first = first or at
      minutes = minutes + instant.minutes(at, to)
    end
  end
  for _, one in ipairs(cover) do
    if instant.compare(one.to, at) > 0 and instant.compare(one.from, shift.to) < 0 then
      gap(one.from)
      at = one.to
    end
  end
  gap(shift.to)
  return minutes, first
end

rules["CORE-R11"] = function(it, needs, context)
  local day = day_of(it.from, it, context)
  if not is_para(needs.roles, day) then return nil end
  local named, supervisors = false, {}
  for _, link in each(needs.links) do
    if kept(link) and within(day, link.from, link.to) then
      named, supervisors[link.professional] = true, true
    end
  end
  local strict = kept(needs.site) and has(config.strict_supervision, needs.site.type)
  local severity = not strict and "warn" or nil
  if not named then return { code = "nobody", path = "/person", severity = severity } end
  local cover = {}
  for _, shift in each(needs.cover) do
    if kept(shift) and supervisors[shift.person] then cover[#cover + 1] = shift end
  end
  local minutes, first = uncovered(it, cover)
  if minutes > 0 then
    return {
      code = "gap", path = "/to", severity = severity,
      values = { minutes = minutes, at = clock(first, it, context) },
    }
  end
end

rules["CORE-R11-link"] = function(it, needs)
  local found = array()
  if #config.known_roles > 0 and not has(config.known_roles, it.role) then
    found[#found + 1] = { code = "unknown_role", path = "/role", values = { role = it.role } }
  end
  if not has(config.para_roles, it.role) then return found end
  for _, link in each(needs.links) do
    if kept(link) and (link.to == nil or link.to >= it.from)
      and (it.to == nil or link.from <= it.to) then
      return found
    end
  end
  found[#found + 1] = { code = "no_link", path = "/person" }
  return found
end

rules["CORE-R12"] = function(it, needs, context)
  if it.at == nil or it.met_at ~= nil then return nil end
  if instant.minutes(it.at, context.now) > minutes_of(config.need_limit) then
    return {
      code = "open", path = "/met_at",
      values = { since = clock(it.at, it, context), limit = config.need_limit },
    }
  end
end

rules["CORE-R12-explain"] = function(it, needs)
  if it.understood ~= "no" or (kept(needs.need) and needs.need.met_at == nil) then return nil end
  for _, other in each(needs.later) do
    if kept(other) and other._id ~= it._id and instant.compare(other.at, it.at) > 0 then
      return nil
    end
  end
  return { code = "not_understood", path = "/understood", values = { topic = it.topic } }
end

rules["CORE-R12-debrief"] = function(it, needs, context)
  if it.at == nil or not blank(it.debrief) then return nil end
  if instant.minutes(it.at, context.now) > minutes_of(config.debrief_limit) then
    return { code = "no_debrief", path = "/debrief", values = { limit = config.debrief_limit } }
  end
end

rules["CORE-R13"] = function(it, needs)
  local found = array()
  local function tell(code, path, severity, values)
    found[#found + 1] = { code = code, path = path, severity = severity, values = values }
  end
  if it.course then
    local completed = false
    for _, one in each(needs.own) do
      completed = completed or (kept(one) and one.passed ~= false and one.on < it.on)
    end
    if not completed then
      tell("not_completed", "/trainer", nil, { course = it.course, day = it.on })
    end
  end
  if it.group_size and it.trainees and #it.trainees ~= it.group_size then
    tell("group_size", "/group_size", "warn", { size = it.group_size, listed = #it.trainees })
  end
  if it.type == "activity" and blank(it.plan) then tell("no_plan", "/plan", "warn") end
  return found
end

-- Records (R14 to R17) ------------------------------------------------------------------------

rules["CORE-R14"] = function(it, needs, context)
  -- Time worked has happened when it ends; everything else names its moment.
  local at = it._kind == "core.work_time" and it.to or it.at or it.on
  if at == nil or it._created == nil then return nil end
  local ahead
  if #at == 10 then
    ahead = at > day_of(it._created, it, context)
  else
    ahead = instant.minutes(it._created, at) > config.ahead_minutes
  end
  if ahead then
    return {
      code = "ahead",
      values = { at = clock(at, it, context), written = clock(it._created, it, context) },
    }
  end
end

rules["CORE-R15"] = function(it, needs, context)
  local opens = it.opens
  if opens == nil and kept(needs.site) and needs.site.opens then
    local day = it.date or day_of(it.at, it, context)
    if day then opens = instant.at(day, needs.site.opens, zone_of(it, context)) end
  end
  local found = array()
  if opens and it.at and instant.compare(it.at, opens) > 0 then
    found[#found + 1] = {
      code = "late", path = "/at",
      values = {
        opens = instant.time(opens, zone_of(it, context)), at = clock(it.at, it, context),
      },
    }
  elseif opens and it.at == nil and instant.compare(context.now, opens) >= 0 then
    found[#found + 1] = {
      code = "not_done", path = "/at", values = { opens = clock(opens, it, context) },
    }
  end
  for _, item in each(it.items) do
    if type(item) == "table" and item.ok == false then
      found[#found + 1] = {
        code = "not_ready", path = "/items", values = { item = item.item or item.name or "-" },
      }
    end
  end
  return found
end

rules["CORE-R15-supply"] = function(it)
  if it.on_hand < it.minimum then
    return {
      code = "below", path = "/on_hand",
      values = { on_hand = it.on_hand, minimum = it.minimum },
    }
  end
end

-- Until when the steps have time: the end of the reader's shift, else a setting.
local function ack_end(it, shifts)
  if it.at == nil then return nil end
  local finish
  for _, shift in each(shifts) do
    if kept(shift) and covers(shift, it.at)
      and (finish == nil or instant.compare(shift.to, finish) > 0) then
      finish = shift.to
    end
  end
  return finish or instant.add_minutes(it.at, minutes_of(config.ack_limit))
end

-- A result names its step by number or by its words.
local function step_result(step, number, acks)
  local words = type(step) == "table" and (step.text or step.name) or step
  local result
  for _, ack in each(acks) do
    if kept(ack) then
      for _, one in each(ack.step_results) do
        if one.step == words or tostring(one.step) == tostring(number) then result = one end
      end
    end
  end
  return result
end

rules["CORE-R16"] = function(it, needs, context)
  local found = array()
  if #it.steps == 0 then found[1] = { code = "no_steps", path = "/steps" } end
  local finish = ack_end(it, needs.shifts)
  local over = finish ~= nil and instant.compare(context.now, finish) >= 0
  local read_back = false
  for _, ack in each(needs.acks) do
    read_back = read_back or (kept(ack) and not blank(ack.read_back))
  end
  if over and not read_back then found[#found + 1] = { code = "not_read_back" } end
  for number, step in ipairs(it.steps) do
    local result = step_result(step, number, needs.acks)
    if result == nil and over and read_back then
      found[#found + 1] = {
        code = "step_open", path = "/steps", values = { step = number, steps = #it.steps },
      }
    elseif result and result.result ~= "done" and blank(result.reason) then
      found[#found + 1] = {
        code = "no_reason", path = "/steps", values = { step = number, result = result.result },
      }
    end
  end
  return found
end

rules["CORE-R17"] = function(it, needs, context)
  local found = array()
  for _, one in each(needs.requests) do
    if kept(one) and instant.compare(one.at, it.at) <= 0
      and (one.closed_at == nil or instant.compare(one.closed_at, it.at) > 0) then
      found[#found + 1] = {
        code = "request", path = "/about", records = { one._id },
        values = { day = day_of(one.at, it, context) },
      }
    end
  end
  local day = day_of(it.at, it, context)
  for _, one in each(needs.holds) do
    if kept(one) and one.from <= day and (one.released_at == nil or one.released_at > day)
      and (one.record_class == nil or one.record_class == it.record_class) then
      found[#found + 1] = {
        code = "hold", path = "/about", records = { one._id },
        values = { day = one.from, matter = one.matter },
      }
    end
  end
  local years = config.retention_years[it.record_class]
  if years and it.last_entry == nil then
    found[#found + 1] = { code = "no_date", path = "/last_entry", severity = "warn" }
  elseif years and date.add(it.last_entry, years, "year") > day then
    found[#found + 1] = {
      code = "too_soon", path = "/at",
      values = {
        class = it.record_class, years = years,
        until_ = date.add(it.last_entry, years, "year"),
      },
    }
  end
  return found
end

-- The rest of the daily work ------------------------------------------------------------------

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
        code = "unsigned", path = "/" .. field, values = { who = who or field },
      }
    end
  end
  return found
end

rules["CORE-reading"] = function(it)
  if it.family ~= true then return nil end
  local words, sentences = 0, 0
  for _ in string.gmatch(it.text, "[^%s]+") do words = words + 1 end
  for _ in string.gmatch(it.text, "[^%.%?!]+") do sentences = sentences + 1 end
  local mean = sentences > 0 and words // sentences or 0
  if mean > config.most_words then
    return { code = "hard", path = "/text", values = { words = mean, most = config.most_words } }
  end
end

-- Reports -------------------------------------------------------------------------------------

local function texts(context)
  return function(en, es) return context.language == "es" and es or en end
end

local function table_of(labels, rows)
  local columns = array()
  for _, label in ipairs(labels) do columns[#columns + 1] = { label = label } end
  return { type = "table", columns = columns, rows = rows }
end

local function people_names(people)
  local index = {}
  for _, person in each(people) do index[person._id] = name_of(person) end
  return function(id) return id and (index[id] or id) or "" end
end

local rank = { urgent = 1, high = 2, normal = 3, low = 4 }

-- Total and the same everywhere: priority, rank of the goal, due, title, id.
local function sorted_duties(duties, goals)
  local goal_rank, list = {}, {}
  for _, goal in each(goals) do goal_rank[goal._id] = goal.rank end
  for _, duty in each(duties) do
    if kept(duty) and duty.state ~= "cancelled" then
      list[#list + 1] = {
        duty = duty,
        key = { rank[duty.priority], goal_rank[duty.goal] or 1000000, duty.due or "9999", duty.title,
          duty._id },
      }
    end
  end
  table.sort(list, function(a, b)
    for i = 1, 5 do
      if a.key[i] ~= b.key[i] then return a.key[i] < b.key[i] end
    end
    return false
  end)
  return list
end

reports["duty_sheet"] = function(parameters, needs, context)
  local T, rows, events = texts(context), array(), array()
  local deferred, open = {}, array()
  for _, one in each(needs.deferrals) do
    if kept(one) then deferred[one.duty] = clock(one.new_due, one, context) end
  end
  for _, one in ipairs(sorted_duties(needs.duties, needs.goals)) do
    local duty = one.duty
    rows[#rows + 1] = {
      clock(duty.due, duty, context), duty.place or "", duty.title, duty.priority,
      duty.state == "done" and "x" or "", deferred[duty._id] or "",
    }
    events[#events + 1] = {
      uid = duty._id, date = day_of(duty.due, duty, context), summary = duty.title, todo = true,
    }
  end
  for _, need in each(needs.open) do
    if kept(need) and need.met_at == nil then
      open[#open + 1] = { clock(need.at, need, context), need.in_own_words or need.text or "" }
    end
  end
  return {
    { type = "heading", level = 1, text = T("Duties ", "Tareas ") .. parameters.from },
    table_of({ T("Due", "Plazo"), T("Place", "Lugar"), T("Duty", "Tarea"),
      T("Priority", "Prioridad"), T("Done", "Hecho"), T("Deferred to", "Pospuesta a") }, rows),
    { type = "heading", level = 2, text = T("Open needs", "Necesidades abiertas") },
    table_of({ T("Since", "Desde"), T("Need", "Necesidad") }, open),
    { type = "events", events = events },
  }
end

reports["timesheet"] = function(parameters, needs, context)
  local T, rows, total = texts(context), array(), 0
  for _, time in each(needs.times) do
    if kept(time) and time.to then
      local minutes = worked_minutes(time)
      total = total + minutes
      rows[#rows + 1] = {
        day_of(time.from, time, context), instant.time(time.from, zone_of(time, context)),
        instant.time(time.to, zone_of(time, context)), hours_of(minutes), time.category or "",
        signed(time.approved_by) and T("yes", "sí") or "",
      }
    end
  end
  local contract = contract_on(needs.contracts, parameters.from)
  local agreed = contract and contract.hours_per_week or config.contract_hours
  return {
    { type = "heading", level = 1, text = T("Time worked ", "Tiempo trabajado ") .. parameters.from },
    table_of({ T("Date", "Fecha"), T("In", "Entrada"), T("Out", "Salida"), T("Hours", "Horas"),
      T("Category", "Categoría"), T("Approved", "Aprobado") }, rows),
    { type = "text", style = "strong", text = T("Total ", "Total ") .. hours_of(total) ..
      T(" h, agreed ", " h, acordadas ") .. agreed .. T(" h a week, difference ",
        " h por semana, diferencia ") .. decimal.sub(hours_of(total), agreed) .. " h" },
    { type = "signature", label = T("Approved by", "Aprobado por") },
  }
end

reports["certification_expiry"] = function(parameters, needs, context)
  local T, name, rows, events = texts(context), people_names(needs.people), array(), array()
  local today = date.of(context.now, context.zone)
  for _, one in each(needs.credentials) do
    if kept(one) and one.valid_through then
      local days = date.diff(today, one.valid_through)
      rows[#rows + 1] = {
        name(one.person), one.type, one.number or "", one.valid_through, days,
        days < 0 and T("expired", "vencida")
          or (days <= config.expiry_notice_days and T("soon", "pronto") or ""),
      }
      events[#events + 1] = {
        uid = one._id, date = one.valid_through, summary = one.type .. ", " .. name(one.person),
      }
    end
  end
  return {
    { type = "heading", level = 1, text = T("Credentials and their last day",
      "Credenciales y su último día") },
    table_of({ T("Person", "Persona"), T("Credential", "Credencial"), T("Number", "Número"),
      T("Valid through", "Válida hasta"), T("Days left", "Días"), T("Note", "Nota") }, rows),
    { type = "events", events = events },
  }
end

reports["pd_hours"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  local hours, staff, none, below = {}, {}, 0, 0
  for _, list in ipairs({ needs.activities, needs.courses }) do
    for _, one in ipairs(list) do
      if kept(one) and one.passed ~= false then
        hours[one.person] = decimal.add(hours[one.person] or "0", one.hours)
      end
    end
  end
  for _, role in each(needs.roles) do
    if kept(role) and has(config.para_roles, role.role) and not staff[role.person]
      and within(parameters.to, role.from, role.to) then
      staff[role.person] = true
      local sum = hours[role.person] or "0"
      if decimal.compare(sum, "0") == 0 then none = none + 1 end
      if decimal.compare(sum, config.pd_hours) < 0 then below = below + 1 end
      rows[#rows + 1] = { name(role.person), sum }
    end
  end
  local function share(n)
    return #rows == 0 and "0" or decimal.div(tostring(n * 100), tostring(#rows), 0)
  end
  return {
    { type = "heading", level = 1, text = T("Professional development", "Desarrollo profesional") },
    table_of({ T("Person", "Persona"), T("Hours", "Horas") }, rows),
    table_of({ T("Share", "Parte"), T("Here %", "Aquí %"), T("Nation %", "País %") }, {
      { T("No hours", "Sin horas"), share(none), config.pd_nation_none },
      { T("Below the aim, or too little", "Bajo la meta, o muy poco"), share(below),
        config.pd_nation_little },
    }),
  }
end

reports["paperwork_completeness"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, item in each(needs.items) do
    if kept(item) then
      local fields, roles = paper_gaps(item)
      rows[#rows + 1] = {
        item.template, name(item.owner), clock(item.due, item, context),
        table.concat(fields, ", "), table.concat(roles, ", "), item.state or "",
      }
    end
  end
  return {
    { type = "heading", level = 1, text = T("Paperwork", "Documentos") },
    table_of({ T("Item", "Documento"), T("Owner", "Responsable"), T("Due", "Plazo"),
      T("Missing fields", "Campos que faltan"), T("Missing signatures", "Firmas que faltan"),
      T("State", "Estado") }, rows),
  }
end

reports["disclosure_log"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, one in each(needs.disclosures) do
    if kept(one) then
      rows[#rows + 1] = {
        clock(one.at, one, context), one.to_party, one.what, one.purpose, one.legal_basis,
        name(one.authorised_by),
      }
    end
  end
  return {
    { type = "heading", level = 1, text = T("Disclosures", "Divulgaciones") },
    table_of({ T("Date", "Fecha"), T("To", "A"), T("What", "Qué"), T("Purpose", "Fin"),
      T("Basis", "Base"), T("By", "Por") }, rows),
  }
end

reports["open_needs"] = function(parameters, needs, context)
  local T, rows = texts(context), array()
  for _, need in each(needs.noted) do
    if kept(need) and need.met_at == nil then
      rows[#rows + 1] = {
        clock(need.at, need, context), need.type or "", need.in_own_words or need.text or "",
      }
    end
  end
  return {
    { type = "heading", level = 1, text = T("Open needs", "Necesidades abiertas") },
    table_of({ T("Since", "Desde"), T("Type", "Tipo"), T("Need", "Necesidad") }, rows),
  }
end

reports["qualification_status"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  local people, order = {}, {}
  local function of(id)
    if not people[id] then
      people[id] = { levels = {}, hours = "0", passed = false }
      order[#order + 1] = id
    end
    return people[id]
  end
  for _, one in each(needs.studies) do
    if kept(one) then
      of(one.person).levels[one.level] = true
      of(one.person).hours = decimal.add(of(one.person).hours, exact(one.hours) or "0")
    end
  end
  for _, one in each(needs.assessments) do
    if kept(one) and one.passed then of(one.person).passed = true end
  end
  local function mark(yes) return yes and T("yes", "sí") or T("no", "no") end
  for _, id in ipairs(order) do
    local one = people[id]
    rows[#rows + 1] = {
      name(id), mark(one.levels.secondary), one.hours, mark(one.levels.associate),
      mark(one.passed),
    }
  end
  return {
    { type = "heading", level = 1, text = T("Qualifications", "Cualificaciones") },
    table_of({ T("Person", "Persona"), T("Diploma", "Diploma"), T("Study hours", "Horas de estudio"),
      T("Associate degree", "Título asociado"), T("Assessment", "Evaluación") }, rows),
  }
end
