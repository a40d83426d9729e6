"""Answers of verbs as JSON: every value of them, paths as people share them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.story import Story
from udacisense.cli.plain import plain
from udacisense.records.store import to_json


@dataclass(frozen=True)
class Answer:
    path: Path
    parts: tuple[object, ...]


def test_records_paths_and_sequences_become_json(seeded_home: Story) -> None:
    artifact = seeded_home.faithful
    outside = Path("/somewhere/else.html")
    found = plain({1: Answer(artifact.path, (artifact, None, 0.5, "text")), "list": [outside]})
    assert json.loads(json.dumps(found)) == {
        "1": {
            "path": artifact.path.relative_to(seeded_home.home).as_posix(),
            "parts": [to_json(artifact), None, 0.5, "text"],
        },
        "list": [str(outside)],
    }
