-- The privilege log, continuing education, training given.

local common = require "common"
local add, united = common.add, common.united
local training = require "training"
local cle_status = training.cle_status
local walls = require "walls"
local may_see = walls.may_see
local report_words = require "report_words"
local words_of = report_words.words_of
local report_parts = require "report_parts"
local heading, list_text, person_names, reader_of, table_of, tell_hidden =
  report_parts.heading, report_parts.list_text, report_parts.person_names,
  report_parts.reader_of, report_parts.table_of, report_parts.tell_hidden

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
      entry.basis, w(entry.withheld_or_redacted), list_text(entry.attorneys),
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
