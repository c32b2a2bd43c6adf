-- Records: CORE-R14 to R17.

local common = require "common"
local blank, clock, day_of, each, kept, minutes_of, zone_of =
  common.blank, common.clock, common.day_of, common.each, common.kept, common.minutes_of,
  common.zone_of
local duties = require "duties"
local covers = duties.covers

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

return { step_result = step_result }
