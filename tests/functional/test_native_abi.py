"""The C interface of native plugins: the header alone, an older minor version, a wrong major."""

import json
import shutil
import subprocess

import pytest

from dutybook import BIN, ROOT

SDK = ROOT / "plugins/sdk"
WORD_COUNT = ROOT / "plugins/examples/word_count"
EXAMPLE = WORD_COUNT / "plugin.c"
STRICT = ["-pedantic", "-Wall", "-Wextra", "-Werror"]

def compiler(*words):
    return subprocess.run(["cc", *map(str, words)], capture_output=True, text=True)


@pytest.mark.parametrize("standard", ["c99", "c11", "c++11", "c++20"])
def test_the_header_stands_alone(tmp_path, standard):
    source = tmp_path / ("alone.cpp" if "++" in standard else "alone.c")
    source.write_text("#include <dutybook_plugin.h>\n")
    done = compiler(f"-std={standard}", *STRICT, f"-I{SDK}", "-fsyntax-only", source)
    assert done.returncode == 0, done.stderr


TABLE_END = "evaluate," + "\n    NULL," * 4  # of the example's table


def header_1_0():
    """The header as ABI 1.0 had it: without `migrate`."""
    text = (SDK / "dutybook_plugin.h").read_text()
    begin, end = text.index("\n    /* Since 1.1. */"), text.index("} dutybook_plugin;")
    text = text[:begin] + text[end:]
    assert "DUTYBOOK_ABI_MINOR 1u" in text and "migrate" not in text
    return text.replace("DUTYBOOK_ABI_MINOR 1u", "DUTYBOOK_ABI_MINOR 0u")


def plugin_folder(place, header, source, *defines):
    folder = place / "word_count"
    shutil.copytree(WORD_COUNT, folder)
    (place / "sdk").mkdir()
    (place / "sdk/dutybook_plugin.h").write_text(header)
    (place / "plugin.c").write_text(source)
    done = compiler("-std=c99", *STRICT, *defines, "-shared", "-fPIC", f"-I{place / 'sdk'}",
                    place / "plugin.c", "-o", folder / "plugin.so")
    assert done.returncode == 0, done.stderr
    return folder


def tool(*words):
    return subprocess.run([BIN / "dutybook", "plugin", *map(str, words)], capture_output=True,
                          text=True, timeout=60)


def test_a_plugin_of_today_and_one_of_an_older_minor_version_load(tmp_path):
    today = (SDK / "dutybook_plugin.h").read_text()
    source = EXAMPLE.read_text()
    older_table = source.replace(TABLE_END, TABLE_END.replace(" NULL,", "", 1))
    assert older_table != source
    for name, header, text in (("today", today, source), ("older", header_1_0(), older_table)):
        folder = plugin_folder(tmp_path / name, header, text)
        for command in ("lint", "test"):
            done = tool(command, folder)
            assert done.returncode == 0, (name, done.stdout, done.stderr)


def test_a_newer_minor_version_loads_too(tmp_path):
    header = (SDK / "dutybook_plugin.h").read_text().replace("DUTYBOOK_ABI_MINOR 1u",
                                                             "DUTYBOOK_ABI_MINOR 7u")
    header = header.replace("} dutybook_plugin;", "    void (*later)(void);\n} dutybook_plugin;")
    source = EXAMPLE.read_text().replace(TABLE_END, TABLE_END + " NULL,")
    folder = plugin_folder(tmp_path, header, source)
    done = tool("test", folder)
    assert done.returncode == 0, (done.stdout, done.stderr)


