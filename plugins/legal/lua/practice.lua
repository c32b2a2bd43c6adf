-- What a paralegal does not do: LEG-R08.

local common = require "common"
local add, attorney_on, day_of, live, signed, united =
  common.add, common.attorney_on, common.day_of, common.live, common.signed, common.united

local function advice_by_paralegal(record, person, at, needs, context)
  local day = day_of(at, context.zone)
  return not attorney_on(person, day, needs.roles, needs.matter)
end

local function contact_findings(record, needs, context)
  local found = array()
  if not advice_by_paralegal(record, record.by, record.at, needs, context) then return found end
  local function told(code, path, severity)
    add(found, {
      code = code,
      path = path,
      severity = severity or "needs_review",
      values = { person = record.by },
    })
  end
  if record.advice_given then told("advice", "/advice_given") end
  if record.fees_set or record.relationship_set_up then
    told("fees_or_relationship", record.fees_set and "/fees_set" or "/relationship_set_up")
  end
  if record.status_disclosed == false then told("not_disclosed", "/status_disclosed", "warn") end
  return found
end

-- Letters go out under an attorney: approved in the document or by a review of it.
local function document_findings(record, needs, context)
  if record.status ~= "sent" then return nil end
  local by = signed(record.approved_by) and record.approved_by or nil
  for _, review in ipairs(needs.reviews) do
    if not by and live(review) and review.result == "approved" then
      by = { person = review.by, at = review.at }
    end
  end
  local day = by and day_of(by.at, context.zone)
  if by and attorney_on(by.person, day, needs.roles, needs.matter) ~= false then return nil end
  return {
    code = "sent_unapproved",
    path = "/status",
    severity = record.advice == false and "needs_review" or nil,
    values = { title = record.title },
  }
end

rules["LEG-R08"] = function(record, needs, context)
  needs.roles = united(needs.contact_roles, needs.approver_roles, needs.reviewer_roles,
    needs.trainer_roles)
  if record._kind == "legal.client_contact" then
    return contact_findings(record, needs, context)
  end
  if record._kind == "legal.legal_document" then
    return document_findings(record, needs, context)
  end
  -- A training session teaches; it does not advise (seed row 17).
  local person = record.trainer or record._on_behalf or record._by
  if not record.advice_given then return nil end
  if not advice_by_paralegal(record, person, record.on, needs, context) then return nil end
  return {
    code = "advice",
    path = "/advice_given",
    severity = "needs_review",
    values = { person = person or "?" },
  }
end
