-- Reports about deadlines and matters.

local common = require "common"
local add, blank, day_of, live, signed, united =
  common.add, common.blank, common.day_of, common.live, common.signed, common.united
local deadlines = require "deadlines"
local due_of = deadlines.due_of
local conflicts = require "conflicts"
local joined_by, matter_hits, meaning, names_of_matter, party_keys =
  conflicts.joined_by, conflicts.matter_hits, conflicts.meaning, conflicts.names_of_matter,
  conflicts.party_keys
local walls = require "walls"
local may_see = walls.may_see
local report_words = require "report_words"
local words_of = report_words.words_of
local report_parts = require "report_parts"
local advice_note, behind_walls, heading, list_text, matters_by_id, person_names, reader_of,
  table_of, tell_hidden =
  report_parts.advice_note, report_parts.behind_walls, report_parts.heading,
  report_parts.list_text, report_parts.matters_by_id, report_parts.person_names,
  report_parts.reader_of, report_parts.table_of, report_parts.tell_hidden

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
