"""Every command explains itself, and wrong use says what is wrong and where help stands."""

import re
import subprocess

import pytest
from dutybook import BIN


def run(*words):
    return subprocess.run([BIN / "dutybook", *words], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, env={"DUTYBOOK_STORE": "/nowhere"})


def subcommands(text):
    part = re.search(r"^Subcommands:\n(.*?)(?:\n\n|\Z)", text, re.S | re.M)
    return re.findall(r"^  (\S+)", part[1], re.M) if part else []


def commands(path=()):
    """(words, help) of every command that can be given, groups left out."""
    told = run(*path, "--help")
    assert told.returncode == 0 and told.stderr == "", (path, told)
    inner = subcommands(told.stdout)
    for word in inner:
        yield from commands((*path, word))
    if not inner or path == ("members",):
        yield path, told.stdout


@pytest.fixture(scope="module")
def everything():
    return list(commands())


def test_every_command_has_help_with_an_example(everything):
    assert len(everything) > 60
    for path, text in everything:
        assert f"Example:\n  dutybook {' '.join(path)}" in text, (path, text)


def test_an_unknown_option_is_wrong_use(everything):
    for path, _ in everything:
        told = run(*path, "--no-such-option")
        assert (told.returncode, told.stdout) == (2, ""), (path, told)
        assert told.stderr.count("\n") == 1, (path, told)
        assert f"`dutybook {' '.join(path)} --help`" in told.stderr, (path, told)


@pytest.mark.parametrize("words, text", [
    ((), "A subcommand is required; see `dutybook --help`"),
    (("frobnicate",), "there is no command `dutybook frobnicate`; see `dutybook --help`"),
    (("remote",), "A subcommand is required; see `dutybook remote --help`"),
    (("remote", "paint"), "there is no command `dutybook remote paint`; see `dutybook remote --help`"),
    (("show",), "id is required; see `dutybook show --help`")])
def test_wrong_use_names_the_word(words, text):
    told = run(*words)
    assert told.returncode == 2 and told.stderr == f"dutybook: {text}\n", told


@pytest.mark.parametrize("words", [
    ("show", ""), ("set", "", "a=b"), ("history", ""), ("diff", "", "now", "now"), ("delete", ""),
    ("search", ""), ("kind", "show", ""), ("resolve", "x", "", "--value", "1"), ("list", ""),
    ("remote", "check", ""), ("space", "create", ""), ("answer", "", "accepted", "--reason", "r")])
def test_an_empty_word_is_wrong_use(words):
    told = run(*words)
    assert (told.returncode, told.stdout) == (2, ""), told
    assert " is empty; see `dutybook " in told.stderr, told


@pytest.mark.parametrize("words", [
    ("list", "core.duty", "--limit", "-1"), ("list", "core.duty", "--limit", "1e3"),
    ("search", "a", "--limit", "many"), ("due", "--days", "-1"),
    ("remote", "set", "hub", "--timeout", "-4"), ("remote", "set", "hub", "--timeout", "9" * 30)])
def test_a_wrong_number_is_told_in_plain_words(words):
    told = run(*words)
    assert told.returncode == 2 and f"'{words[-1]}' is no whole number" in told.stderr, told
