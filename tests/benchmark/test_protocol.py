from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmark.series import protocol_file
from udacisense.benchmark import protocol
from udacisense.benchmark.protocol import get_protocol, protocol_names
from udacisense.benchmark.replication import MIN_STARTS
from udacisense.benchmark.run_warnings import remarks
from udacisense.errors import MeasureError

WHOLE = "starts = 6\nrounds = 8\nblock_s = 0.1\nmin_runs = 10\nmin_s = 1.0\nmax_rounds = 9\nwarmup_max_s = 1.0\n"


def test_what_is_shipped_keeps_its_promises(home: Path) -> None:
    quick, standard, soak, selftest = (get_protocol(name) for name in ("quick", "standard", "soak", "selftest"))
    steady = quick.starts * (quick.rounds * quick.block_s + quick.whole_rounds * quick.whole_s)
    assert 3 <= steady + quick.warmup_max_s / 2 <= 6, "about 5 s a subject"
    assert standard.min_runs >= 100
    assert standard.min_s >= 10
    assert min(quick.starts, standard.starts) >= MIN_STARTS
    assert selftest.starts == standard.starts, "it speaks for the standard protocol"
    assert soak.min_s >= 300
    assert soak.rounds * (soak.block_s + soak.load_s) >= 300
    assert soak.order == "alone"
    assert set(protocol_names()) >= {"quick", "standard", "soak", "selftest"}


def test_a_protocol_of_ones_own_needs_no_name_in_it(home: Path, tmp_path: Path) -> None:
    assert get_protocol(str(protocol_file(tmp_path, WHOLE))).name == "mine"


def test_a_protocol_in_the_home_goes_before_the_shipped_one(home: Path) -> None:
    folder = home / "benchmarks" / "protocols"
    folder.mkdir(parents=True)
    protocol_file(folder, WHOLE, "quick")
    assert get_protocol("quick").rounds == 8


def test_an_installed_package_finds_its_protocols(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "share" / "benchmarks" / "protocols"
    installed.mkdir(parents=True)
    protocol_file(installed, WHOLE, "there")
    monkeypatch.setattr(protocol, "SHARED", tmp_path / "share")
    assert get_protocol("there").rounds == 8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            WHOLE + "colour = 3\n",
            r"colour: there is no such key, the keys are name, order, starts, shared_starts, rounds",
            id="unknown key",
        ),
        pytest.param(
            WHOLE.replace("rounds = 8", "rounds = 0"), "rounds: Input should be greater than or equal to 1", id="rounds"
        ),
        pytest.param(
            WHOLE.replace("max_rounds = 9", "max_rounds = 7"), "max_rounds is 7, fewer than the 8", id="max below min"
        ),
        pytest.param(WHOLE.replace("starts = 6", "starts = 0"), "starts: Input should be greater", id="starts"),
        pytest.param(
            WHOLE.replace("starts = 6\nrounds = 8", "starts = 2\nrounds = 2"), "2 starts of 2 rounds are too few", id="few"
        ),
        pytest.param("rounds = ", "is not a TOML file", id="no TOML"),
        pytest.param("", "Field required", id="empty"),
    ],
)
def test_a_mistake_is_told_plainly(home: Path, tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(MeasureError, match=message):
        get_protocol(str(protocol_file(tmp_path, text)))


def test_an_unknown_name_lists_the_known_ones(home: Path) -> None:
    with pytest.raises(MeasureError, match=r"Pick one of: .*quick, standard, soak"):
        get_protocol("swift")


# --- remarks ------------------------------------------------------------------------------------------------------------


def test_too_few_runs_and_a_date_that_was_set_are_told(home: Path) -> None:
    said = remarks([[0.01] * 5], get_protocol("standard"), enough=False, clock_step_s=-3600)
    assert "Only 5 runs were taken where the protocol standard asks for 100 runs and 10 s" in said[0]
    assert "set back by 3600 s during the run" in said[1]
    assert remarks([[0.01] * 5], get_protocol("standard"), enough=True, clock_step_s=0.4) == ()
