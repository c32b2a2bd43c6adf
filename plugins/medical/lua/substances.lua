-- What an order contains, and which doses concern each other because of it.

local common = require "common"
local before, by_id, each, given = common.before, common.by_id, common.each, common.given

-- Folded names of what an order contains; its drug where it lists nothing.
local function ingredients(order)
  local list = {}
  for _, one in each(order and order.ingredients) do
    list[#list + 1] = names.fold(type(one) == "table" and (one.name or "") or one)
  end
  if #list == 0 and order and order.drug then list[1] = names.fold(order.drug) end
  table.sort(list)
  return list
end

-- What two doses are compared by: their order, and each ingredient.
local function keys_of(dose, orders)
  local keys = { "order " .. tostring(dose.order) }
  for _, name in ipairs(ingredients(orders[dose.order])) do keys[#keys + 1] = name end
  return keys
end

local function shares(keys, other)
  for _, a in ipairs(keys) do
    for _, b in ipairs(other) do
      if a == b then return true end
    end
  end
  return false
end

local function orders_of(needs)
  local orders = by_id(needs.orders)
  if needs.order then orders[needs.order._id] = needs.order end
  return orders
end

-- The doses just before and just after, by each thing they share: {earlier, later} pairs. Both
-- directions, so that the pair is found whichever of the two came in last.
local function neighbours(dose, needs, orders)
  local pairs_found, seen = {}, {}
  local function add(earlier, later, other)
    if other and not seen[other._id] then
      seen[other._id] = true
      pairs_found[#pairs_found + 1] = { earlier = earlier, later = later, other = other }
    end
  end
  for _, key in ipairs(keys_of(dose, orders)) do
    local previous, following
    for _, other in each(needs.doses) do
      if other._id ~= dose._id and given(other) and shares({ key }, keys_of(other, orders)) then
        if before(other, dose) then
          if previous == nil or before(previous, other) then previous = other end
        elseif following == nil or before(other, following) then
          following = other
        end
      end
    end
    add(previous, dose, previous)
    add(dose, following, following)
  end
  return pairs_found
end

-- Minutes between doses: the order's own; for an order as needed that says nothing, the setting
-- label_limits (a label's), the longest of its ingredients.
local function interval_of(order)
  if order == nil then return nil end
  if order.min_interval_min then return order.min_interval_min end
  local longest
  if order.kind == "PRN" then
    local contained = ingredients(order)
    for _, limit in each(config.label_limits) do
      if shares({ names.fold(limit.ingredient) }, contained) and
         (longest == nil or limit.min_interval_min > longest) then
        longest = limit.min_interval_min
      end
    end
  end
  return longest
end

local function shared_name(pair, orders)
  local later, earlier = orders[pair.later.order], orders[pair.earlier.order]
  for _, name in ipairs(ingredients(later)) do
    if shares({ name }, ingredients(earlier)) then return name end
  end
  return later and later.drug or "the same order"
end

return {
  ingredients = ingredients, keys_of = keys_of, shares = shares, orders_of = orders_of,
  neighbours = neighbours, interval_of = interval_of, shared_name = shared_name,
}
