-- Sheets for the day: tests, trips, counts, posts, lunch.

local common = require "common"
local active, bare, before, by_time, contains, day_of, later, live, minutes_between, same =
  common.active, common.bare, common.before, common.by_time, common.contains, common.day_of,
  common.later, common.live, common.minutes_between, common.same
local supervision = require "supervision"
local ratio_of = supervision.ratio_of
local testing = require "testing"
local extended = testing.extended
local report_words = require "report_words"
local words = report_words.words
local report_parts = require "report_parts"
local clock_time, grid, named, namer, ranged, say, title =
  report_parts.clock_time, report_parts.grid, report_parts.named, report_parts.namer,
  report_parts.ranged, report_parts.say, report_parts.title

reports["test_sheet"] = function(parameters, needs, context)
  local t = words(context.language)
  local session = needs.session
  if not session then return { say(t("Not shown"), "note") } end
  local name_of = namer(needs.students, needs.staff)
  local rows = array()
  local function yes(value) return t(value and "yes" or "no") end
  for _, id in ipairs(session.students) do
    local any = false
    for _, use in ipairs(live(needs.uses)) do
      if same(use.student, id) then
        any = true
        rows[#rows + 1] = { name_of(id), t(use.accommodation), yes(use.planned), yes(use.given),
                            use.minutes_allowed or extended(use, needs) or "",
                            use.minutes_used or "",
                            use.not_given_reason or "" }
      end
    end
    for _, plan in ipairs(live(needs.plans)) do
      local entered = not active(plan.from, plan.to, session.date)
      for _, use in ipairs(live(needs.uses)) do
        if same(use.student, id) and use.accommodation == plan.accommodation then entered = true end
      end
      if same(plan.student, id) and not entered then
        any = true
        rows[#rows + 1] = { name_of(id), t(plan.accommodation), yes(true), "", "", "",
                            t("no entry") }
      end
    end
    if not any then rows[#rows + 1] = { name_of(id), "", "", "", session.base_minutes or "" } end
  end
  return {
    title(t("Test") .. ": " .. session.test),
    say(session.date .. " " .. clock_time(session.from, context) .. "-" ..
        clock_time(session.to, context) .. ", " .. t("Room") .. " " .. (session.room or "")),
    say(t("Test giver") .. ": " .. name_of(session.administrator)),
    grid(t, { "Student", "Accommodation", "Planned", "Given", ">Minutes allowed",
              ">Minutes used", "Note" }, rows),
    say(t("Irregularities") .. ": " .. (session.irregularity or t("none"))),
    { type = "signature", label = t("Test giver") },
  }
end

-- People are entered with a contact, student systems bring a telephone number of its own.
local function phone_of(person)
  local contact = person.contact
  if type(contact) == "table" then contact = contact.phone end
  return contact or person.phone or person.sms or ""
end

reports["trip_sheet"] = function(parameters, needs, context)
  local t = words(context.language)
  local trip = needs.trip
  if not trip then return { say(t("Not shown"), "note") } end
  local name_of = namer(needs.students, needs.staff, needs.guardians)
  local phones, allergies, due = {}, {}, array()
  for _, pupil in ipairs(live(needs.pupils)) do
    local list = {}
    for _, guardian in ipairs(live(needs.guardians)) do
      if contains(pupil.guardians, guardian._id) then
        list[#list + 1] = name_of(guardian._id) .. " " .. phone_of(guardian)
      end
    end
    phones[bare(pupil.person)] = table.concat(list, ", ")
  end
  local function add(person, allergy)
    local list = allergies[bare(person)] or {}
    list[#list + 1] = allergy.substance or allergy.class
    allergies[bare(person)] = list
  end
  for _, profile in ipairs(live(needs.profiles)) do
    for _, allergy in ipairs(profile.allergies or {}) do add(profile.person, allergy) end
  end
  for _, allergy in ipairs(live(needs.allergies)) do add(allergy.person, allergy) end
  for _, list in pairs(allergies) do table.sort(list) end
  for _, one in ipairs(trip.medications or {}) do
    due[#due + 1] = { name_of(one.student), one.drug, one.time or "", name_of(one.carried_by) }
  end
  for _, order in ipairs(live(needs.orders)) do
    if active(order.start, order["end"], trip.date) then
      local times = table.concat(order.times or {}, ", ")
      due[#due + 1] = { name_of(order.person), order.drug, times ~= "" and times or order.kind, "" }
    end
  end
  local rows, counts = array(), array()
  local roster = {}
  for i, id in ipairs(trip.roster) do roster[i] = id end
  table.sort(roster, function(a, b) return name_of(a) .. a < name_of(b) .. b end)
  for _, id in ipairs(roster) do
    rows[#rows + 1] = { name_of(id), t(contains(trip.consents, id) and "yes" or "no"),
                        phones[bare(id)] or "",
                        table.concat(allergies[bare(id)] or {}, ", ") }
  end
  for _, count in ipairs(by_time(live(needs.counts), "at")) do
    counts[#counts + 1] = { clock_time(count.at, context), count.checkpoint or "", count.expected,
                            count.counted, name_of(count.by) }
  end
  return {
    title(t("Destination") .. ": " .. trip.destination),
    say(trip.date .. ", " .. t("Leaves") .. " " .. clock_time(trip.leave, context) .. ", " ..
        t("Returns") .. " " .. clock_time(trip["return"], context)),
    say(t("Staff") .. ": " .. named(trip.staff, name_of)),
    grid(t, { "Student", "Consent", "Phones of guardians", "Allergies" }, rows),
    title(t("Medicines"), 2),
    grid(t, { "Student", "Medicine", "Time", "Carried by" }, due),
    title(t("Head counts"), 2),
    grid(t, { "Time", "Checkpoint", ">Expected", ">Counted", "By" }, counts),
    { type = "signature", label = t("Trip leader") },
  }
end

reports["head_counts"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local rows = array()
  for _, count in ipairs(by_time(ranged(needs.counts, "at", parameters, context), "at")) do
    rows[#rows + 1] = { day_of(count.at, context), clock_time(count.at, context),
                        bare(count.trip_or_post), count.checkpoint or "", count.expected,
                        count.counted, name_of(count.by) }
  end
  return { title(t("Head counts")),
           grid(t, { "Date", "Time", "Place", "Checkpoint", ">Expected", ">Counted", "By" }, rows) }
end

reports["interpreting_log"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local rows, total = array(), 0
  for _, event in ipairs(by_time(ranged(needs.events, "from", parameters, context), "from")) do
    local minutes = minutes_between(event.from, event.to)
    total = total + minutes
    rows[#rows + 1] = { day_of(event.from, context), t(event.setting),
                        event.from_lang .. " > " .. event.to_lang, minutes, name_of(event["for"]),
                        name_of(event.interpreter), t(event.qualified and "yes" or "no") }
  end
  return {
    title(t("Interpreter")),
    grid(t, { "Date", "Setting", "Languages", ">Minutes", "For whom", "Interpreter", "Qualified" },
         rows),
    say(t("Minutes in all") .. ": " .. total),
  }
end

-- Posts of the range, and the times between two posts of one place and day that nobody covers.
reports["duty_roster"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local rows, gaps, reached = array(), array(), {}
  for _, post in ipairs(by_time(ranged(needs.posts, "from", parameters, context), "from")) do
    local here = not parameters.school or not post.school or post.school == parameters.school
    if here then
      local day, adults, most = day_of(post.from, context), #(post.staff or {}), ratio_of(post)
      local expected = post.students_expected
      local each = expected and adults > 0
        and decimal.div(tostring(expected), tostring(adults), 1) or ""
      local note = adults == 0 and "nobody"
        or (expected and most and expected > most * adults and "over") or ""
      rows[#rows + 1] = { day, t(post.place), clock_time(post.from, context),
                          clock_time(post.to, context), named(post.staff, name_of),
                          expected or "", each, most or "", t(note) }
      local key = (post.school or "") .. "\1" .. post.place .. "\1" .. (post.where or "") .. day
      if adults == 0 then
        gaps[#gaps + 1] = { day, t(post.place), clock_time(post.from, context),
                            clock_time(post.to, context), minutes_between(post.from, post.to) }
      else
        local last = reached[key]
        if last and before(last, post.from) then
          gaps[#gaps + 1] = { day, t(post.place), clock_time(last, context),
                              clock_time(post.from, context), minutes_between(last, post.from) }
        end
        reached[key] = last and later(last, post.to) or post.to
      end
    end
  end
  return {
    title(t("Staff")),
    grid(t, { "Date", "Place", "From", "To", "Staff", ">Students expected", ">Students per adult",
              ">Most", "Note" }, rows),
    title(t("Gaps without cover"), 2),
    grid(t, { "Date", "Place", "From", "To", ">Minutes" }, gaps),
  }
end

-- What who watches at lunch must know, and no more of the health records than that (45 CFR
-- 164.502(b)): the substance and what to do.
reports["lunch_sheet"] = function(parameters, needs, context)
  local t, name_of = words(context.language), namer(needs.people)
  local posts, rows, here = array(), array(), {}
  for _, post in ipairs(by_time(ranged(needs.posts, "from", parameters, context), "from")) do
    if not parameters.school or not post.school or post.school == parameters.school then
      posts[#posts + 1] = { day_of(post.from, context), clock_time(post.from, context),
                            clock_time(post.to, context), named(post.staff, name_of) }
    end
  end
  for _, pupil in ipairs(live(needs.pupils)) do
    if not parameters.school or pupil.school == parameters.school then
      here[bare(pupil.person)] = true
    end
  end
  local function add(person, allergy)
    if here[bare(person)] then
      rows[#rows + 1] = { name_of(person), allergy.substance or allergy.class or "",
                          allergy.action or t("ask the nurse") }
    end
  end
  for _, profile in ipairs(live(needs.profiles)) do
    for _, allergy in ipairs(profile.allergies or {}) do add(profile.person, allergy) end
  end
  for _, allergy in ipairs(live(needs.allergies)) do add(allergy.person, allergy) end
  table.sort(rows, function(a, b)
    return table.concat(a, "\1") < table.concat(b, "\1")
  end)
  return {
    title(t("Lunch")),
    grid(t, { "Date", "From", "To", "Staff" }, posts),
    title(t("Allergies"), 2),
    grid(t, { "Student", "Allergies", "Action" }, rows),
  }
end
