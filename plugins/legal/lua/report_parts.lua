-- What the reports share.

local common = require "common"
local add = common.add
local walls = require "walls"
local may_see = walls.may_see

local function heading(word, level)
  return { type = "heading", level = level or 1, text = word }
end

-- `columns` is a list of {id, label, align}; labels are translated here.
local function table_of(w, columns, rows)
  local heads = array()
  for _, column in ipairs(columns) do
    add(heads, { id = column[1], label = w(column[2]), align = column[3] })
  end
  return { type = "table", columns = heads, rows = rows }
end

local function person_names(...)
  local all = {}
  for _, list in ipairs({ ... }) do
    for _, person in ipairs(list) do all[person._id] = person.given .. " " .. person.family end
  end
  return function(id)
    return id and (all[id] or id) or ""
  end
end

local function matters_by_id(list)
  local all = {}
  for _, matter in ipairs(list or {}) do all[matter._id] = matter end
  return all
end

-- Who reads is told by the host, else by a parameter; nobody named sees no matter with a wall.
local function reader_of(parameters, context)
  return context.reader or parameters.reader
end

-- Records whose matter the reader may see, and how many were left out.
local function behind_walls(records, matters, reader)
  local open, hidden = {}, 0
  for _, record in ipairs(records) do
    local matter = matters[record.matter]
    if matter and not may_see(matter, reader) then
      hidden = hidden + 1
    else
      add(open, record)
    end
  end
  return open, hidden
end

local function tell_hidden(blocks, w, hidden)
  if hidden == 0 then return end
  add(blocks, {
    type = "text",
    style = "note",
    text = w("Entries behind a matter's wall that are not shown:") .. " " .. hidden,
  })
end

local function advice_note(blocks, w)
  add(blocks, {
    type = "text",
    style = "note",
    text = w("This is a proposal, not legal advice: an attorney decides."),
  })
end

local function list_text(list)
  return table.concat(list or {}, "; ")
end

return {
  heading = heading, table_of = table_of, person_names = person_names,
  matters_by_id = matters_by_id, reader_of = reader_of, behind_walls = behind_walls,
  tell_hidden = tell_hidden, advice_note = advice_note, list_text = list_text,
}
