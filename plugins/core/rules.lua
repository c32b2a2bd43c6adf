-- Core: rules and reports of the duties that every field shares.
-- Nothing here is legal advice: a rule says what a law or a policy says, a person decides.
-- Sections: helpers; time and place (R01-R03); credentials (R04); duties (R05); papers (R07, R08);
-- people (R09-R13); records (R14-R17); the rest of the daily work; reports of the rules; reports
-- of the daily work.

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
    -- Free again when the other ends, and the way between two sites is behind.
    local apart = first.site and second.site and first.site ~= second.site
    found.passes_at = apart and instant.add_minutes(second.to, config.travel_minutes) or second.to
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
  elseif item._changed and item._source ~= "imported"
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

-- A request for access is answered by the day that it names, else within the days of FERPA.
rules["CORE-R12-request"] = function(it, needs, context)
  if it.closed_at ~= nil then return nil end
  local asked = day_of(it.at, it, context)
  local due = it.due or date.add(asked, config.access_days)
  if day_of(context.now, it, context) > due then
    return { code = "request", path = "/closed_at", values = { since = asked, due = due } }
  end
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
        code = "request", path = "/about", records = { one._id }, passes_at = "never",
        values = { day = day_of(one.at, it, context) },
      }
    end
  end
  local day = day_of(it.at, it, context)
  for _, one in each(needs.holds) do
    if kept(one) and one.from <= day and (one.released_at == nil or one.released_at > day)
      and (one.record_class == nil or one.record_class == it.record_class) then
      found[#found + 1] = {
        code = "hold", path = "/about", records = { one._id }, passes_at = "never",
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
      passes_at = instant.at(date.add(it.last_entry, years, "year"), "00:00", zone_of(it, context)),
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

-- The records that stand, ordered by what `key` says of them, then by id.
local function ordered(records, key)
  local list = {}
  for _, one in each(records) do
    if kept(one) then list[#list + 1] = one end
  end
  local function before(a, b)
    local first, second = key(a) or "", key(b) or ""
    if first ~= second then return first < second end
    return a._id < b._id
  end
  table.sort(list, before)
  return list
end

-- In order of a date or instant, the report's local days alone: a need by dates may bring some of
-- the days around them.
local function dated(records, field, parameters, context)
  local list = {}
  for _, one in ipairs(ordered(records, function(it) return it[field] end)) do
    local day = day_of(one[field], one, context)
    if day and within(day, parameters.from, parameters.to) then list[#list + 1] = one end
  end
  return list
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
  local T, name, rows, events = texts(context), people_names(needs.people), array(), array()
  local deferred, told, open = {}, {}, array()
  for _, one in each(needs.instructions) do
    if kept(one) and one.duty then told[one.duty] = one.text end
  end
  for _, one in each(needs.deferrals) do
    if kept(one) then deferred[one.duty] = clock(one.new_due, one, context) end
  end
  for _, one in ipairs(sorted_duties(dated(needs.duties, "due", parameters, context),
    needs.goals)) do
    local duty = one.duty
    rows[#rows + 1] = {
      clock(duty.due, duty, context), duty.place or "", duty.title, name(duty.assigned_by),
      duty.priority, told[duty._id] or "", duty.state == "done" and "[x]" or "[ ]",
      deferred[duty._id] or "",
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
      T("With", "Con"), T("Priority", "Prioridad"), T("Instruction", "Instrucción"),
      T("Done", "Hecho"), T("Deferred to", "Pospuesta a") }, rows),
    { type = "heading", level = 2, text = T("Open needs", "Necesidades abiertas") },
    table_of({ T("Since", "Desde"), T("Need", "Necesidad") }, open),
    { type = "events", events = events },
  }
end

reports["timesheet"] = function(parameters, needs, context)
  local T, name, rows, total = texts(context), people_names(needs.people), array(), 0
  for _, time in ipairs(dated(needs.times, "from", parameters, context)) do
    if time.to then
      local minutes = worked_minutes(time)
      total = total + minutes
      rows[#rows + 1] = {
        day_of(time.from, time, context), instant.time(time.from, zone_of(time, context)),
        instant.time(time.to, zone_of(time, context)),
        instant.minutes(time.from, time.to) - minutes, hours_of(minutes), time.category or "",
        signed(time.approved_by) and T("yes", "sí") or "",
      }
    end
  end
  local contract = contract_on(needs.contracts, parameters.from)
  local agreed = contract and contract.hours_per_week or config.contract_hours
  return {
    { type = "heading", level = 1, text = T("Time worked ", "Tiempo trabajado ") ..
      name(parameters.person) .. ", " .. parameters.from .. " - " .. parameters.to },
    table_of({ T("Date", "Fecha"), T("In", "Entrada"), T("Out", "Salida"),
      T("Breaks (minutes)", "Pausas (minutos)"), T("Hours", "Horas"),
      T("Category", "Categoría"), T("Approved", "Aprobado") }, rows),
    { type = "text", style = "strong", text = T("Total ", "Total ") .. hours_of(total) ..
      T(" h, agreed ", " h, acordadas ") .. agreed .. T(" h a week, difference ",
        " h por semana, diferencia ") .. decimal.sub(hours_of(total), agreed) .. " h" },
    { type = "signature", label = T("Approved by", "Aprobado por") },
  }
end

-- Hours of training since a credential was issued, against what its renewal asks for.
local function renewal_lacks(one, needs, today, T)
  local wanted
  for _, set in each(needs.sets) do
    if kept(set) and set.type == one.type and set.renewal_hours
      and within(today, set.effective_from, set.effective_to) then
      wanted = set.renewal_hours
    end
  end
  if wanted == nil then return "" end
  local hours = "0"
  for _, list in ipairs({ needs.activities or {}, needs.courses or {} }) do
    for _, done in ipairs(list) do
      if kept(done) and done.person == one.person and done.passed ~= false
        and done.on >= one.issued and done.on <= today then
        hours = decimal.add(hours, done.hours)
      end
    end
  end
  if decimal.compare(hours, wanted) >= 0 then return T("nothing", "nada") end
  return decimal.sub(wanted, hours) .. " h"
end

-- Duties of that person that ask for the credential on a day after its last.
local function duties_at_risk(one, needs, context)
  local count = 0
  for _, duty in each(needs.duties) do
    if kept(duty) and duty.assignee == one.person and duty.due and duty.state ~= "cancelled"
      and has(values_of(duty.needs_credential), one.type)
      and day_of(duty.due, duty, context) > one.valid_through then
      count = count + 1
    end
  end
  return count
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
        renewal_lacks(one, needs, today, T), duties_at_risk(one, needs, context),
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
      T("Valid through", "Válida hasta"), T("Days left", "Días"), T("Note", "Nota"),
      T("Missing for renewal", "Falta para renovar"), T("Duties at risk", "Tareas en riesgo") },
      rows),
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
  local function share(n, of)
    of = of or #rows
    return of == 0 and "0" or decimal.div(tostring(n * 100), tostring(of), 0)
  end
  local asked, little = 0, 0
  for _, one in each(needs.surveys) do
    if kept(one) then
      asked = asked + 1
      if one.answer ~= "enough" then little = little + 1 end
    end
  end
  return {
    { type = "heading", level = 1, text = T("Professional development", "Desarrollo profesional") },
    table_of({ T("Person", "Persona"), T("Hours", "Horas") }, rows),
    table_of({ T("Share", "Parte"), T("Here %", "Aquí %"), T("Nation %", "País %") }, {
      { T("No hours", "Sin horas"), share(none), config.pd_nation_none },
      { T("Below the aim", "Bajo la meta"), share(below), config.pd_nation_little },
      { T("Say too little", "Dicen que es poco"), share(little, asked), config.pd_nation_little },
    }),
  }
