-- The LEDES 1998B invoice.

local common = require "common"
local add, live, united = common.add, common.live, common.united
local billing = require "billing"
local bill_lines, invoice_sum, unit_cost_of, unknown_codes =
  billing.bill_lines, billing.invoice_sum, billing.unit_cost_of, billing.unknown_codes
local walls = require "walls"
local may_see = walls.may_see
local report_words = require "report_words"
local words_of = report_words.words_of
local report_parts = require "report_parts"
local heading, person_names, reader_of, tell_hidden =
  report_parts.heading, report_parts.person_names, report_parts.reader_of,
  report_parts.tell_hidden

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
