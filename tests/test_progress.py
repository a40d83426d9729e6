"""Work tells where it is; parts of work share one scale."""

from __future__ import annotations

from threading import Barrier

import pytest

from udacisense.progress import part, report, side_by_side, watched_by


def test_without_a_watcher_work_goes_on() -> None:
    steps = []
    report(0.5, "nobody listens")
    with part(0, 0.5):
        report(0.5, "nobody listens")
        steps.append("done")
    assert steps == ["done"]


def test_parts_share_one_scale_and_never_leave_it() -> None:
    told: list[tuple[float, str]] = []
    with watched_by(lambda fraction, stage: told.append((round(fraction, 3), stage))):
        report(0.0, "start")
        with part(0.2, 0.6, "convert: "):
            report(0.5, "lowering")
            with part(0.5, 1.0):
                report(2.0, "writing")
        report(1.0, "done")
    assert told == [(0.0, "start"), (0.4, "convert: lowering"), (0.6, "convert: writing"), (1.0, "done")]


def test_work_side_by_side_shares_one_scale_and_keeps_its_order() -> None:
    told: list[tuple[float, str]] = []
    both = Barrier(2)

    def work(item: int) -> int:
        both.wait(20)  # passes only where two are at work at once
        report(0.5, f"at {item}")
        return item * 10

    with watched_by(lambda fraction, stage: told.append((fraction, stage))):
        assert side_by_side((1, 2, 3, 4), work, 2, lambda item: f"{item}: ") == (10, 20, 30, 40)
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told)
    assert told[-1][0] == 1.0
    assert {stage for _, stage in told} >= {f"{i}: at {i}" for i in (1, 2, 3, 4)}


def test_the_first_error_side_by_side_ends_what_was_not_begun() -> None:
    begun: list[int] = []

    def work(item: int) -> None:
        begun.append(item)
        raise ValueError(str(item))

    with pytest.raises(ValueError, match="1"):
        side_by_side(range(1, 100), work, 1)
    assert len(begun) < 99
