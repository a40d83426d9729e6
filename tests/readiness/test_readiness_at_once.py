"""Processes that judge the same file at once save one judgement between them."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.story import Story
from udacisense.readiness.judge import judge, keep, newest_readiness
from udacisense.records import queries, store
from udacisense.types import Readiness

BEFORE = """
import sys
from udacisense.readiness import judge
from udacisense.records import queries
from udacisense.artifacts import find_artifact
artifact = find_artifact(sys.argv[1])
with queries.one_look():
    record, last = judge.judge(artifact, save=False), judge.newest_readiness(artifact)
    print("judged", flush=True)
    sys.stdin.readline()
    print(judge.keep(record, last).id)
"""
"""A process that has looked, found nothing, and saves when it is told to."""


def test_the_same_judgement_of_several_processes_is_saved_once(seeded_home: Story) -> None:
    before = len(store.records(Readiness).records)
    command = [sys.executable, "-c", BEFORE, seeded_home.faithful.id]
    asked = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for process in asked:
        assert process.stdout is not None
        assert process.stdout.readline() == "judged\n"
    with ThreadPoolExecutor() as pool:
        told = list(pool.map(lambda process: process.communicate("now\n", timeout=120)[0], asked))
    assert len(set(told)) == 1, "all name the one that was saved"
    assert len(store.records(Readiness).records) == before + 1


def test_without_a_lock_it_is_saved_all_the_same(seeded_home: Story) -> None:
    (seeded_home.home / ".udacisense" / "readiness.lock").mkdir(parents=True)
    with queries.one_look():
        record = judge(seeded_home.faithful, save=False)
        assert keep(record, None) == record
    assert newest_readiness(seeded_home.faithful) == record
