-- Time and bills of a period.

local common = require "common"
local add, united = common.add, common.united
local billing = require "billing"
local line_total, trimmed, unit_cost_of =
  billing.line_total, billing.trimmed, billing.unit_cost_of
local report_words = require "report_words"
local words_of = report_words.words_of
local report_parts = require "report_parts"
local behind_walls, heading, matters_by_id, person_names, reader_of, table_of, tell_hidden =
  report_parts.behind_walls, report_parts.heading, report_parts.matters_by_id,
  report_parts.person_names, report_parts.reader_of, report_parts.table_of,
  report_parts.tell_hidden

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
