-- Supervision: EDU-R09, R10.

local common = require "common"
local before, by_time, contains, live, minutes_between, others =
  common.before, common.by_time, common.contains, common.live, common.minutes_between,
  common.others

-- Boarded less those who were released with a signature by then.
local function expected_on(trip, at)
  local boarded = trip.boarded and #trip.boarded > 0 and trip.boarded or trip.roster
  local gone = 0
  for _, one in ipairs(trip.released or {}) do
    local signed = one.sig and not before(at, one.at)
    if signed and contains(boarded, one.student) then gone = gone + 1 end
  end
  return #boarded - gone
end

rules["EDU-R09"] = function(count, needs)
  local found = array()
  if count.counted ~= count.expected then
    found[#found + 1] = { code = "mismatch", path = "/counted",
                          values = { counted = count.counted, expected = count.expected,
                                     difference = math.abs(count.expected - count.counted) } }
  end
  local trip = needs.trip
  if not trip or trip._status == "retracted" then return found end
  local expected = expected_on(trip, count.at)
  if expected ~= count.expected then
    found[#found + 1] = { code = "wrong_expected", path = "/expected", records = { trip._id },
                          values = { expected = count.expected, by_roster = expected } }
  end
  local last
  for _, other in ipairs(others(count, needs.others)) do
    if before(other.at, count.at) and (not last or before(last.at, other.at)) then last = other end
  end
  local since = last and last.at or trip.leave
  local gap = minutes_between(since, count.at)
  if gap > config.headcount_minutes then
    found[#found + 1] = { code = "late", severity = "warn", path = "/at",
                          records = { last and last._id or trip._id },
                          values = { minutes = gap, most = config.headcount_minutes } }
  end
  return found
end

-- While the trip is out: a count is due.
rules["EDU-R09.due"] = function(trip, needs, context)
  if before(context.now, trip.leave) then return nil end
  local counts = by_time(live(needs.counts), "at")
  if not before(context.now, trip["return"]) then
    if #counts == 0 then return { code = "never_counted" } end
    return nil
  end
  local last = #counts > 0 and counts[#counts].at or trip.leave
  local gap = minutes_between(last, context.now)
  if gap > config.headcount_minutes then
    return { code = "due", values = { minutes = gap, most = config.headcount_minutes } }
  end
end

local function ratio_of(post)
  return post.ratio_max or config.students_per_adult[post.place]
end

rules["EDU-R10"] = function(post)
  local expected, adults, most = post.students_expected or 0, #(post.staff or {}), ratio_of(post)
  if adults == 0 then
    return { code = "nobody", path = "/staff", values = { students = expected } }
  end
  if most and expected > most * adults then
    return { code = "too_many", path = "/students_expected",
             values = { students = expected, adults = adults, most = most,
                        each = decimal.div(tostring(expected), tostring(adults), 1) } }
  end
end

return { ratio_of = ratio_of }
