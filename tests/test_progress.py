"""Work tells where it is; parts of work share one scale."""

from __future__ import annotations

from udacisense.progress import part, report, watched_by


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
