"""The guide in plugins/README.md, followed to the letter."""

import os
import pathlib
import re
import signal
import subprocess

from dutybook import BIN

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_every_command_of_the_guide_works(world, tmp_path):
    blocks = BLOCK.findall((ROOT / "plugins/README.md").read_text())
    assert len(blocks) >= 7
    environment = world.environment | {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "DUTYBOOK_STORE": str(tmp_path / "trial"),
    }
    said = ""
    try:
        for number, block in enumerate(blocks):
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=tmp_path,
                                  env=environment, text=True, capture_output=True, timeout=120)
            assert done.returncode == 0, f"block {number}:\n{block}\n{done.stdout}\n{done.stderr}"
            said += done.stdout
    finally:
        os.kill(int((tmp_path / "daemon.pid").read_text()), signal.SIGTERM)
    assert "left lies from 3 hours before run.left to run.arrived" in said
