-- Conflicts of interest: LEG-R07.

local common = require "common"
local add, blank, capped, day_of, signed, united =
  common.add, common.blank, common.capped, common.day_of, common.signed, common.united

-- Case, accents, company endings and Jr. do not tell two names apart; "&" is "and".
local function folded(name)
  return names.fold(names.company(name))
end

-- "Okafor, Grace" is "Grace Okafor" too; "Sons, Inc." is not: both spellings, folded. A firm such as
-- "Smith, Jones" is kept as it stands beside it.
local function spellings(name)
  local keys, key = {}, folded(name)
  if key ~= "" then keys[key] = true end
  local family, given = name:match("^%s*([^,]+),%s*([^,]+)$")
  if given and folded("x " .. given) ~= "x" then
    local turned = folded(given .. " " .. family)
    if turned ~= "" then keys[turned] = true end
  end
  return keys
end

local function sorted_keys(set)
  local keys = array()
  for key in pairs(set) do add(keys, key) end
  return keys
end

local function names_of_matter(matter)
  local all = {}
  if not blank(matter.client) then add(all, { side = "client", name = matter.client }) end
  for _, name in ipairs(matter.adverse or {}) do add(all, { side = "adverse", name = name }) end
  for _, name in ipairs(matter.other_parties or {}) do add(all, { side = "other", name = name }) end
  return all
end

-- Keys to look names up by: each name folded, and as it stands if it may be the id of a party.
local function lookup_keys(list)
  local set = {}
  for _, name in ipairs(list) do
    if not blank(name) then
      for key in pairs(spellings(name)) do set[key] = true end
      if not name:find("%s") then set[name:match("[^/]+$") or name] = true end
    end
  end
  return sorted_keys(set)
end

complete["legal.matter"] = function(record)
  local all = {}
  for _, entry in ipairs(names_of_matter(record)) do add(all, entry.name or "") end
  return { name_keys = lookup_keys(all) }
end

-- Folded once for each party of a call.
local function party_keys(party)
  if party._folded then return party._folded end
  local set = {}
  for _, name in ipairs({ party.name, table.unpack(party.aliases or {}) }) do
    for key in pairs(spellings(name)) do set[key] = true end
  end
  party._folded = set
  return set
end

complete["legal.party"] = function(record)
  local set = {}
  for key in pairs(record.name and party_keys(record) or {}) do set[key] = true end
  if record._id then set[record._id] = true end
  return { name_keys = sorted_keys(set) }
end

complete["legal.conflict_check"] = function(record)
  return { name_keys = lookup_keys(record.names or {}) }
end

-- The folded names that a name stands for: those of a party where it is the id of one.
local function meaning(name, parties)
  local id = name:match("[^/]+$") or name
  for _, party in ipairs(parties) do
    if party._id == id or party._id == name then return party_keys(party), party.name end
  end
  return spellings(name), name
end

-- The keys that join two names, directly or through a party that has both; nil if none does.
local function joined_by(a, b, parties)
  local shared = {}
  local function overlap(x, y)
    for key in pairs(x) do
      if y[key] then return true end
    end
    return false
  end
  if overlap(a, b) then
    for key in pairs(a) do
      if b[key] then shared[key] = true end
    end
  end
  for _, party in ipairs(parties) do
    local keys = party_keys(party)
    if overlap(keys, a) and overlap(keys, b) then
      for key in pairs(keys) do shared[key] = true end
    end
  end
  for _ in pairs(shared) do return shared end
  return nil
end

-- Client against adverse is a conflict; another party's name against either is worth a look.
local function kind_of_hit(a, b)
  if a == b then return nil end
  if a == "other" or b == "other" then return "related" end
  return "conflict"
end

-- An attorney's decision that covers the names, recorded before or after: both matters see it.
local function decision_for(shared, checks, one, other)
  for _, check in ipairs(checks) do
    local about = not check.matter or check.matter == one or check.matter == other
    local made = check.decision == "clear" or check.decision == "waived"
    if about and made and signed(check.decided_by) then
      for _, name in ipairs(check.names) do
        if shared[folded(name)] then return check end
      end
    end
  end
  return nil
