-- Time, expenses, invoices: LEG-R09, R15.

local common = require "common"
local add, capped, contains, number_text, united =
  common.add, common.capped, common.contains, common.number_text, common.united

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

return {
  trimmed = trimmed, unit_cost_of = unit_cost_of, line_total = line_total,
  invoice_sum = invoice_sum, bill_lines = bill_lines, unknown_codes = unknown_codes,
}
