"""Rows and legends name every file so that no two are taken for each other."""

from __future__ import annotations

from ui.shared.entries import SubjectMetrics, _distinct


def labels(*found: tuple[str, str]) -> list[str]:
    return [e.label for e in _distinct([SubjectMetrics(id, label, "executorch", None) for id, label in found])]


def test_files_of_two_checkpoints_differ_by_the_checkpoint() -> None:
    same = "executorch int8"
    assert labels(("executorch-int8-147d0853-3c6d11", same), ("executorch-int8-9bfd99f6-3c6d11", same)) == [
        "executorch int8 147d0853",
        "executorch int8 9bfd99f6",
    ]


def test_files_by_two_recipes_differ_by_the_recipe() -> None:
    same = "litert int8"
    found = labels(
        ("litert-int8-147d0853-7f1d67", same), ("litert-int8-147d0853-9001d4", same), ("x-fp32-147d0853-abc123", "x")
    )
    assert found == ["litert int8 7f1d67", "litert int8 9001d4", "x"]