end

local function matter_hits(record, needs, parties, checks)
  local found = array()
  local own = names_of_matter(record)
  for _, a in ipairs(own) do a.keys, a.shown = meaning(a.name, parties) end
  for _, other in ipairs(united(needs.same, needs.through_names, needs.through_parties)) do
    local seen = {}
    for _, a in ipairs(other._id ~= record._id and own or {}) do
      local mine, my_name = a.keys, a.shown
      for _, b in ipairs(names_of_matter(other)) do
        local code = kind_of_hit(a.side, b.side)
        local theirs, their_name = meaning(b.name, parties)
        local shared = code and not seen[code] and joined_by(mine, theirs, parties)
        if shared then
          seen[code] = true
          local decision = decision_for(shared, checks, record._id, other._id)
          -- The same words from whichever of the two matters it is seen.
          local first = a.side == "client" or (b.side ~= "client" and a.side == "adverse")
          add(found, {
            code = decision and "decided" or code,
            severity = decision and "info" or (code == "related" and "warn" or nil),
            path = "/" .. (a.side == "other" and "other_parties" or a.side),
            records = { other._id },
            values = {
              name = first and my_name or their_name,
              side = first and a.side or b.side,
              matter = first and record.number or other.number,
              other_name = first and their_name or my_name,
              other_side = first and b.side or a.side,
              other_matter = first and other.number or record.number,
            },
          })
        end
      end
    end
  end
  return found
end

local function unchecked_client(record, checks, parties)
  if not config.require_conflict_check or blank(record.client) then return nil end
  local client = meaning(record.client, parties)
  for _, check in ipairs(checks) do
    for _, name in ipairs(check.decision ~= "pending" and check.names or {}) do
      if client[folded(name)] then return nil end
    end
  end
  return { code = "not_checked", path = "/client", values = { name = record.client } }
end

-- What a recorded check would find today. "clear" says that there was no hit.
local function check_hits(record, needs, parties, zone)
  local found = array()
  local decided = record.decision == "clear" or record.decision == "waived"
  for _, matter in ipairs(united(needs.same, needs.through_names, needs.through_parties)) do
    local hit, own = nil, matter._id == record.matter
    for _, name in ipairs(record.names or {}) do
      local mine = meaning(name, parties)
      for _, entry in ipairs(names_of_matter(matter)) do
        local theirs = meaning(entry.name, parties)
        if entry.side ~= "other" and joined_by(mine, theirs, parties) then
          hit = hit or { name = name, side = entry.side }
          -- The matter that the check was made for, opened with these names afterwards.
          local made = day_of(record.at, zone)
          if entry.side == "client" and made and matter.opened >= made then own = true end
        end
      end
    end
    local listed = record.decision == "waived" and #(record.hits or {}) == 0
    for _, one in ipairs(record.hits or {}) do
      if one.matter == matter._id or one.matter == matter.number then listed = true end
    end
    local told = record.decision == "pending" and "hit" or (decided and not listed and "new_hit")
    if hit and not own and told then
      add(found, {
        code = told,
        severity = "needs_review",
        path = "/names",
        records = { matter._id },
        values = { name = hit.name, side = hit.side, matter = matter.number },
      })
    end
  end
  if decided and not signed(record.decided_by) then
    add(found, { code = "undecided", severity = "needs_review", path = "/decided_by" })
  end
  return found
end

rules["LEG-R07"] = function(record, needs, context)
  local parties = united(needs.named, needs.kin, needs.near)
  if record._kind == "legal.conflict_check" then
    return capped(check_hits(record, needs, parties, context.zone))
  end
  local checks = united(needs.checks, needs.checks_of_kin)
  local found = capped(matter_hits(record, needs, parties, checks))
  if #found < 100 then add(found, unchecked_client(record, checks, parties)) end
  return found
end

return {
  folded = folded, names_of_matter = names_of_matter, party_keys = party_keys,
  meaning = meaning, joined_by = joined_by, matter_hits = matter_hits,
}
