"""The client as people and scripts use it."""

import contextlib
import json
import os
import pty
import re
import shutil
import subprocess
import time

import pytest
from dutybook import BIN, ROOT, arguments_of, ask, duty, wait_for


@pytest.fixture(scope="module")
def north(tmp_path_factory):
    from dutybook import World
    with World(tmp_path_factory.mktemp("client")) as world:
        yield world.site("North").start()


def people(site, *arguments, expect=0):
    """The command without --json."""
    done = subprocess.run([BIN / "dutybook", "--store", site.store, *map(str, arguments)],
                          capture_output=True, text=True, env=site.environment)
    assert done.returncode == expect, done
    return done


def on_a_terminal(site, *arguments):
    """What the command writes where it believes that a person looks on."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([BIN / "dutybook", "--store", site.store, *map(str, arguments)],
                               stdin=theirs, stdout=theirs, stderr=theirs, env=site.environment)
    os.close(theirs)
    written = b""
    try:
        while piece := os.read(ours, 65536):
            written += piece
    except OSError:
        pass  # the terminal's other end is closed
    os.close(ours)
    process.wait(20)
    return written.replace(b"\r\n", b"\n")


def test_what_others_wrote_drives_no_terminal(north):
    evil = "\x1b]0;owned\x07\x1b[2J\u009b31m\u202eREV\rOVER\x7f and é"
    made = north.one("add", *arguments_of(duty(evil)), by="eve\x1b[1A")
    for command in (("show", made["id"]), ("list", "core.duty"), ("history", made["id"]),
                    ("search", "owned"), ("set", made["id"], "priority=\x1b[2J"),
                    ("--json", "show", made["id"])):
        written = on_a_terminal(north, *command).decode()
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", written.lstrip("\r")), written
    assert "owned" in written and "é" in written
    # A file and a pipe get what was written.
    assert evil.partition("\r")[0] in people(north, "show", made["id"]).stdout
    north.client("delete", made["id"])


def test_exit_codes(north, tmp_path):
    ok = north.one("add", *arguments_of(duty("codes")))
    north.client("show", ok["id"])
    north.client("show", "nothing-like-this", expect=1)
    north.client("add", "core.duty", "title", expect=2)
    north.client("frobnicate", expect=2)
    north.client("add", "core.duty", "title=x", expect=3)
    north.client("set", ok["id"], "priority=low", "--version", "0" * 8, expect=4)
    done = subprocess.run([BIN / "dutybook", "--store", tmp_path, "status"], capture_output=True)
    assert done.returncode == 5 and done.stderr.count(b"\n") == 1
    done = subprocess.run([BIN / "dutybook", "status"], capture_output=True, env={})
    assert done.returncode == 2 and b"--store" in done.stderr


def test_a_wrong_instant_is_wrong_use(north):
    """Whichever command it is given to; a wrong value of a field is malformed."""
    record = north.one("add", *arguments_of(duty("instants")))["id"]
    for words in (["show", record, "--at", "soonish"], ["diff", record, "soonish", "now"],
                  ["diff", record, "now", "25:00"], ["list", "core.duty", "--since", "2026-13-01"],
                  ["search", "a", "--until", "x"], ["today", "--date", "x"]):
        wrong = north.client(*words, expect=2).problem
        assert "is not an instant" in wrong["title"] and wrong["fix"].startswith("write now")
    assert north.client("set", record, "due=soonish", expect=3).problem["pointer"] == "/due"


def test_wrong_use_is_a_problem_too(north):
    """With --json, wherever it stands and whatever is wrong."""
    for words in (["show"], ["frobnicate"], ["show", "x", "--what"], ["list", "x", "--limit", "y"],
                  ["status", "--space", "a"], ["show", ""], ["remote"], []):
        problem = north.client(*words, expect=2).problem
        assert problem["code"] == "malformed" and problem["fix"].startswith("see `dutybook"), words


def test_every_error_says_what_to_do(north, tmp_path):
    """One line: what, why, what to do."""
    record = north.one("add", *arguments_of(duty("errors")))["id"]
    north.client("remote", "add", "one", "git@git.invalid:x.git")
    wrong = [
        ("show", "zzz"), ("show", record, "--at", "2001-01-01"), ("show", "nowhere/x"),
        ("list", "core.duty", "--where", "x"), ("set", record, "priority=huge"),
        ("set", record, "title"), ("add", "core.duty", "title=x"), ("add", "--file", "/nowhere"),
        ("resolve", record, "title", "--take", "NOBODY"), ("resolve", record, "title"),
        ("answer", "zzz", "accepted", "--reason", "x"), ("kind", "show", "core.nothing"),
        ("space", "create", "Bad Name"), ("space", "create", "a", "--parent", "nowhere"),
        ("remote", "add", "two", "ftp://x"), ("remote", "set", "one"), ("remote", "check", "no"),
        ("invite", "X", "--out", "/nowhere/x"), ("join", "/nowhere"), ("token", "revoke", "no"),
        ("members", "remove", "nobody"), ("sync", "--remote", "no"), ("report", "no"),
        ("report", "site.sync", "x"), ("plugin", "enable", "no")]
    for words in wrong:
        ran = north.client(*words, expect=(1, 2, 3))
        assert ran.problem.get("fix"), ran
        told = people(north, *words, expect=ran.code).stderr
        assert told.startswith("dutybook: ") and told.count("\n") == 1, told
    north.client("remote", "remove", "one")


def test_values_follow_the_schema(north):
    record = north.one("add", "core.duty", "title=42", "category=c", "priority=high", "state=open",
                       "due=14:30", "estimate_min=20", "hard_deadline:=null", "tags+=a", "tags+=b")
    fields = record["fields"]
    assert fields["title"] == "42" and fields["estimate_min"] == 20
    assert sorted(fields["tags"]) == ["a", "b"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT14:30:00-0[45]:00", fields["due"])


def test_references_by_beginning_and_by_words(north):
    first = north.one("add", "core.person", "given=Ana", "family=Quetzal", "active=true")
    assert north.one("show", first["id"][:20])["id"] == first["id"]
    assert north.one("show", "@quetzal ana")["id"] == first["id"]
    north.one("add", "core.person", "given=Eva", "family=Quetzal", "active=true")
    ran = north.client("show", "@quetzal", expect=2)
    assert {one["id"] for one in ran.problem["candidates"]} >= {first["id"]}
    work = north.one("add", *arguments_of(duty("ref")), "assignee=@ana quetzal")
    assert work["fields"]["assignee"] == first["id"]


def test_draft_final_retracted(north):
    record = north.one("add", *arguments_of(duty("statuses")))
    assert record["envelope"]["status"] == "draft"
    assert north.one("finalise", record["id"])["envelope"]["status"] == "final"
    north.client("set", record["id"], "priority=low", expect=(1, 3))
    north.client("set", record["id"], "priority=low", "--reason", "was wrong")
    north.client("retract", record["id"], expect=2)
    north.client("retract", record["id"], "--reason", "other child")
    shown = north.one("show", record["id"])
    assert shown["envelope"]["status"] == "retracted"
    assert [one["do"] for one in north.many("history", record["id"])][-1] == "retract"


def test_saving_what_is_shown_writes_nothing(north):
    record = north.one("add", *arguments_of(duty("same")))
    before = north.status()["operations"]
    north.client("set", record["id"], "title=same")
    assert north.status()["operations"] == before


def test_an_id_that_exists_is_a_failure(north):
    north.one("add", *arguments_of(duty("own id")), "--id", "sis:7")
    ran = north.client("add", *arguments_of(duty("own id")), "--id", "sis:7", expect=1)
    assert ran.problem["code"] == "exists"


def test_the_same_added_twice_warns(north):
    words = arguments_of(duty("twice"))
    first = north.one("add", *words)
    assert north.one("add", *words)["same_as"] == first["id"]


def test_an_idempotency_key_writes_once(north):
    words = arguments_of(duty("keyed"))
    first = north.one("add", *words, "--key", "k1")
    assert north.one("add", *words, "--key", "k1")["id"] == first["id"]


def test_list_filters_and_pages(north):
    north.add_file(duty(f"page {i}", category="paging", place="yard" if i % 2 else "gate")
                   for i in range(1500))
    where = ["--where", "category=paging"]
    assert len(north.many("list", "core.duty", *where)) == 100
    assert len(north.many("list", "core.duty", *where, "--limit", 1234)) == 1234
    everything = north.many("list", "core.duty", *where, "--limit", 0)
    assert len({one["id"] for one in everything}) == 1500
    assert len(north.many("list", "core.duty", *where, "--where", "place=yard", "--limit", 0)) == 750
    assert north.many("list", "core.duty", "--where", "category=nothing") == []


def test_history_is_told_to_its_end(north):
    record = north.one("add", *arguments_of(duty("often")))["id"]
    with contextlib.closing(north.connect()) as connection:
        for i in range(1100):
            ask(connection, "PATCH", f"/v1/spaces/school/records/{record}", {"title": f"n{i}"})
    lines = north.many("history", record)
    assert [one["new"] for one in lines if one["field"] == "title"] == ["often"] + [
        f"n{i}" for i in range(1100)]


def test_a_list_of_nothing_is_no_crash(north):
    """limit=0 at the interface: every list answers, the daemon lives."""
    north.one("add", *arguments_of(duty("listed")))
    paths = json.loads((ROOT / "schemas/openapi.json").read_text())["paths"]
    asked = 0
    for path, methods in paths.items():
        names = {one.get("name") for one in methods.get("get", {}).get("parameters", [])}
        if "limit" not in names or "{id}" in path:
            continue
        asked += 1
        status, answer = north.request("GET", path.replace("{space}", "school") + "?limit=0")
        assert status == 200 and isinstance(answer["items"], list), path
    assert asked > 10


def test_search_finds_words(north):
    record = north.one("add", *arguments_of(duty("Zebra crossing", place="Elm Street")))
    for words in (["zebra"], ["elm", "zebra"], ["ELM"]):
        assert [one["id"] for one in north.many("search", *words)] == [record["id"]]
    assert north.many("search", "zebra", "nowhere") == []
    north.client("set", record["id"], "title=Crossing")
    assert north.many("search", "zebra") == []


def test_kinds_show_what_is_required(north):
    kinds = {one["kind"] for one in north.many("kind", "list")}
    assert {"core.person", "core.duty", "core.incident"} <= kinds
    text = people(north, "kind", "show", "core.duty").stdout
    assert "urgent" in text and "required" in text and "dutybook add core.duty" in text
    assert "adds up" in people(north, "kind", "show", "core.need").stdout
    north.client("kind", "show", "core.nothing", expect=1)


def test_every_kinds_example_can_be_added(north):
    for kind in north.many("kind", "list"):
        example = north.one("kind", "show", kind["kind"])["example"]
        north.client("add", *arguments_of({"kind": kind["kind"], "fields": example}))


def test_people_see_short_lines(north):
    record = north.one("add", *arguments_of(duty("For people")))
    shown = people(north, "show", record["id"]).stdout
    assert shown.startswith("core.duty  ") and "title" in shown and "{" not in shown
    assert "school" in people(north, "status").stdout
    failed = people(north, "show", "nothing-here", expect=1)
    assert failed.stderr.startswith("dutybook: ") and failed.stderr.count("\n") == 1


def test_diff_between_times(north):
    record = north.one("add", *arguments_of(duty("diff")))
    before = north.many("history", record["id"])[0]["at"]
    north.client("set", record["id"], "title=changed")
    changes = north.many("diff", record["id"], before, "now")
    assert [(one["field"], one["a"], one["b"]) for one in changes] == [("title", "diff", "changed")]


def test_check_stores_nothing(north):
    before = north.status()["operations"]
    assert north.one("check", *arguments_of(duty("asked")))["verdict"] in ("allow", "warn")
    assert north.client("check", "core.duty", "priority=soon", expect=3)
    assert north.status()["operations"] == before


def test_remotes_are_named_without_contact(north, tmp_path):
    north.client("remote", "add", "far", "git@git.invalid:district/x.git", "--window", "22:00-05:00")
    listed = {one["name"]: one for one in north.many("remote", "list")}
    assert listed["far"]["url"] == "git@git.invalid:district/x.git"
    assert listed["far"]["window"] == "22:00-05:00" and listed["far"]["last_attempt"] is None
    north.client("remote", "add", "far", "x@y:z", expect=1)
    north.client("remote", "add", "odd", "ftp://x/y", expect=3)
    north.client("remote", "remove", "far")
    north.client("remote", "add", "here", tmp_path / "nothing.git")
    ran = north.client("remote", "check", "here", expect=1)
    assert ran.one["ok"] is False and ran.one["lines"]
    north.client("remote", "remove", "here")
    assert north.many("remote", "list") == []


def test_show_is_quick(north):
    record = north.one("add", *arguments_of(duty("quick")))
    command = [BIN / "dutybook", "--store", north.store, "show", record["id"]]
    times = []
    for _ in range(15):
        began = time.monotonic()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        times.append(time.monotonic() - began)
    # The aim is 15 ms on a quiet machine (scripts/bench); here other tests may run beside it.
    assert min(times) < 0.05, times


def test_everyday_commands_load_no_library_of_the_store():
    loaded = subprocess.run(["ldd", BIN / "dutybook"], text=True, capture_output=True).stdout
    assert "libc.so" in loaded
    for name in ("libgit2", "libsqlite3", "libicu", "libcrypto", "libical", "libzip"):
        assert name not in loaded, name


def test_what_the_client_hands_over_is_named_when_it_is_missing(north, tmp_path):
    client = shutil.copy(BIN / "dutybook", tmp_path / "dutybook")
    done = subprocess.run([client, "--store", north.store, "status"], capture_output=True)
    assert done.returncode == 0
    done = subprocess.run([client, "init", "--store", tmp_path / "s", "--site", "S", "--space", "s"],
                          capture_output=True, text=True)
    assert done.returncode == 1 and "dutybook-tools cannot be run" in done.stderr


def test_join_and_init_refuse_what_they_would_overwrite(north, tmp_path):
    words = ["init", "--site", "Other", "--space", "school"]
    done = subprocess.run([BIN / "dutybook", "--store", north.store, "--json", *words],
                          capture_output=True)
    assert done.returncode == 1 and json.loads(done.stderr)["code"] in ("exists", "conflict")
    rubbish = tmp_path / "rubbish.invite"
    rubbish.write_text("{}")
    done = subprocess.run([BIN / "dutybook", "--store", tmp_path / "new", "join", rubbish],
                          capture_output=True)
    assert done.returncode == 3


def test_output_that_could_not_be_written_is_a_failure(north):
    """A full disk: a list that lacks its end must not pass for a whole one."""
    north.one("add", *arguments_of(duty("to be listed")))
    for words in ("list core.duty", "--json list core.duty", "kind list", "export csv core.duty"):
        for where in ("/dev/full", "&-"):
            done = subprocess.run(f"{BIN}/dutybook --store {north.store} {words} >{where}",
                                  shell=True, capture_output=True, text=True, env=north.environment)
            assert done.returncode == 1 and "could not be written" in done.stderr, done


def test_closed_standard_streams_are_filled(world):
    """Else the lock, or the daemon's own socket, would be read and written in their place."""
    site = world.site("South")
    process = subprocess.Popen(
        ["/bin/sh", "-c", 'exec "$0" --store "$1" --http off <&- >&- 2>&-', BIN / "dutybookd",
         site.store], env=site.environment)
    try:
        wait_for(lambda: site.client("status", expect=None).code == 0, what="the daemon")
        for fd in (0, 1, 2):
            assert os.readlink(f"/proc/{process.pid}/fd/{fd}") == "/dev/null"
        done = subprocess.run(f"{BIN}/dutybook --store {site.store} add --file - <&-", shell=True,
                              capture_output=True, text=True, env=site.environment)
        assert done.returncode == 1 and "the input cannot be read" in done.stderr, done
    finally:
        process.terminate()
        assert process.wait(10) == 0


def test_a_second_daemon_is_refused(north):
    done = subprocess.run([BIN / "dutybookd", "--store", north.store, "--http", "off"],
                          capture_output=True, timeout=20, env=north.environment)
    assert done.returncode != 0
    assert north.status()
