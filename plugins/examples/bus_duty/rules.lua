-- Bus duty: what the guide in plugins/README.md builds.

rules["BUS-R01"] = function(run)
  if run.on ~= run.off then
    return {
      code = "mismatch",
      path = "/off",
      values = { on = run.on, off = run.off, missing = run.on - run.off },
    }
  end
end

rules["BUS-R02"] = function(run, needs)
  local found = array()
  for _, other in ipairs(needs.others) do
    if other._id ~= run._id and other._status ~= "retracted" then
      local minutes = instant.overlap(run.left, run.arrived, other.left, other.arrived)
      if minutes > 0 then
        found[#found + 1] = {
          code = "overlap",
          path = "/aide",
          records = { other._id },
          values = { bus = other.bus, minutes = minutes },
        }
      end
    end
  end
  return found
end

rules["BUS-R03"] = function(run)
  if run.on > config.most_children then
    return { code = "crowded", path = "/on", values = { on = run.on, most = config.most_children } }
  end
end

reports["runs"] = function(parameters, needs, context)
  local rows = array()
  for _, run in ipairs(needs.runs) do
    rows[#rows + 1] = {
      run.bus,
      instant.time(run.left, context.zone),
      instant.time(run.arrived, context.zone),
      run.on,
      run.off,
    }
  end
  return {
    {
      type = "table",
      columns = {
        { label = "Bus" },
        { label = "Left" },
        { label = "Arrived" },
        { label = "On", align = "right" },
        { label = "Off", align = "right" },
      },
      rows = rows,
    },
    { type = "signature", label = "Office" },
  }
end
