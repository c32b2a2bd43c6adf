"""Plugins that ride in a space: installed once, tried and used at every site of it."""

import hashlib
import json
import shutil

from dutybook import BIN, ROOT, wait_for
from plugins import NUMBER, TEXT, kind, rule, write_plugin

WORD_COUNT = ROOT / "plugins/examples/word_count"


def low(folder, limit, version="1.0.0", cases=None, lua=""):
    """Finds numbers below a limit."""
    code = f"""
rules["LOW-R01"] = function(row)
  if row.n < {limit} then
    return {{ code = "low", path = "/n", values = {{ n = row.n, limit = {limit} }} }}
  end
end
{lua}
"""
    messages = {"low": {"en": "{n} is below {limit}.", "es": "{n} es menor que {limit}."}}
    return write_plugin(folder, "low", [kind("low.row", {"n": NUMBER, "note": TEXT})],
                        [rule("LOW-R01", "low.row", {}) | {"messages": messages}], code, version,
                        cases=cases or [])


def plugin_at(site, name="low"):
    return next((one for one in site.many("plugin", "list") if one["id"] == name), None)


def meet(*sites):
    for site in (*sites, sites[0]):
        site.sync()


def has(site, version, seconds=30):
    wait_for(lambda: (plugin_at(site) or {}).get("version") == version and
             "waiting" not in plugin_at(site), seconds, f"{site.name} has version {version}")


def settled(*sites):
    for site in sites:
        wait_for(lambda at=site: at.status()["unchecked"] == 0, 30, "all is judged")


def test_installed_once_it_runs_at_every_site(pair, tmp_path):
    north, south, _ = pair
    installed = north.one("plugin", "install", low(tmp_path, 10), "--space")
    assert installed["space"] == "school" and installed["version"] == "1.0.0"
    assert north.one("add", "low.row", "n:=5")["findings"][0]["rule"] == "LOW-R01"
    south.client("add", "low.row", "n:=4", expect=3)
    meet(north, south)
    has(south, "1.0.0")
    assert plugin_at(south)["origin"] == "space school"
    assert plugin_at(south)["digest"] == plugin_at(north)["digest"]
    settled(north, south)
    assert [one["rule"] for one in south.many("findings")] == ["LOW-R01"]
    assert south.one("add", "low.row", "n:=4")["findings"][0]["message"] == "4 is below 10."

    # A restart runs nothing again, and a new version replaces the old one everywhere.
    south.restart()
    assert plugin_at(south)["version"] == "1.0.0"
    north.client("plugin", "install", low(tmp_path, 100, "2.0.0"), "--space", "school")
    north.client("add", "low.row", "n:=50")
    meet(north, south)
    has(south, "2.0.0")
    settled(north, south)
    assert len(south.many("findings")) == 3
    assert north.status()["findings_digest"] != ""
    meet(south, north)
    settled(north, south)
    assert north.status()["findings_digest"] == south.status()["findings_digest"]

    # One command goes back, at all of them; another takes it away, and the records stay.
    north.client("plugin", "rollback", "low")
    assert plugin_at(north)["version"] == "1.0.0"
    meet(north, south)
    has(south, "1.0.0")
    settled(south)
    assert len(south.many("findings")) == 2
    north.client("plugin", "remove", "low")
    assert plugin_at(north) is None
    meet(north, south)
    wait_for(lambda: plugin_at(south) is None, 20, "the plugin is gone")
    assert len(south.many("list", "low.row")) == 3


def test_a_package_that_fails_leaves_the_older_one_running_and_is_told(pair, tmp_path):
    north, south, _ = pair
    north.client("plugin", "install", low(tmp_path, 10), "--space")
    meet(north, south)
    has(south, "1.0.0")
    # What North's own checks would not let pass is written by hand, as a faulty daemon would.
    good = {one["id"]: one for one in north.many("list", "core.plugin_part", "--limit", 1000)}
    assert good
    bad = low(tmp_path / "bad", 20, "2.0.0", cases=[
        {"name": "wrong", "do": {"write": {"kind": "low.row", "fields": {"n": 1}}},
         "expect": {"findings": []}}])
    put_by_hand(north, bad)
    meet(north, south)
    wait_for(lambda: "waiting" in (plugin_at(south) or {}), 30, "the package is refused")
    told = plugin_at(south)
    assert told["version"] == "1.0.0" and told["waiting"]["version"] == "2.0.0"
    assert "fails its own tests" in told["waiting"]["why"]
    status = [one for one in south.one("status")["plugins"] if one["id"] == "low"]
    assert {one["state"] for one in status} >= {"waiting"}
    assert south.client("plugin", "doctor", expect=7).out
    assert south.one("add", "low.row", "n:=15")["findings"] == [], "the older one judges"

    # Forged: the parts are not what the digest says.
    part = next(one for one in good if good[one]["fields"]["file"] == "rules.lua")
    north.client("set", part, "text=-- nothing", "--reason", "mischief")
    meet(north, south)
    assert south.one("add", "low.row", "n:=5")["findings"] != [], "what runs is not replaced"


