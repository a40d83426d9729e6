"""The verb data: a folder described, named, and what was not read of it, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_cli import Call, call
from tests.data.conftest import rooms

__all__ = ["call", "rooms"]


@pytest.fixture(autouse=True)
def cut_off(rooms: Path) -> None:
    """One of its images is damaged."""
    (rooms / "bed/cut.png").write_bytes((rooms / "bed/0.png").read_bytes()[:-50])


def test_a_folder_is_named_described_and_known_to_other_calls(rooms: Path, call: Call) -> None:
    said = call("data", "--folder", str(rooms), "--name", "flat")
    assert said.code == 0
    assert "damaged" in said.out
    assert "bed/cut.png" in said.out
    assert "sofa may mean couch" in said.out
    found = json.loads(call("data", "--source", "flat", "--json").out)
    assert found["source"]["location"] == str(rooms)
    assert {one["kind"]: (one["files"], one["first"]) for one in found["health"]["left_out"]} == {
        "damaged": (1, ["bed/cut.png"]),
        "of no class": (3, ["sofa/0.png", "sofa/1.png", "sofa/2.png"]),
    }
    assert found["sources"] == ["flat", "sample"]


def test_a_name_is_confirmed_and_taken_back(rooms: Path, call: Call) -> None:
    call("data", "--folder", str(rooms))
    said = json.loads(call("data", "--source", "rooms", "--same", "sofa=couch", "--json").out)
    assert said["health"]["same"] == [["sofa", "couch"]]
    assert [part["same"] for part in said["splits"]] == [[["sofa", "couch"]]] * 2
    again = json.loads(call("data", "--source", "rooms", "--same", "sofa=", "--json").out)
    assert (again["health"]["same"], again["health"]["maybe"]) == ([], [["sofa", "couch"]])


def test_a_default_and_a_forgotten_name(rooms: Path, call: Call) -> None:
    call("data", "--folder", str(rooms), "--default")
    assert json.loads(call("data", "--json").out)["source"]["name"] == "rooms"
    assert json.loads(call("data", "--forget", "rooms", "--json").out)["source"]["name"] == "sample"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--same", "sofa=couch"), "classes of sample are as they are"),
        (("--source", "rooms", "--same", "sofa"), "written as sofa=couch"),
        (("--source", "elsewhere"), "no source called 'elsewhere'. Use one of cifar100, folder, sample, rooms"),
        (("--name", "x"), "--folder goes with --name"),
        (("--forget", "rooms", "--download"), "one at a time"),
    ],
)
def test_what_cannot_be_says_why(rooms: Path, call: Call, options: tuple[str, ...], says: str) -> None:
    call("data", "--folder", str(rooms))
    said = call("data", *options)
    assert said.code != 0
    assert says in " ".join(said.err.replace("│", " ").split())