end

reports["paperwork_completeness"] = function(parameters, needs, context)
  local about = people_names(needs.people)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, item in ipairs(dated(needs.items, "due", parameters, context)) do
    if item.state ~= "cancelled" then
      local fields, roles = paper_gaps(item)
      rows[#rows + 1] = {
        item.template, about(item.about), name(item.owner), clock(item.due, item, context),
        table.concat(fields, ", "), table.concat(roles, ", "), item.state or "",
      }
    end
  end
  return {
    { type = "heading", level = 1, text = T("Paperwork", "Documentos") },
    table_of({ T("Item", "Documento"), T("About", "Sobre"), T("Owner", "Responsable"),
      T("Due", "Plazo"), T("Missing fields", "Campos que faltan"),
      T("Missing signatures", "Firmas que faltan"),
      T("State", "Estado") }, rows),
  }
end

reports["disclosure_log"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  local about = people_names(needs.people)
  for _, one in ipairs(dated(needs.disclosures, "at", parameters, context)) do
    local whom = {}
    for _, id in ipairs(values_of(one.about)) do whom[#whom + 1] = about(id) end
    rows[#rows + 1] = {
      clock(one.at, one, context), table.concat(whom, ", "), one.to_party, one.address or "",
      one.what, one.purpose, one.legal_basis, name(one.authorised_by),
    }
  end
  return {
    { type = "heading", level = 1, text = T("Disclosures", "Divulgaciones") },
    table_of({ T("Date", "Fecha"), T("About", "Sobre"), T("To", "A"),
      T("Address", "Dirección"), T("What", "Qué"), T("Purpose", "Fin"),
      T("Basis", "Base"), T("By", "Por") }, rows),
  }
end

reports["open_needs"] = function(parameters, needs, context)
  local T, about, rows = texts(context), people_names(needs.people), array()
  for _, need in ipairs(dated(needs.noted, "at", parameters, context)) do
    if need.met_at == nil then
      rows[#rows + 1] = {
        clock(need.at, need, context), about(need.about), need.type or "",
        need.in_own_words or need.text or "",
      }
    end
  end
  return {
    { type = "heading", level = 1, text = T("Open needs", "Necesidades abiertas") },
    table_of({ T("Since", "Desde"), T("About", "Sobre"), T("Type", "Tipo"),
      T("Need", "Necesidad") }, rows),
  }
end

reports["qualification_status"] = function(parameters, needs, context)
  local T, rows = texts(context), array()
  local name = people_names(needs.people)
  local people, order = {}, {}
  local function of(id)
    if not people[id] then
      people[id] = { levels = {}, hours = "0", passed = false, scores = {} }
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
    if kept(one) then
      local person = of(one.person)
      person.passed = person.passed or one.passed == true
      person.scores[#person.scores + 1] = one.name .. " " .. (one.state or "") .. " "
        .. (one.score or "-") .. "/" .. (one.cut_score or "-")
    end
  end
  local function mark(yes) return yes and T("yes", "sí") or T("no", "no") end
  for _, id in ipairs(order) do
    local one = people[id]
    rows[#rows + 1] = {
      name(id), mark(one.levels.secondary), one.hours, mark(one.levels.associate),
      mark(one.passed), table.concat(one.scores, "; "),
    }
  end
  return {
    { type = "heading", level = 1, text = T("Qualifications", "Cualificaciones") },
    table_of({ T("Person", "Persona"), T("Diploma", "Diploma"), T("Study hours", "Horas de estudio"),
      T("Associate degree", "Título asociado"), T("Assessment passed", "Evaluación aprobada"),
      T("Score and cut score", "Puntuación y mínimo") }, rows),
  }
end

-- Reports of the daily work: lists in the order of a day, a person or a rank ---------------------

local function names_of(ids, name)
  local shown = {}
  for _, id in ipairs(values_of(ids)) do shown[#shown + 1] = name(id) end
  return table.concat(shown, ", ")
end

-- Of one person, where the parameter says whom.
local function of_person(parameters, id)
  return parameters.person == nil or has(values_of(id), parameters.person)
end

local function sheet(title, labels, rows)
  return { { type = "heading", level = 1, text = title }, table_of(labels, rows) }
end

local function add_table(blocks, title, labels, rows)
  blocks[#blocks + 1] = { type = "heading", level = 2, text = title }
  blocks[#blocks + 1] = table_of(labels, rows)
  return blocks
end

local function moment(at, record, context) return at and clock(at, record, context) or "" end

-- Steps, agenda points and items are words or objects that hold them.
local function words_of(list)
  local shown = {}
  for _, one in ipairs(values_of(list)) do
    shown[#shown + 1] = type(one) == "table" and (one.text or one.item or one.name or "-") or one
  end
  return table.concat(shown, "; ")
end

local function percent(part, whole)
  return whole == 0 and "" or decimal.div(tostring(part * 100), tostring(whole), 0)
end

-- Sums by key, in the order of the keys: { key, count, minutes }.
local function sums_by(records, key, minutes)
  local sums, keys = {}, {}
  for _, one in ipairs(records) do
    local name = key(one) or "-"
    if sums[name] == nil then
      sums[name] = { name, 0, 0 }
      keys[#keys + 1] = name
    end
    sums[name][2] = sums[name][2] + 1
    sums[name][3] = sums[name][3] + (minutes(one) or 0)
  end
  table.sort(keys)
  local rows = array()
  for _, name in ipairs(keys) do rows[#rows + 1] = sums[name] end
  return rows
end

reports["staff_list"] = function(parameters, needs, context)
  local T, name = texts(context), people_names(needs.people)
  local sites, rows = {}, array()
  for _, site in each(needs.sites) do sites[site._id] = site.name end
  local supervisors = {}
  for _, link in each(needs.links) do
    if kept(link) and within(parameters.to, link.from, link.to) then
      local known = supervisors[link.para]
      supervisors[link.para] = (known and known .. ", " or "") .. name(link.professional)
    end
  end
  local function supervisor(role) return supervisors[role.person] or "" end
  for _, role in ipairs(ordered(needs.roles, function(one)
    return supervisor(one) .. "\1" .. name(one.person)
  end)) do
    if role.to == nil or role.to >= parameters.from then
      local lacks = supervisor(role) == "" and has(config.para_roles, role.role)
      rows[#rows + 1] = {
        lacks and T("nobody", "nadie") or supervisor(role), name(role.person), role.role,
        sites[role.site] or role.site, role.from, role.to or "",
      }
    end
  end
  return sheet(T("Staff by supervisor", "Personal por supervisor"), {
    T("Supervised by", "Supervisa"), T("Person", "Persona"), T("Role", "Función"),
    T("Site", "Sede"), T("From", "Desde"), T("To", "Hasta"),
  }, rows)
end

reports["site_directory"] = function(parameters, needs, context)
  local T, rows = texts(context), array()
  for _, site in ipairs(ordered(needs.sites, function(one) return one.name end)) do
    local people, seen = 0, {}
    for _, role in each(needs.roles) do
      if kept(role) and (role.site == site._id or role.site == site.name) and not seen[role.person]
        and within(parameters.to, role.from, role.to) then
        seen[role.person], people = true, people + 1
      end
    end
    rows[#rows + 1] = {
      site.name, site.type, site.jurisdiction or "", site.tz, site.address or "",
      (site.opens or "") .. " - " .. (site.closes or ""), words_of(site.places), people,
    }
  end
  return sheet(T("Sites", "Sedes"), {
    T("Site", "Sede"), T("Type", "Tipo"), T("State", "Estado"), T("Time zone", "Zona horaria"),
    T("Address", "Dirección"), T("Open", "Abierta"), T("Places", "Lugares"),
    T("People", "Personas"),
  }, rows)
end

reports["time_by_category"] = function(parameters, needs, context)
  local T, done = texts(context), {}
  local times = dated(needs.times, "from", parameters, context)
  local worked = {}
  for _, time in ipairs(times) do
    if time.to and of_person(parameters, time.person) then worked[#worked + 1] = time end
  end
  for _, duty in ipairs(dated(needs.duties, "due", parameters, context)) do
    if duty.state == "done" and of_person(parameters, duty.assignee) then done[#done + 1] = duty end
  end
  local hours = array()
  for _, sum in ipairs(sums_by(worked, function(one) return one.category end, worked_minutes)) do
    hours[#hours + 1] = { sum[1], sum[2], hours_of(sum[3]) }
  end
  local blocks = sheet(T("Time by category", "Tiempo por categoría"),
    { T("Category", "Categoría"), T("Entries", "Anotaciones"), T("Hours", "Horas") }, hours)
  return add_table(blocks, T("Duties done", "Tareas hechas"),
    { T("Category", "Categoría"), T("Duties", "Tareas"),
      T("Minutes planned", "Minutos previstos") },
    sums_by(done, function(one) return one.category end,
      function(one) return one.estimate_min end))
end

reports["incident_register"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, one in ipairs(dated(needs.incidents, "at", parameters, context)) do
    rows[#rows + 1] = {
      moment(one.at, one, context), one.place or "", names_of(one.about, name), one.what or "",
      one.response or "", name(one.reported_by), one.debrief or T("missing", "falta"),
    }
  end
  return sheet(T("Incidents", "Incidentes"), {
    T("When", "Cuándo"), T("Place", "Lugar"), T("About", "Sobre"), T("What happened", "Qué pasó"),
    T("What was done", "Qué se hizo"), T("Reported by", "Informa"),
    T("Debrief", "Conversación posterior"),
  }, rows)
end

-- Contracts with the certificates held on the day: pay grades are shown to those in charge of
-- people alone (privacy hr).
reports["pay_grades"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, one in ipairs(ordered(needs.contracts, function(it) return name(it.person) end)) do
    if within(parameters.to, one.from, one.to) then
      local held = {}
      for _, credential in each(needs.credentials) do
        if kept(credential) and credential.person == one.person
          and within(parameters.to, credential.issued, credential.valid_through) then
          held[#held + 1] = credential.type
        end
      end
      table.sort(held)
      rows[#rows + 1] = {
        name(one.person), one.pay_grade or "", one.annual_rate or "", one.hours_per_week or "",
        one.from, table.concat(held, ", "),
      }
    end
  end
  return sheet(T("Pay grades and certificates", "Niveles salariales y certificados"), {
    T("Person", "Persona"), T("Grade", "Nivel"), T("A year", "Al año"),
    T("Hours a week", "Horas por semana"), T("From", "Desde"), T("Certificates", "Certificados"),
  }, rows)
end

reports["training_delivered"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, one in ipairs(dated(needs.sessions, "on", parameters, context)) do
    if parameters.type == nil or one.type == parameters.type then
      rows[#rows + 1] = {
        one.on, one.type or "", one.course or one.topic or "", name(one.trainer),
        one.group_size or #(one.trainees or {}), names_of(one.trainees, name),
        one.minutes or "", one.plan or "",
      }
    end
  end
  return sheet(T("Training and activities", "Formación y actividades"), {
    T("Date", "Fecha"), T("Type", "Tipo"), T("Topic", "Tema"), T("Given by", "A cargo de"),
    T("Group", "Grupo"), T("Who", "Quiénes"), T("Minutes", "Minutos"), T("Plan", "Plan"),
  }, rows)
end

reports["trainer_eligibility"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, one in ipairs(ordered(needs.courses, function(it)
    return it.course .. "\1" .. name(it.person)
  end)) do
    if one.passed ~= false then
      local given = 0
      for _, session in each(needs.sessions) do
        if kept(session) and session.trainer == one.person and session.course == one.course then
          given = given + 1
        end
      end
      rows[#rows + 1] = {
        one.course, name(one.person), one.on, date.add(one.on, 1), one.valid_through or "", given,
      }
    end
  end
  return sheet(T("Who may train", "Quién puede formar"), {
    T("Course", "Curso"), T("Person", "Persona"), T("Completed", "Completado"),
    T("May train from", "Puede formar desde"), T("Valid through", "Válido hasta"),
    T("Sessions given", "Sesiones dadas"),
  }, rows)
end

reports["explanations"] = function(parameters, needs, context)
  local T, name = texts(context), people_names(needs.people)
  local rows, last = array(), {}
  for _, one in ipairs(dated(needs.explanations, "at", parameters, context)) do
    last[one.to .. "\1" .. one.topic] = one
    rows[#rows + 1] = {
      moment(one.at, one, context), one.topic, name(one.to), one.attempt_no or "", one.form or "",
      one.understood or "", one.checked_how or "", name(one.by),
    }
  end
  local waiting = array()
  for _, one in pairs(last) do
    if one.understood == "no" or one.understood == "partly" then
      waiting[#waiting + 1] = { one.topic, name(one.to), one.attempt_no or "", one.understood }
    end
  end
  local blocks = sheet(T("Explanations", "Explicaciones"), {
    T("When", "Cuándo"), T("Topic", "Tema"), T("To", "A"), T("Attempt", "Intento"),
    T("Form", "Forma"), T("Understood", "Entendido"), T("How it was checked", "Cómo se comprobó"),
    T("By", "Por"),
  }, rows)
  return add_table(blocks, T("Not yet understood", "Aún no entendido"), {
    T("Topic", "Tema"), T("To", "A"), T("Attempt", "Intento"), T("Understood", "Entendido"),
  }, waiting)
end

reports["strategies"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, one in ipairs(dated(needs.notes, "at", parameters, context)) do
    rows[#rows + 1] = {
      day_of(one.at, one, context), one.problem, one.tried, one.result or "", name(one.by),
    }
  end
  return sheet(T("What was tried and what came of it", "Qué se probó y qué resultó"), {
    T("Date", "Fecha"), T("Problem", "Problema"), T("Tried", "Se probó"), T("Result", "Resultado"),
    T("By", "Por"),
  }, rows)
end

reports["feedback_summary"] = function(parameters, needs, context)
  local T, name = texts(context), people_names(needs.people)
  local rows, mine = array(), {}
  for _, one in ipairs(dated(needs.feedback, "at", parameters, context)) do
    if of_person(parameters, one.to) then
      mine[#mine + 1] = one
      rows[#rows + 1] = {
        day_of(one.at, one, context), name(one.to), one.kind, one.trait or "", one.text,
        name(one.by),
      }
    end
  end
  local sums = array()
  for _, sum in ipairs(sums_by(mine, function(one) return one.trait or one.kind end,
    function() return 0 end)) do
    sums[#sums + 1] = { sum[1], sum[2] }
  end
  local blocks = sheet(T("Feedback", "Comentarios"), {
    T("Date", "Fecha"), T("To", "A"), T("Kind", "Clase"), T("Trait", "Cualidad"),
    T("Words", "Palabras"), T("By", "Por"),
  }, rows)
  return add_table(blocks, T("By trait", "Por cualidad"),
    { T("Trait", "Cualidad"), T("Times", "Veces") }, sums)
end

reports["contact_log"] = function(parameters, needs, context)
  local T, name = texts(context), people_names(needs.people)
  local rows, sent = array(), array()
  for _, one in ipairs(dated(needs.contacts, "at", parameters, context)) do
    rows[#rows + 1] = {
      moment(one.at, one, context), one.with, one.channel or "", one.language or "",
      one.minutes or "", one.summary or "", name(one.by),
    }
  end
  for _, one in ipairs(dated(needs.messages, "at", parameters, context)) do
    sent[#sent + 1] = {
      moment(one.at, one, context), one.to, one.channel or "", one.language or "", one.text,
      sentence_length(one.text), name(one.by),
    }
  end
  local blocks = sheet(T("Contacts", "Contactos"), {
    T("When", "Cuándo"), T("With", "Con"), T("Channel", "Medio"), T("Language", "Idioma"),
    T("Minutes", "Minutos"), T("Summary", "Resumen"), T("By", "Por"),
  }, rows)
  return add_table(blocks, T("Messages", "Mensajes"), {
    T("When", "Cuándo"), T("To", "A"), T("Channel", "Medio"), T("Language", "Idioma"),
    T("Text", "Texto"), T("Words a sentence", "Palabras por frase"), T("By", "Por"),
  }, sent)
end

reports["deliveries"] = function(parameters, needs, context)
  local T, name, items = texts(context), people_names(needs.people), {}
  for _, item in each(needs.items) do items[item._id] = item.template end
  local function row(one)
    return {
      moment(one.at, one, context), items[one.item] or one.item, one.to,
      signed(one.receipt) and moment(one.receipt.at, one, context) or "", name(one.by),
    }
  end
  local delivered, waiting = array(), array()
  for _, one in ipairs(dated(needs.deliveries, "at", parameters, context)) do
    local list = signed(one.receipt) and delivered or waiting
    list[#list + 1] = row(one)
  end
  local labels = { T("Handed over", "Entregado"), T("Paper", "Documento"), T("To", "A"),
    T("Receipt", "Recibo"), T("By", "Por") }
  local blocks = sheet(T("Without a receipt", "Sin recibo"), labels, waiting)
  return add_table(blocks, T("Received", "Recibido"), labels, delivered)
end

-- Who wrote what and when, with what was changed since. The whole history of one record is shown
-- by `dutybook history`.
reports["record_audit"] = function(parameters, needs, context)
  local T, name, all = texts(context), people_names(needs.people), {}
  for _, list in ipairs({
    needs.times, needs.contacts, needs.incidents, needs.notes, needs.decisions, needs.disclosures,
  }) do
    for _, one in ipairs(list) do all[#all + 1] = one end
  end
  table.sort(all, function(a, b)
    local first, second = a._created or "", b._created or ""
    if first ~= second then return first < second end
    return a._id < b._id
  end)
  local rows = array()
  for _, one in ipairs(all) do
    rows[#rows + 1] = {
      one._kind, moment(one.at or one.from, one, context), moment(one._created, one, context),
      one._changed ~= one._created and moment(one._changed, one, context) or "",
      name(one._on_behalf or one._by), one._device or "", one._source or "", one._status or "",
    }
  end
  return sheet(T("Records: who and when", "Registros: quién y cuándo"), {
    T("Kind", "Clase"), T("Happened", "Ocurrió"), T("Written down", "Se anotó"),
    T("Changed", "Cambiado"), T("By", "Por"), T("Device", "Equipo"), T("Source", "Origen"),
    T("State", "Estado"),
  }, rows)
end

reports["file_locator"] = function(parameters, needs, context)
  local T, name = texts(context), people_names(needs.people)
  local last, rows = {}, array()
  for _, move in ipairs(ordered(needs.moves, function(it) return it.folder end)) do
    local known = last[move.folder]
    if known == nil or earlier(known, move) then last[move.folder] = move end
  end
  for _, folder in ipairs(ordered(needs.folders, function(it) return it.name end)) do
    local move = last[folder._id]
    rows[#rows + 1] = {
      folder.name, folder.subject or "", folder.location, name(move and move.to or folder.holder),
      move and moment(move.at, move, context) or folder.from or "", folder.retention or "",
    }
  end
  return sheet(T("Where the files are", "Dónde están los expedientes"), {
    T("File", "Expediente"), T("Subject", "Asunto"), T("Kept at", "Se guarda en"),
    T("Who has it", "Quién lo tiene"), T("Since", "Desde"), T("Keep", "Conservar"),
  }, rows)
end

reports["answered_findings"] = function(parameters, needs, context)
  local T, rows = texts(context), array()
  for _, one in ipairs(dated(needs.answers, "at", parameters, context)) do
    rows[#rows + 1] = {
      moment(one.at, one, context), one.rule or "", words_of(one.records), one.answer, one.reason,
    }
  end
  return sheet(T("Inconsistencies and how they were settled",
    "Incoherencias y cómo se resolvieron"), {
    T("When", "Cuándo"), T("Rule", "Regla"), T("Records", "Registros"), T("Answer", "Respuesta"),
    T("Reason", "Motivo"),
  }, rows)
end

reports["agenda"] = function(parameters, needs, context)
  local T, name = texts(context), people_names(needs.people)
  local rows, events = array(), array()
  for _, one in ipairs(dated(needs.meetings, "when", parameters, context)) do
    if of_person(parameters, one.who) then
      rows[#rows + 1] = {
        moment(one.when, one, context), one.title or "", one.where or "", names_of(one.who, name),
        words_of(one.agenda), words_of(one.minutes),
      }
      events[#events + 1] = {
        uid = one._id, start = one.when,
        ["end"] = one["until"] or instant.add_minutes(one.when, config.meeting_minutes),
        summary = one.title or T("Meeting", "Reunión"),
      }
    end
  end
  local blocks = sheet(T("Meetings", "Reuniones"), {
    T("When", "Cuándo"), T("Meeting", "Reunión"), T("Place", "Lugar"), T("Who", "Quiénes"),
    T("Agenda", "Orden del día"), T("Minutes", "Acta"),
  }, rows)
  blocks[#blocks + 1] = { type = "events", events = events }
  return blocks
end

reports["week_schedule"] = function(parameters, needs, context)
  local T, name = texts(context), people_names(needs.people)
  local rows, events = array(), array()
  for _, one in ipairs(dated(needs.shifts, "from", parameters, context)) do
    if of_person(parameters, one.person) then
      rows[#rows + 1] = {
        day_of(one.from, one, context), name(one.person),
        instant.time(one.from, zone_of(one, context)), instant.time(one.to, zone_of(one, context)),
        one.place or one.site, one.kind or "",
        hours_of(instant.minutes(one.from, one.to)),
      }
      events[#events + 1] = {
        uid = one._id, start = one.from, ["end"] = one.to, summary = one.place or one.site,
      }
    end
  end
  local blocks = sheet(T("Schedule", "Horario"), {
    T("Date", "Fecha"), T("Person", "Persona"), T("From", "Desde"), T("To", "Hasta"),
    T("Place", "Lugar"), T("Kind", "Clase"), T("Hours", "Horas"),
  }, rows)
  blocks[#blocks + 1] = { type = "events", events = events }
  return blocks
end

reports["readiness_sheet"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  local function mark(ok) return ok == nil and "" or (ok and T("yes", "sí") or T("no", "no")) end
  for _, one in ipairs(ordered(needs.checks, function(it)
    return (it.date or it.at or "") .. "\1" .. it.place
  end)) do
    local when = one.at or one.opens
    local day = one.date or (when and day_of(when, one, context)) or parameters.from
    local at = one.at and instant.time(one.at, zone_of(one, context)) or T("not done", "sin hacer")
    local opens = one.opens and instant.time(one.opens, zone_of(one, context)) or ""
    local items = #(one.items or {}) > 0 and one.items or { { item = "" } }
    if not within(day, parameters.from, parameters.to) then items = {} end
    for _, item in ipairs(items) do
      local said = type(item) == "table" and item or { item = item }
      rows[#rows + 1] = {
        day, one.place, opens, at, said.item or said.name or "", said.type or "", mark(said.ok),
        name(one.done_by),
      }
    end
  end
  return sheet(T("Ready before it opens", "Listo antes de abrir"), {
    T("Date", "Fecha"), T("Place", "Lugar"), T("Opens", "Abre"), T("Checked", "Revisado"),
    T("Item", "Cosa"), T("Type", "Tipo"), T("Ready", "Listo"), T("By", "Por"),
  }, rows)
end

reports["supply_list"] = function(parameters, needs, context)
  local T, rows = texts(context), array()
  for _, one in ipairs(ordered(needs.supplies, function(it) return it.name end)) do
    rows[#rows + 1] = {
      one.name, one.place or "", one.on_hand, one.minimum, one.unit or "",
      math.max(0, one.minimum - one.on_hand), moment(one.counted_at, one, context),
    }
  end
  return sheet(T("Supplies", "Material"), {
    T("Item", "Cosa"), T("Place", "Lugar"), T("On hand", "Hay"), T("At least", "Al menos"),
    T("Unit", "Unidad"), T("To order", "Por pedir"), T("Counted", "Contado"),
  }, rows)
end

reports["decision_log"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, one in ipairs(dated(needs.decisions, "at", parameters, context)) do
    local waits = one.beyond_scope == true and one.reviewed_by == nil
    rows[#rows + 1] = {
      moment(one.at, one, context), one.what, one.why, words_of(one.options), name(one.by),
      one.authority or "", waits and T("to be reviewed", "por revisar") or name(one.reviewed_by),
    }
  end
  return sheet(T("Decisions", "Decisiones"), {
    T("When", "Cuándo"), T("Decision", "Decisión"), T("Why", "Por qué"), T("Options", "Opciones"),
    T("By", "Por"), T("Authority", "Autoridad"), T("Reviewed by", "Revisada por"),
  }, rows)
end

reports["assigned_by"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, one in ipairs(sorted_duties(dated(needs.duties, "due", parameters, context), nil)) do
    local duty = one.duty
    if duty.assigned_by and (parameters.person == nil or duty.assigned_by == parameters.person) then
      rows[#rows + 1] = {
        name(duty.assigned_by), name(duty.assignee), duty.title, moment(duty.due, duty, context),
        duty.priority, duty.state, moment(duty.done_at, duty, context),
      }
    end
  end
  return sheet(T("Assigned duties", "Tareas encargadas"), {
    T("Assigned by", "Encarga"), T("To", "A"), T("Duty", "Tarea"), T("Due", "Plazo"),
    T("Priority", "Prioridad"), T("State", "Estado"), T("Done", "Hecha"),
  }, rows)
end

reports["oversight"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, duty in ipairs(dated(needs.duties, "due", parameters, context)) do
    if duty.state == "done" then
      rows[#rows + 1] = {
        moment(duty.done_at, duty, context), duty.title, name(duty.assignee),
        duty.checked_by and name(duty.checked_by) or T("not checked", "sin revisar"),
        moment(duty.checked_at, duty, context), duty.result or "",
      }
    end
  end
  return sheet(T("Work that was looked over", "Trabajo revisado"), {
    T("Done", "Hecha"), T("Duty", "Tarea"), T("Done by", "Hecha por"),
    T("Checked by", "Revisada por"), T("Checked", "Revisada"), T("Result", "Resultado"),
  }, rows)
end

reports["instructions"] = function(parameters, needs, context)
  local T, name = texts(context), people_names(needs.people)
  local waiting, deviations, acks_of = array(), array(), {}
  for _, ack in each(needs.acks) do
    if kept(ack) then
      acks_of[ack.instruction] = acks_of[ack.instruction] or {}
      table.insert(acks_of[ack.instruction], ack)
    end
  end
  for _, one in ipairs(dated(needs.instructions, "at", parameters, context)) do
    local acks = acks_of[one._id] or {}
    local read_back, open = false, 0
    for _, ack in ipairs(acks) do read_back = read_back or not blank(ack.read_back) end
    for number, step in ipairs(one.steps) do
      local result = step_result(step, number, acks)
      if result == nil then open = open + 1 end
      if result and result.result ~= "done" then
        deviations[#deviations + 1] = {
          moment(one.at, one, context), one.text, number .. ". " .. words_of({ step }),
          result.result, result.reason or T("no reason", "sin motivo"),
        }
      end
    end
    if not read_back or open > 0 then
      waiting[#waiting + 1] = {
        moment(one.at, one, context), one.text, name(one.from), names_of(one.to, name),
        read_back and T("yes", "sí") or T("no", "no"), open,
      }
    end
  end
  local blocks = sheet(T("Instructions still open", "Instrucciones abiertas"), {
    T("When", "Cuándo"), T("Instruction", "Instrucción"), T("From", "De"), T("To", "A"),
    T("Read back", "Repetida"), T("Steps open", "Pasos abiertos"),
  }, waiting)
  return add_table(blocks, T("Deviations", "Desviaciones"), {
    T("When", "Cuándo"), T("Instruction", "Instrucción"), T("Step", "Paso"),
    T("Result", "Resultado"), T("Reason", "Motivo"),
  }, deviations)
end

reports["duties_by_goal"] = function(parameters, needs, context)
  local T, name = texts(context), people_names(needs.people)
  local blocks = { { type = "heading", level = 1, text = T("Duties by goal", "Tareas por meta") } }
  local due = dated(needs.duties, "due", parameters, context)
  local function duties_of(goal)
    local rows = array()
    for _, one in ipairs(sorted_duties(due, needs.goals)) do
      if one.duty.goal == goal then
        rows[#rows + 1] = { one.duty.title, name(one.duty.assignee),
          moment(one.duty.due, one.duty, context), one.duty.priority, one.duty.state }
      end
    end
    return rows
  end
  local labels = { T("Duty", "Tarea"), T("Assigned to", "Encargada a"), T("Due", "Plazo"),
    T("Priority", "Prioridad"), T("State", "Estado") }
  local goals = ordered(needs.goals, function(it)
    return string.format("%09d", it.rank or 999999999)
  end)
  for _, goal in ipairs(goals) do
    add_table(blocks, (goal.rank and goal.rank .. ". " or "") .. goal.text, labels,
      duties_of(goal._id))
  end
  return add_table(blocks, T("Without a goal", "Sin meta"), labels, duties_of(nil))
end

reports["workload"] = function(parameters, needs, context)
  local T, name, days, keys = texts(context), people_names(needs.people), {}, {}
  local function of(person, day)
    local key = day .. "\1" .. person
    if days[key] == nil then
      days[key] = { day = day, person = person, planned = 0, duties = 0, shift = 0 }
      keys[#keys + 1] = key
    end
    return days[key]
  end
  for _, duty in ipairs(dated(needs.duties, "due", parameters, context)) do
    if duty.assignee and of_person(parameters, duty.assignee)
      and duty.state ~= "cancelled" and duty.state ~= "deferred" then
      local one = of(duty.assignee, day_of(duty.due, duty, context))
      one.planned, one.duties = one.planned + (duty.estimate_min or 0), one.duties + 1
    end
  end
  for _, shift in ipairs(dated(needs.shifts, "from", parameters, context)) do
    if of_person(parameters, shift.person) then
      local one = of(shift.person, day_of(shift.from, shift, context))
      one.shift = one.shift + instant.minutes(shift.from, shift.to)
    end
  end
  table.sort(keys)
  local rows = array()
  for _, key in ipairs(keys) do
    local one = days[key]
    local over = one.planned - one.shift
    rows[#rows + 1] = {
      one.day, name(one.person), one.duties, one.planned, one.shift,
      one.shift > 0 and over > 0 and over or "",
    }
  end
  return sheet(T("Workload", "Carga de trabajo"), {
    T("Date", "Fecha"), T("Person", "Persona"), T("Duties", "Tareas"),
    T("Minutes planned", "Minutos previstos"), T("Minutes on shift", "Minutos de turno"),
    T("Too many", "Sobran"),
  }, rows)
end

reports["deferred_duties"] = function(parameters, needs, context)
  local T, rows, duties = texts(context), array(), {}
  for _, duty in each(needs.duties) do duties[duty._id] = duty end
  local function title(id) return duties[id] and duties[id].title or id or "" end
  for _, one in ipairs(dated(needs.deferrals, "at", parameters, context)) do
    local hard = duties[one.duty] and duties[one.duty].hard_deadline
    rows[#rows + 1] = {
      moment(one.at, one, context), title(one.duty), one.reason, title(one.because_of),
      moment(one.new_due, one, context), moment(hard, one, context),
    }
  end
  return sheet(T("Duties set aside", "Tareas aplazadas"), {
    T("When", "Cuándo"), T("Duty", "Tarea"), T("Reason", "Motivo"), T("Because of", "A causa de"),
    T("New due", "Plazo nuevo"), T("Hard deadline", "Plazo final"),
  }, rows)
end

reports["changes"] = function(parameters, needs, context)
  local T, name = texts(context), people_names(needs.people)
  local rows, days, series = array(), array(), {}
  for _, one in each(needs.series) do series[one._id] = one.title or one.category end
  for _, one in ipairs(dated(needs.changed, "from", parameters, context)) do
    rows[#rows + 1] = {
      name(one.professional), moment(one.from, one, context), moment(one.to, one, context),
      moment(one.new_from, one, context), moment(one.new_to, one, context), one.cause,
      #(one.seen_by or {}),
    }
  end
  for _, one in ipairs(dated(needs.exceptions, "occurrence_date", parameters, context)) do
    days[#days + 1] = {
      one.occurrence_date, series[one.series] or one.series, one.change,
      moment(one.new_at, one, context), name(one.new_assignee), one.reason,
    }
  end
  local blocks = sheet(T("Changes", "Cambios"), {
    T("Professional", "Profesional"), T("From", "Desde"), T("To", "Hasta"),
    T("Now from", "Ahora desde"), T("Now to", "Ahora hasta"), T("Cause", "Causa"),
    T("Seen by", "Visto por"),
  }, rows)
  return add_table(blocks, T("Days that differ", "Días distintos"), {
    T("Date", "Fecha"), T("Duty", "Tarea"), T("Change", "Cambio"), T("Now at", "Ahora a las"),
    T("Now by", "Ahora de"), T("Reason", "Motivo"),
  }, days)
end

-- Minutes after the start of the shift, by person; the shifts without a check-in are named.
local function check_ins(parameters, needs, context)
  local by_person, order, shifts = {}, {}, {}
  for _, shift in each(needs.shifts) do shifts[shift._id] = shift end
  local function of(person)
    if by_person[person] == nil then
      by_person[person] = { on_time = 0, late = 0, most = 0, list = {} }
      order[#order + 1] = person
    end
    return by_person[person]
  end
  for _, one in ipairs(dated(needs.check_ins, "at", parameters, context)) do
    local shift = shifts[one.shift]
    if kept(shift) and of_person(parameters, one.person) then
      local person, minutes = of(one.person), instant.minutes(shift.from, one.at)
      local late = minutes > config.late_minutes
      if late then person.late = person.late + 1 else person.on_time = person.on_time + 1 end
      person.most = math.max(person.most, minutes)
      person.list[#person.list + 1] = { at = one.at, shift = shift, minutes = minutes, one = one }
    end
  end
  table.sort(order)
  return by_person, order
end

reports["punctuality"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  local by_person, order = check_ins(parameters, needs, context)
  for _, id in ipairs(order) do
    for _, seen in ipairs(by_person[id].list) do
      rows[#rows + 1] = {
        day_of(seen.at, seen.one, context), name(id),
        instant.time(seen.shift.from, zone_of(seen.one, context)),
        instant.time(seen.at, zone_of(seen.one, context)),
        seen.minutes > config.late_minutes and seen.minutes or "",
      }
    end
  end
  return sheet(T("Punctuality", "Puntualidad"), {
    T("Date", "Fecha"), T("Person", "Persona"), T("Shift from", "Turno desde"),
    T("Checked in", "Llegada"), T("Minutes late", "Minutos tarde"),
  }, rows)
end

-- About one person, for that person: what was done on time, and what was said in praise.
reports["reliability"] = function(parameters, needs, context)
  local T, name = texts(context), people_names(needs.people)
  local by_person = check_ins(parameters, needs, context)
  local seen = by_person[parameters.person] or { on_time = 0, late = 0, most = 0 }
  local done, in_time = 0, 0
  for _, duty in ipairs(dated(needs.duties, "due", parameters, context)) do
    if duty.state == "done" then
      done = done + 1
      if duty.done_at == nil or not after(duty.done_at, duty.due, duty, context) then
        in_time = in_time + 1
      end
    end
  end
  local praise = 0
  for _, one in each(needs.feedback) do
    if kept(one) and one.kind == "praise" then praise = praise + 1 end
  end
  return sheet(T("Reliability of ", "Fiabilidad de ") .. name(parameters.person), {
    T("What", "Qué"), T("Number", "Número"), T("Percent", "Porcentaje"),
  }, {
    { T("Shifts begun on time", "Turnos a tiempo"), seen.on_time,
      percent(seen.on_time, seen.on_time + seen.late) },
    { T("Shifts begun late", "Turnos tarde"), seen.late,
      percent(seen.late, seen.on_time + seen.late) },
    { T("Duties done", "Tareas hechas"), done, "" },
    { T("Of these in time", "De ellas en plazo"), in_time, percent(in_time, done) },
    { T("Words of praise", "Elogios"), praise, "" },
  })
end

reports["experience_summary"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, one in ipairs(ordered(needs.periods, function(it)
    return name(it.person) .. "\1" .. it.from
  end)) do
    if of_person(parameters, one.person) then
      local years = experience({ one }, nil, parameters.to)
      rows[#rows + 1] = {
        name(one.person), one.kind, one.place or "", one.from, one.to or "", one.hours or "", years,
      }
    end
  end
  return sheet(T("Experience", "Experiencia"), {
    T("Person", "Persona"), T("Kind", "Clase"), T("Place", "Lugar"), T("From", "Desde"),
    T("To", "Hasta"), T("Hours", "Horas"), T("Years full time", "Años a tiempo completo"),
  }, rows)
end

reports["placement_log"] = function(parameters, needs, context)
  local T, name = texts(context), people_names(needs.people)
  local rows, total = array(), "0"
  for _, one in ipairs(dated(needs.periods, "from", parameters, context)) do
    if one.kind == "placement" and of_person(parameters, one.person) then
      local confirmed = signed(one.confirmed)
      if confirmed then total = decimal.add(total, exact(one.hours) or "0") end
      rows[#rows + 1] = {
        name(one.person), one.place or "", one.from, one.to or "", one.hours or "",
        name(one.supervisor), confirmed and T("yes", "sí") or T("no", "no"),
      }
    end
  end
  local blocks = sheet(T("Placements", "Prácticas"), {
    T("Person", "Persona"), T("Place", "Lugar"), T("From", "Desde"), T("To", "Hasta"),
    T("Hours", "Horas"), T("Supervisor", "Supervisor"), T("Confirmed", "Confirmado"),
  }, rows)
  blocks[#blocks + 1] = { type = "text", style = "strong",
    text = T("Hours confirmed: ", "Horas confirmadas: ") .. total }
  return blocks
end

-- What a set asks for, in the words that its fields have.
local function asked_by(set, T)
  local asked = {}
  local function ask(value, words) if value then asked[#asked + 1] = value .. " " .. words end end
  ask(set.min_hours, T("h study", "h de estudio"))
  ask(set.min_training_hours, T("h training", "h de formación"))
  ask(set.min_experience_years, T("years of experience", "años de experiencia"))
  ask(set.min_experience_hours, T("h experience", "h de experiencia"))
  for _, field in ipairs({ "education_levels", "assessments", "exams", "credentials" }) do
    for _, word in ipairs(values_of(set[field])) do asked[#asked + 1] = word end
  end
  return table.concat(asked, set.any_of and T(" or ", " o ") or ", ")
end

reports["requirement_differences"] = function(parameters, needs, context)
  local T, rows = texts(context), array()
  for _, set in ipairs(ordered(needs.sets, function(it)
    return (it.type or it.role or "") .. "\1" .. (it.jurisdiction or "") .. "\1"
      .. it.effective_from
  end)) do
    if within(parameters.to, nil, set.effective_to) then
      rows[#rows + 1] = {
        set.type or set.role or "", set.jurisdiction or "", set.name, asked_by(set, T),
        set.valid_months or "", set.effective_from, set.effective_to or "", set.source,
      }
    end
  end
  return sheet(T("Requirements by state", "Requisitos por estado"), {
    T("For", "Para"), T("State", "Estado"), T("Set", "Conjunto"), T("Asks for", "Pide"),
    T("Months valid", "Meses de validez"), T("From", "Desde"), T("To", "Hasta"),
    T("Source", "Fuente"),
  }, rows)
end

reports["unread_protocols"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, protocol in ipairs(ordered(needs.protocols, function(it) return it.name end)) do
    for _, person in ipairs(unread(protocol, needs.acks)) do
      rows[#rows + 1] = { protocol.name, protocol.version, protocol.in_force, name(person) }
    end
  end
  return sheet(T("Protocols not read yet", "Protocolos sin leer"), {
    T("Protocol", "Protocolo"), T("Version", "Versión"), T("In force", "En vigor"),
    T("Not read by", "Sin leer por"),
  }, rows)
end

reports["training_matrix"] = function(parameters, needs, context)
  local T, name, courses, people = texts(context), people_names(needs.people), {}, {}
  for _, one in ipairs(dated(needs.completions, "on", parameters, context)) do
    if one.passed ~= false then
      courses[one.course] = true
      people[one.person] = people[one.person] or {}
      people[one.person][one.course] = one
    end
  end
  local labels, list, rows = { T("Person", "Persona") }, {}, array()
  for course in pairs(courses) do
    list[#list + 1], labels[#labels + 1] = course, course
  end
  for person, done in pairs(people) do
    local row = { name(person) }
    for _, course in ipairs(list) do
      local one = done[course]
      local lapsed = one and one.valid_through and one.valid_through < parameters.to
      row[#row + 1] = one and (one.on .. (lapsed and T(" lapsed", " vencido") or "")) or ""
    end
    rows[#rows + 1] = row
  end
  table.sort(rows, function(a, b) return a[1] < b[1] end)
  return sheet(T("Training by person", "Formación por persona"), labels, rows)
end

reports["credential_progress"] = function(parameters, needs, context)
  local T, name, rows = texts(context), people_names(needs.people), array()
  for _, one in ipairs(ordered(needs.plans, function(it) return name(it.person) end)) do
    if of_person(parameters, one.person) then
      local done, missing = #(one.done or {}), #(one.missing or {})
      rows[#rows + 1] = {
        name(one.person), one.target, one.level or "", words_of(one.done), words_of(one.missing),
        percent(done, done + missing), one.target_date or "",
      }
    end
  end
  return sheet(T("Toward the next level", "Hacia el siguiente nivel"), {
    T("Person", "Persona"), T("Target", "Meta"), T("Level", "Nivel"), T("Done", "Hecho"),
    T("Missing", "Falta"), T("Percent", "Porcentaje"), T("Until", "Hasta"),
  }, rows)
end

-- What needs attention: `dutybook today` and `dutybook due` put the rows of all plugins together.

local function attention(rows)
  local columns = array()
  for _, id in ipairs({ "level", "when", "what", "place", "who", "record" }) do
    columns[#columns + 1] = { id = id, label = id }
  end
  return { { type = "table", columns = columns, rows = rows } }
end

local function same_person(a, b)
  return a ~= nil and b ~= nil and string.match(a, "[^/]*$") == string.match(b, "[^/]*$")
end

-- Nobody's duty is everybody's: who asks for one person is shown what has no assignee, too.
local function for_reader(who, parameters)
  if parameters.person == nil or who == nil then return true end
  for _, one in ipairs(values_of(who)) do
    if same_person(one, parameters.person) then return true end
  end
  return false
end

local function unfinished(needs)
  local all = array()
  for _, list in ipairs({ needs.open, needs.started, needs.deferred }) do
    for _, duty in each(list) do
      if kept(duty) then all[#all + 1] = duty end
    end
  end
  return all
end

-- The time of a moment on `day`, its date on another day.
local function time_on(at, day, record, context)
  if at == nil then return "" end
  local own = day_of(at, record, context)
  if own ~= day then return own end
  return #at == 10 and "" or instant.time(at, zone_of(record, context))
end

local function passed(at, record, context)
  if #at == 10 then return at < date.of(context.now, context.zone) end
  return instant.compare(at, context.now) < 0
end

local function duty_level(duty, due, day, context)
  if duty.priority == "urgent" then return "urgent" end
  if due and passed(due, duty, context) then return "overdue" end
  if due == nil then return "open" end
  return day_of(due, duty, context) <= day and "today" or nil
end

local function new_dues(deferrals)
  local latest = {}
  for _, one in each(deferrals) do
    local before = latest[one.duty]
    if kept(one) and (before == nil or before.at < one.at) then latest[one.duty] = one end
  end
  return latest
end

reports["today"] = function(parameters, needs, context)
  local T, rows, day = texts(context), array(), parameters.date
  local name, deferred = people_names(needs.people), new_dues(needs.deferrals)
  local function add(level, when, what, place, who, record)
    rows[#rows + 1] = { level, when, what, place or "", who or "", record }
  end
  for _, duty in ipairs(unfinished(needs)) do
    local due = deferred[duty._id] and deferred[duty._id].new_due or duty.due
    local level = duty_level(duty, due, day, context)
    if level and for_reader(duty.assignee, parameters) then
      local what = duty.title .. (duty.priority ~= "normal" and " (" .. duty.priority .. ")" or "")
      add(level, time_on(due, day, duty, context), what, duty.place, name(duty.assignee), duty._id)
    end
  end
  for _, shift in each(needs.shifts) do
    if kept(shift) and day_of(shift.from, shift, context) == day
      and for_reader(shift.person, parameters) then
      local now = instant.compare(shift.from, context.now) <= 0
        and instant.compare(context.now, shift.to) < 0
      add(now and "now" or "today", time_on(shift.from, day, shift, context),
        T("Shift until ", "Turno hasta ") .. instant.time(shift.to, zone_of(shift, context)),
        shift.place or shift.site, name(shift.person), shift._id)
    end
  end
  for _, meeting in each(needs.meetings) do
    if kept(meeting) and meeting.when and day_of(meeting.when, meeting, context) == day
      and for_reader(meeting.who, parameters) then
      add("today", time_on(meeting.when, day, meeting, context),
        meeting.title or T("Meeting", "Reunión"), meeting.where, "", meeting._id)
    end
  end
  for _, need in each(needs.noted) do
    if kept(need) and need.at and need.met_at == nil and for_reader(need.noted_by, parameters) then
      add("open", time_on(need.at, day, need, context),
        T("Need: ", "Necesidad: ") .. (need.in_own_words or need.text or ""), "",
        name(need.about), need._id)
    end
  end
  return attention(rows)
end

reports["due"] = function(parameters, needs, context)
  local T, rows, name = texts(context), array(), people_names(needs.people)
  local last = date.add(parameters.date, parameters.days or 30)
  local function add(at, what, who, person, record, over)
    if at == nil or not for_reader(person, parameters) then return end
    local day = day_of(at, record, context)
    if day > last then return end
    local level = "soon"
    if day < parameters.date or (#at > 10 and passed(at, record, context)) then
      level = over or "overdue"
    elseif day == parameters.date then
      level = "today"
    end
    rows[#rows + 1] = { level, day, what, "", who, record._id }
  end
  for _, one in each(needs.credentials) do
    if kept(one) then
      add(one.valid_through, T("Credential: ", "Credencial: ") .. one.type, name(one.person),
        one.person, one, "expired")
    end
  end
  for _, one in each(needs.trainings) do
    if kept(one) then
      add(one.valid_through, T("Training: ", "Formación: ") .. one.course, name(one.person),
        one.person, one, "expired")
    end
  end
  local deferred = new_dues(needs.deferrals)
  for _, duty in ipairs(unfinished(needs)) do
    local again = deferred[duty._id]
    add(again and again.new_due or duty.hard_deadline or duty.due,
      duty.title .. (again and T(" (set aside)", " (pospuesta)") or ""), name(duty.assignee),
      duty.assignee, duty)
  end
  for _, item in each(needs.papers) do
    if kept(item) and item.state ~= "complete" and item.state ~= "done"
      and item.state ~= "cancelled" then
      add(item.due, T("Paper: ", "Documento: ") .. item.template, name(item.owner), item.owner,
        item)
    end
  end
  for _, one in each(needs.deliveries) do
    if kept(one) and one.due and not signed(one.receipt) then
      add(one.due, T("No receipt from ", "Sin recibo de ") .. name(one.to), name(one.by), one.by,
        one, "unanswered")
    end
  end
  for _, one in each(needs.requests) do
    if kept(one) and one.closed_at == nil then
      add(one.due or one.at, T("Access request", "Solicitud de acceso"), name(one.requested_by),
        nil, one, "unanswered")
    end
  end
  return attention(rows)
end