def put_by_hand(site, folder):
    """The records of a package, without lint or tests."""
    import hashlib  # as rules::digest_of does it

    files = {str(path.relative_to(folder)): path.read_bytes()
             for path in sorted(folder.rglob("*")) if path.is_file()}
    text = b"".join(str(len(name)).encode() + b":" + name.encode() + str(len(data)).encode() +
                    b":" + data for name, data in sorted(files.items()))
    digest = hashlib.blake2b(text, digest_size=32, key=b"dutybook plugin").hexdigest()
    site.add_file({"id": f"part-{digest[:32]}-{number}", "kind": "core.plugin_part",
                   "fields": {"package": digest, "number": number, "file": name,
                              "text": data.decode()}}
                  for number, (name, data) in enumerate(sorted(files.items()), 1))
    site.client("set", "plugin-low", "version=2.0.0", f"digest={digest}", f"parts:={len(files)}")


def test_only_administrators_choose_plugins(pair, tmp_path):
    north, south, _ = pair
    north.client("plugin", "install", low(tmp_path, 10), "--space")
    meet(north, south)
    has(south, "1.0.0")
    ran = south.client("plugin", "install", low(tmp_path, 90, "2.0.0"), "--space", expect=1)
    assert "no administrator" in ran.err
    # A daemon that does not ask is not believed either.
    put_by_hand(south, low(tmp_path, 90, "2.0.0"))
    meet(south, north)
    wait_for(lambda: "waiting" in (plugin_at(north) or {}), 30, "the package is refused")
    assert plugin_at(north)["version"] == "1.0.0"
    assert "administrator" in plugin_at(north)["waiting"]["why"]


def test_native_plugins_do_not_travel(pair, tmp_path):
    north, _, _ = pair
    folder = tmp_path / "word_count"
    shutil.copytree(WORD_COUNT, folder)
    shutil.copy(BIN.parent / "plugins/word_count/plugin.so", folder)
    ran = north.client("plugin", "install", folder, "--space", expect=3)
    assert "does not travel" in ran.err
    assert north.one("plugin", "install", folder)["id"] == "word_count"


def test_a_site_that_lacks_the_plugin_keeps_relays_and_shows(world, pair, tmp_path):
    north, south, hub = pair
    north.client("plugin", "install", low(tmp_path, 10))  # on this machine alone
    made = north.one("add", "low.row", "n:=5", "note=hello")
    north.sync()
    other = world.bare("other")
    south.client("remote", "add", "other", other)
    south.sync()
    assert plugin_at(south) is None
    shown = south.one("show", made["id"])
    assert shown["fields"] == {"n": 5, "note": "hello"} and shown["findings"] == []
    assert len(south.many("list", "low.row")) == 1
    assert [one["id"] for one in south.many("search", "hello")] == [made["id"]]
    assert south.digest() == north.digest()
    # Relayed: a third site that knows only the other remote has it, too.
    east = world.invited(north, "East").start()
    east.client("remote", "remove", "hub")
    east.client("remote", "add", "other", other)
    south.sync()
    east.sync()
    assert east.one("show", made["id"])["fields"]["n"] == 5


def test_findings_speak_the_readers_language(pair, tmp_path):
    north, _, _ = pair
    north.client("plugin", "install", low(tmp_path, 10))
    row = north.one("add", "low.row", "n:=5")
    assert row["findings"][0]["message"] == "5 is below 10."
    assert north.many("findings", "--lang", "es")[0]["message"] == "5 es menor que 10."
    assert north.one("show", row["id"], "--lang", "es-MX")["findings"][0]["message"] == \
        "5 es menor que 10."
    assert north.client("check", "low.row", "n:=1", "--lang", "es").one["findings"][0][
        "message"] == "1 es menor que 10."
    assert north.one("add", "low.row", "n:=2", "--lang", "es")["findings"][0]["message"] == \
        "2 es menor que 10."
    north.environment["LC_ALL"] = "es_ES.UTF-8"
    assert "es menor que" in north.client("findings").out
    status, answer = north.request("GET", "/v1/spaces/school/findings", headers={
        "Accept-Language": "es-MX,es;q=0.9,en;q=0.5"})
    assert status == 200 and "es menor que" in json.dumps(answer)


def test_explain_says_why(pair, tmp_path):
    north, _, _ = pair
    north.client("plugin", "install", low(tmp_path, 10))
    row = north.one("add", "low.row", "n:=5")
    told = north.one("plugin", "explain", row["id"])
    assert told["rules"][0]["rule"] == "LOW-R01"
    assert told["rules"][0]["findings"][0]["message"] == "5 is below 10."
    assert north.one("plugin", "explain", "LOW-R01")["plugin"] == "low"
    assert north.one("plugin", "explain", "low")["sees"] == ["low.row"]
    north.client("plugin", "explain", "nothing-like-it", expect=1)
