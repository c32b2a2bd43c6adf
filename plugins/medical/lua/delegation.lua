-- Who may give and do what: MED-R07.

local common = require "common"
local asked, by_id, day_of, each, has_role, kept, softened, zone_of =
  common.asked, common.by_id, common.day_of, common.each, common.has_role, common.kept,
  common.softened, common.zone_of

-- MED-R07: who may give it. Judged where `by` is known; nurses and other licensed people need no
-- delegation. How far a delegation that does not fit got tells the reason.
local reasons = { "not_delegated", "wrong_route", "not_trained", "expired", "rescinded" }

local function is_rescinded(delegation, at, day)
  local on = delegation.rescinded_on
  if on == nil then return false end
  if #on == 10 then return on <= day end
  return instant.compare(on, at or (day .. "T00:00:00Z")) <= 0
end

local function for_everybody(delegation)
  return delegation.all or delegation.person == nil or delegation.person == "all"
end

-- 0: it holds; else the index into `reasons`. `covers` says whether it is about this task, and
-- whether it names the route.
local function fit(delegation, person, at, day, context, covers)
  if not kept(delegation) then return 1 end
  if not for_everybody(delegation) and person and delegation.person ~= person then return 1 end
  local task, route = covers(delegation)
  if not task then return 1 end
  if not route then return 2 end
  local signed = delegation.competency and delegation.competency.at
  if delegation.trained_on == nil or delegation.trained_on > day or signed == nil or
     day_of(signed, delegation, context) > day then
    return 3
  end
  if delegation.valid_through and delegation.valid_through < day then return 4 end
  if is_rescinded(delegation, at, day) then return 5 end
  return 0
end

-- The day on which a delegation that is not yet in force begins to hold, or nil.
local function begins(delegation, person, day, context, covers)
  local signed = delegation.competency and delegation.competency.at
  if delegation.trained_on == nil or signed == nil then return nil end
  local from = day_of(signed, delegation, context)
  if delegation.trained_on > from then from = delegation.trained_on end
  local at = from .. "T00:00:00Z"
  return from > day and fit(delegation, person, at, from, context, covers) == 0 and from or nil
end

local function contains(list, value)
  for _, one in each(list) do
    if one == value then return true end
  end
  return false
end

-- A delegation for an order names its id; one for a task names no order, and either the routes or
-- a word that the setting medication_task knows.
local function covers_dose(dose, order, named_orders)
  local of_orders = by_id(named_orders)
  return function(delegation)
    local task, routes = delegation.task_or_order or "", delegation.routes or {}
    local route = dose.route or (order and order.route)
    local route_fits = #routes == 0 or route == nil or contains(routes, route)
    if task == dose.order then return true, route_fits end
    if of_orders[task] then return false, false end
    local medication = text.find(names.fold(task), config.medication_task) ~= nil
    return medication or #routes > 0, route_fits
  end
end

local function covers_procedure(log)
  local wanted = names.fold(log.procedure or "")
  return function(delegation) return names.fold(delegation.task_or_order or "") == wanted, true end
end

rules["MED-R07"] = function(record, needs, context)
  local procedure = record._kind == "medical.procedure_log"
  if record.by == nil or (not procedure and not asked(record)) then return nil end
  if procedure and not contains(config.delegated_categories, record.category or "clinical") then
    return nil
  end
  local day = day_of(record.at or record._created, record, context)
  if has_role(needs.roles, config.licensed_roles, day) then return nil end
  local order = needs.order
  local covers = procedure and covers_procedure(record)
    or covers_dose(record, order, needs.delegated_orders)
  local best, closest, later = 1, nil, nil
  for _, delegation in each(needs.delegations) do
    local reached = fit(delegation, record.person, record.at, day, context, covers)
    if reached == 0 then return nil end
    if reached > best then
      best, closest = reached, delegation
    end
    local from = begins(delegation, record.person, day, context, covers)
    if from and (later == nil or from < later) then later = from end
  end
  return softened({
    code = reasons[best], path = "/by", records = closest and { closest._id } or {},
    passes_at = later and instant.at(later, "00:00", zone_of(record, context)),
    values = { task = procedure and record.procedure or (order and order.drug) or "-",
               route = record.route or (order and order.route) or "-" },
  }, order)
end

return { is_rescinded = is_rescinded, for_everybody = for_everybody, contains = contains }
