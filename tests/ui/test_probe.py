"""Questions asked in a child process are answered whatever else the child prints."""

from __future__ import annotations

import subprocess
import sys

from ui.shared import torch_child

LOUD = (
    "import os; from ui.shared import torch_child as probe\n"
    "def loud():\n"
    "    print('printed by Python'); os.write(1, b'printed by a library\\n'); return ['answer']\n"
    "probe.QUESTIONS['loud'] = loud; probe.main(['loud'])"
)


def test_a_network_that_prints_spoils_no_answer() -> None:
    child = subprocess.run([sys.executable, "-c", LOUD], capture_output=True, text=True, check=True)
    assert torch_child.read_answer(child.stdout, child.stderr) == ["answer"]
    assert "printed by Python" in child.stderr
    assert "printed by a library" in child.stderr
