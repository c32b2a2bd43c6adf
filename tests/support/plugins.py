"""Plugins that tests write: folders made from a few words."""

import json
import pathlib


def kind(name, fields, **more):
    """A schema; fields: name -> schema of the field."""
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": name, "x-kind": name,
            "x-version": 1, "x-final": True, "type": "object", "properties": fields, **more}


def rule(name, on, messages, **more):
    return {"id": name, "on": on, "severity": "needs_review",
            "messages": {code: {"en": text} for code, text in messages.items()}, **more}


def write_plugin(folder, name, kinds, rules, lua, version="1.0.0", cases=None, **more):
    """A Lua plugin in folder/name; returns its path."""
    place = pathlib.Path(folder) / name
    for below in ("schemas", "tests"):
        (place / below).mkdir(parents=True, exist_ok=True)
    listed = []
    for number, one in enumerate(kinds):
        (place / f"schemas/kind{number}.json").write_text(json.dumps(one))
        listed.append({"kind": one["x-kind"], "schema": f"schemas/kind{number}.json"})
    manifest = {"id": name, "version": version, "abi": 1, "runtime": "lua", "kinds": listed,
                "rules": rules, **more}
    (place / "plugin.json").write_text(json.dumps(manifest, indent=2))
    (place / "rules.lua").write_text(lua)
    if cases is not None:
        (place / "tests/cases.json").write_text(json.dumps(cases))
    return place


TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
INSTANT = {"type": "string", "format": "date-time"}


def doses(folder, version="1.0.0"):
    """Two doses of one order within its interval: the cross-record rule of the field plugins, as
    small as it gets. Each judgement is told to the log, so that they can be counted."""
    order = kind("doses.order", {"minutes": NUMBER, "drug": TEXT}, **{"x-final": False})
    dose = kind("doses.dose", {
        "order": {"type": "string", "x-refers": "doses.order", "x-index": True},
        "at": {**INSTANT, "x-index": True}}, **{"x-effective": "at"})
    too_soon = rule(
        "DOSES-R01", "doses.dose", {"too_soon": "{minutes} minutes after the dose before."},
        subject="dose",
        needs={"order": {"kind": "doses.order", "id": "dose.order"},
               "others": {"kind": "doses.dose", "where": {"order": "dose.order"}, "field": "at",
                          "from": "dose.at - PT24H", "to": "dose.at + PT24H"}})
    lua = """
rules["DOSES-R01"] = function(dose, needs)
  log("judged " .. dose._id)
  local found = array()
  if needs.order == nil then return found end
  for _, other in ipairs(needs.others) do
    if other._id ~= dose._id and other._status ~= "retracted" then
      local apart = math.abs(instant.minutes(dose.at, other.at))
      if apart < needs.order.minutes then
        found[#found + 1] = { code = "too_soon", path = "/at", records = { other._id },
                              values = { minutes = apart },
                              steps = { apart .. " minutes lie between them",
                                        "the order wants " .. needs.order.minutes } }
      end
    end
  end
  return found
end
"""
    return write_plugin(folder, "doses", [order, dose], [too_soon], lua, version)