def test_a_wrong_major_version_is_refused_and_says_so(tmp_path):
    header = (SDK / "dutybook_plugin.h").read_text().replace("DUTYBOOK_ABI_MAJOR 1u",
                                                             "DUTYBOOK_ABI_MAJOR 2u")
    # One that looks at the worker's version, and one that does not.
    source = EXAMPLE.read_text()
    careless = source.replace("return worker_abi_version >> 16 == DUTYBOOK_ABI_MAJOR ? &plugin : "
                              "NULL;", "(void)worker_abi_version;\n    return &plugin;")
    assert careless != source
    said = []
    for name, text in (("careful", source), ("careless", careless)):
        folder = plugin_folder(tmp_path / name, header, text)
        done = tool("lint", folder)
        assert done.returncode == 3, (name, done.stdout)
        said.append(done.stdout)
    assert "does not run with ABI 1.1" in said[0]
    assert "was built for another ABI" in said[1] and "2.1" in said[1] and "1.1" in said[1]


MIGRATE = r"""
static int migrate(void* raw, dutybook_text kind, dutybook_text input, const dutybook_sink* sink) {
    static const char changes[] = "{\"text\":\"from body\",\"body\":null}";
    (void)raw, (void)kind;
    if (input.size == 0 || strstr(input.data, "\"body\"") == NULL) return 0;
    return sink->write(sink->host, (dutybook_text){changes, sizeof changes - 1});
}

static const dutybook_plugin plugin"""


def new_plugin(place, header, source):
    """What `plugin new` makes, built from these."""
    place.mkdir()
    folder = place / "notes"
    assert tool("new", folder, "--runtime", "native").returncode == 0
    (folder / "dutybook_plugin.h").write_text(header)
    (folder / "plugin.c").write_text(source)
    done = compiler("-std=c99", *STRICT, "-shared", "-fPIC", f"-I{folder}", folder / "plugin.c",
                    "-o", folder / "plugin.so")
    assert done.returncode == 0, done.stderr
    return folder


def migrating(folder):
    """Its kind in a second version, whose `text` was once called `body`."""
    manifest = json.loads((folder / "plugin.json").read_text())
    kind = manifest["kinds"][0]
    kind["migrates"] = True
    (folder / "plugin.json").write_text(json.dumps(manifest, indent=2))
    schema = json.loads((folder / kind["schema"]).read_text())
    (folder / kind["schema"]).write_text(json.dumps({**schema, "x-version": 2}, indent=2))
    (folder / "tests/migrate.json").write_text(json.dumps({
        "name": "the body becomes the text",
        "do": {"migrate": {"kind": kind["kind"], "fields": {
            "body": "x y z", "at": "2026-03-02T08:00:00-05:00"}}},
        "expect": {"fields": {"text": "from body", "body": None}}}))


def test_a_native_plugin_migrates_and_one_of_1_0_has_no_such_call(tmp_path):
    today = (SDK / "dutybook_plugin.h").read_text()
    source = EXAMPLE.read_text()
    with_it = source.replace("static const dutybook_plugin plugin", MIGRATE.lstrip("\n"))
    with_it = with_it.replace(TABLE_END, TABLE_END.removesuffix("NULL,") + "migrate,")
    folder = new_plugin(tmp_path / "with", today, with_it)
    migrating(folder)
    for command in ("lint", "test"):
        done = tool(command, folder)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    older = source.replace(TABLE_END, TABLE_END.replace(" NULL,", "", 1))
    folder = new_plugin(tmp_path / "without", header_1_0(), older)
    migrating(folder)
    done = tool("test", folder)
    assert done.returncode == 3 and "does not offer migrate" in done.stdout, done.stdout


def test_what_is_no_plugin_is_refused_and_says_so(tmp_path):
    folder = plugin_folder(tmp_path, (SDK / "dutybook_plugin.h").read_text(), EXAMPLE.read_text())
    (folder / "plugin.so").write_bytes(b"\x7fELF rubbish")
    done = tool("lint", folder)
    assert done.returncode == 3 and "cannot be loaded" in done.stdout, done.stdout
    empty = tmp_path / "empty.c"
    empty.write_text("int nothing(void);\nint nothing(void) { return 0; }\n")
    compiler("-shared", "-fPIC", empty, "-o", folder / "plugin.so")
    done = tool("lint", folder)
    assert done.returncode == 3 and "dutybook_plugin_entry" in done.stdout, done.stdout
