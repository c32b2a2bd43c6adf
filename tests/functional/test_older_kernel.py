"""What is said, and done, on a kernel without Landlock, and on one without seccomp."""

import shutil
import subprocess
import sys

import pytest

from dutybook import BIN, ROOT, wait_for
from plugins import doses

OLDER = ROOT / "tests/support/older_kernel.py"


def on_kernel_without(world, tmp_path, refused):
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("dutybookd", "dutybook"):
        (programs / name).write_text(
            f'#!/bin/sh\nexec {sys.executable} {OLDER} {refused} {BIN / name} "$@"\n')
        (programs / name).chmod(0o755)
    site = world.site("North")
    site.programs = programs
    (site.store / "plugins").mkdir()
    doses(site.store / "plugins")
    shutil.copytree(ROOT / "plugins/examples/word_count", site.store / "plugins/word_count")
    shutil.copy(BIN.parent / "plugins/word_count/plugin.so", site.store / "plugins/word_count")
    return site.start()


def said_of(site, plugin, **how):
    line = [one for one in site.client("plugin", "doctor", **how).objects if one["id"] == plugin]
    return line[0]


def in_words(site, *arguments):
    """What people see: without --json."""
    return subprocess.run([site.programs / "dutybook", "--store", site.store, *arguments],
                          capture_output=True, text=True).stdout


@pytest.mark.parametrize("refused", ["landlock", "landlock,seccomp"])
def test_the_level_that_was_reached_is_told(world, tmp_path, refused):
    site = on_kernel_without(world, tmp_path, refused)
    site.one("add", "doses.order", "minutes:=5")
    if refused == "landlock":
        site.one("add", "doses.dose", "order=o", "at=2026-03-02T08:00:00-05:00")
        wait_for(lambda: site.status()["unchecked"] == 0, 20, "rules run without Landlock")
        assert said_of(site, "doses")["sandbox"] == said_of(site, "doses")["sandbox"] | {
            "landlock": 0, "seccomp": True}
        words = in_words(site, "plugin", "doctor")
        assert "no Landlock in this kernel (only native plugins need it)" in words, words
        assert "word_count: running" in words and "could read this user's files" in words, words
        plugin = next(one for one in site.one("status")["plugins"] if one["id"] == "doses")
        assert plugin["sandbox"]["landlock"] == 0
        sandbox = next(one for one in site.many("doctor", expect=None) if one["check"] == "sandbox")
        assert sandbox["level"] == "warn" and "Landlock no" in sandbox["what"]
        return
    # Without seccomp nothing of a plugin runs; what a person writes is stored all the same.
    site.one("add", "doses.dose", "order=o", "at=2026-03-02T08:00:00-05:00")
    assert site.status()["unchecked"] == 1
    words = in_words(site, "plugin", "doctor")
    assert "sandbox could not be entered" in words and "seccomp" in words, words
    assert "seccomp on" not in words
    assert said_of(site, "doses", expect=7)["state"] == "broken"
