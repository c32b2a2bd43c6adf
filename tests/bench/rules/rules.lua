-- Two rules of 15 lines: one that looks at its record alone, one that looks at others.

rules["BENCH-R01"] = function(duty)
  local words, points = 0, 0
  for _ in string.gmatch(duty.title, "%S+") do
    words = words + 1
  end
  if duty.priority == "urgent" and not duty.assignee then
    points = points + 2
  end
  if duty.state == "done" and not duty.done_at then
    points = points + 1
  end
  if words < 2 or points > 2 then
    return { code = "vague", path = "/title", values = { words = words, points = points } }
  end
end

rules["BENCH-R02"] = function(duty, needs)
  local open, urgent = 0, 0
  for _, other in ipairs(needs.others) do
    if other._id ~= duty._id and other._status ~= "retracted" then
      if other.state == "open" then
        open = open + 1
      end
      if other.priority == "urgent" then
        urgent = urgent + 1
      end
    end
  end
  if open + urgent > 20 then
    return { code = "crowded", path = "/assignee", values = { open = open } }
  end
end
