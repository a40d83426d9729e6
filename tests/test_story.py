from __future__ import annotations

import subprocess
import sys

from tests.story import Story
from udacisense.records import store
from udacisense.types import Benchmark, Evaluation, Readiness, Verification


def test_the_store_reads_the_whole_story_back(seeded_home: Story) -> None:
    for kind, written in (
        (Evaluation, seeded_home.evaluations),
        (Verification, seeded_home.verifications),
        (Benchmark, seeded_home.benchmarks),
        (Readiness, seeded_home.readiness),
    ):
        listing = store.records(kind)
        assert listing.problems == ()
        assert {r.id: r for r in listing.records} == {r.id: r for r in written}


def test_the_story_needs_no_torch() -> None:
    code = (
        "import sys, os, tempfile, pathlib\n"
        "home = pathlib.Path(tempfile.mkdtemp()); os.environ['UDACISENSE_HOME'] = str(home)\n"
        "from tests.story import tell\n"
        "tell(home)\n"
        "assert 'torch' not in sys.modules, 'torch was imported'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
