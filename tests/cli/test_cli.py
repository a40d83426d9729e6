"""The command line: one document on stdout, one clear message for an error, verdicts by code, and a quick --help."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.fakes import fake_checkpoint, fake_format, made
from tests.story import Story
from udacisense import formats, verbs
from udacisense.cli.main import main
from udacisense.cli.watching import JobSink, LogSink
from udacisense.errors import ExportError
from udacisense.number_format import percent
from udacisense.progress import WAITING, report
from udacisense.records import store
from udacisense.types import FailedConversion, Format, Status
from udacisense.verbs import Judgement

HEAVY = {"torch", "numpy", "pydantic", "pandas", "matplotlib", "streamlit", "PIL", "rich.progress", "udacisense.verbs"}


class Ended(NamedTuple):
    code: int
    out: str
    err: str


Call = Callable[..., Ended]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """Run the command line in this process."""
    before = signal.getsignal(signal.SIGTERM)

    def run(*argv: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["udacisense", *argv])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    yield run
    signal.signal(signal.SIGTERM, before)


def test_help_names_every_verb_and_imports_nothing_heavy() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "udacisense", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    for verb in (
        "env",
        "data",
        "models",
        "train",
        "compress",
        "card",
        "convert",
        "inspect",
        "package",
        "classify",
        "evaluate",
        "verify",
        "benchmark",
        "ready",
        "report",
        "run",
    ):
        assert f"│ {verb} " in shown.stdout
    imported = {line.rpartition("|")[2].strip() for line in shown.stderr.splitlines()}
    assert imported & HEAVY == set()


def test_models_of_an_empty_store_says_what_to_do(home: Path, call: Call) -> None:
    ended = call("models")
    assert ended.code == 0
    assert "train a baseline: python -m udacisense train" in " ".join(ended.out.split())


def test_json_is_one_document_with_relative_paths(seeded_home: Story, call: Call) -> None:
    ended = call("models", "--json")
    document = json.loads(ended.out)
    assert [a["id"] for a in document["artifacts"]] == [seeded_home.faithful.id, seeded_home.drifting.id]
    assert document["checkpoints"][0]["path"] == "models/baseline_mobilenet/checkpoints/model.pth"
    assert document["default_id"] == seeded_home.checkpoint.id


def test_ids_are_never_cut_short(seeded_home: Story, call: Call) -> None:
    assert seeded_home.faithful.id in call("models").out


def test_an_error_is_one_message_and_code_3(home: Path, call: Call) -> None:
    ended = call("convert", "no-such-thing")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("Error: There is no checkpoint 'no-such-thing'")
    assert "Traceback" not in ended.err


def test_an_error_with_json_is_a_document_too(home: Path, call: Call) -> None:
    ended = call("convert", "no-such-thing", "--json")
    document = json.loads(ended.out)
    assert (ended.code, document["kind"]) == (3, "NotFoundError")
    assert "no-such-thing" in document["error"]


def test_a_mistake_in_the_arguments_is_an_error_not_a_verdict(home: Path, call: Call) -> None:
    assert call("ready", "--nonsense").code == 3
    assert "No such option" in json.loads(call("ready", "--nonsense", "--json").out)["error"]


def test_a_bug_is_told_with_its_traceback_and_code_3(home: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(verbs, "models_info", broken)
    ended = call("models", "--json")
    assert ended.code == 3
    assert "oops" in json.loads(ended.out)["error"]
    assert "Traceback" in ended.err


@pytest.mark.parametrize(("status", "code"), [("pass", 0), ("fail", 1), ("unknown", 2)])
def test_ready_says_its_verdict_by_its_code(
    status: Status, code: int, seeded_home: Story, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verbs, "ready", lambda artifact: Judgement(status, seeded_home.readiness))
    shown = call("ready")
    assert shown.code == code
    assert "Latency under 200 ms" in shown.out
    assert json.loads(call("ready", "--json").out)["status"] == status


def test_what_libraries_print_stays_out_of_the_document(
    seeded_home: Story, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def noisy(*_: Any) -> Any:
        print("a library says hello")
        report(0.5, "half way")
        return seeded_home.faithful

    monkeypatch.setattr(verbs, "convert", noisy)
    ended = call("convert", "x", "--json")
    assert json.loads(ended.out)["id"] == seeded_home.faithful.id
    assert "a library says hello" in ended.err
    assert "50 %  half way" in ended.err


def test_every_answer_is_shown_to_a_person(seeded_home: Story, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    story = seeded_home
    monkeypatch.setattr(verbs, "evaluate", lambda *_: story.evaluations[1])
    monkeypatch.setattr(verbs, "verify", lambda *_: story.verifications[1])
    monkeypatch.setattr(verbs, "benchmark", lambda *_: story.benchmarks)
    monkeypatch.setattr(verbs, "train", lambda *_: story.checkpoint)
    assert percent(story.evaluations[1].top1) in call("evaluate", "x").out
    assert "batch of 4" in call("verify", "x").out
    timed = call("benchmark", "x", "y").out
    assert "260.00 MB" in timed
    assert story.drifting.id in timed
    assert re.search(r"\S+ against \S+: (Faster|Slower|Equal|Inconclusive|Too few)", timed)
    assert f"--against {story.benchmarks[0].run_id}" in timed
    assert story.checkpoint.id in call("train").out


def test_runs_are_listed(seeded_home: Story, call: Call) -> None:
    assert seeded_home.benchmarks[0].run_id in call("runs").out
    assert json.loads(call("runs", "--json").out)[0]["id"] == seeded_home.benchmarks[0].run_id


def test_the_report_goes_to_stdout_or_to_a_file(seeded_home: Story, call: Call, tmp_path: Path) -> None:
    assert call("report", seeded_home.faithful.id).out.startswith("# UdaciSense report\n\n## torchscript-fp32")
    page = tmp_path / "out" / "report.html"
    assert str(page) in call("report", "--format", "html", "--out", str(page)).out
    assert seeded_home.drifting.id in page.read_text()
    assert call("report", "--format", "docx").code == 3
    assert "There is no artifact 'nothing'" in call("report", "nothing").err


def test_the_report_on_an_empty_store_gives_advice(home: Path, call: Call) -> None:
    assert "There is no artifact yet" in call("report").out


def test_data_of_the_sample(sample_home: Path, call: Call) -> None:
    ended = call("data")
    assert (ended.code, "wardrobe" in ended.out, "Rendered sample" in ended.out) == (0, True, True)
    assert json.loads(call("data", "--json").out)["source"]["name"] == "sample"
    assert "Use one of cifar100, folder, sample" in call("data", "--source", "moon").err


def test_env_lists_devices_versions_seed_and_settings(home: Path, call: Call) -> None:
    document = json.loads(call("env", "--json").out)
    assert document["devices"][0]["kind"] == "cpu"
    assert document["seed"] == 42
    assert document["versions"]["torch"]
    assert {"UDACISENSE_HOME", "UDACISENSE_SEED"} <= {row["name"] for row in document["settings"]}
    assert "seed 42" in call("env").out


def test_a_terminated_verb_removes_its_temporary_files(home: Path) -> None:
    program = (
        "import sys, os, signal, time\n"
        "from udacisense.cli.main import main\n"
        "from udacisense import verbs\nfrom udacisense.records import store\n"
        "from pathlib import Path\n"
        f"target = Path({str(home / 'models' / 'x.pth')!r})\n"
        "def slow():\n"
        "    with store.replace_file(target) as part:\n"
        "        part.write_text('half'); os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)\n"
        "verbs.models_info = slow\n"
        "sys.argv = ['udacisense', 'models']; main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False, env={**os.environ}, timeout=60)
    assert ended.returncode == 128 + signal.SIGTERM
    assert list((home / "models").iterdir()) == []


def test_progress_lines_are_few_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000))
    monkeypatch.setattr("udacisense.cli.watching.time.monotonic", lambda: next(clock) * 0.01 + 100)
    with open(tmp_path / "lines", "w+") as lines, open(tmp_path / "log", "w+") as log:
        sink = JobSink(lines, log)
        for i in range(50):
            sink(i / 100, f"batch {i}")
        sink(0.5, f"{WAITING}other work")
        sink(0.5, "at work")
        sink(1.0, "done")
        lines.seek(0)
        told = [json.loads(line)["stage"] for line in lines]
    assert told[0] == "batch 0"
    assert len(told) < 15
    assert told[-3:] == [f"{WAITING}other work", "at work", "done"]


def test_log_lines_are_at_most_one_a_second(tmp_path: Path) -> None:
    with open(tmp_path / "log", "w+") as log:
        sink = LogSink(log)
        for i in range(100):
            sink(i / 100, f"batch {i}")
        log.seek(0)
        assert len(log.readlines()) == 1


def test_errors_of_the_tree_reach_the_person_as_they_are(home: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise ExportError("It failed, because of this. Do that.")

    monkeypatch.setattr(verbs, "convert", refuse)
    assert call("convert", "x").err.endswith("Error: It failed, because of this. Do that.\n")


def test_a_failed_conversion_is_listed_with_its_log_until_it_is_made_good(seeded_home: Story, call: Call) -> None:
    record = FailedConversion(
        id="failed-onnx-fp32-1",
        checkpoint_id=seeded_home.checkpoint.id,
        format="onnx",
        precision="fp32",
        recipe="default",
        stage="lowering",
        message="was killed by SIGSEGV while lowering",
        log="Fatal Python error",
        made=made(created="2026-02-01T00:00:00Z"),
    )
    store.save(record)
    said = " ".join(call("models").out.split())
    assert "killed by SIGSEGV" in said
    assert "results/failed_conversion/failed-onnx-fp32-1.json" in said
    assert [f["log"] for f in json.loads(call("models", "--json").out)["failed"]] == ["Fatal Python error"]


def test_all_takes_no_recipe(seeded_home: Story, call: Call) -> None:
    ended = call("convert", seeded_home.checkpoint.id, "--format", "all", "--recipe", "static")
    assert ended.code == 3
    assert "a recipe belongs to one format" in " ".join(ended.err.replace("│", " ").split())


def test_all_files_are_verified_and_a_proof_is_not_made_twice(
    sample_home: Path, fake_formats: dict[str, Format], monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    checkpoint = fake_checkpoint(sample_home / "models" / "m.pth")
    assert call("convert", checkpoint.id, "--format", "all", "--precision", "all").code == 0
    found = json.loads(call("verify", "all", "--json").out)
    assert [v["agreement"] for v in found["verifications"]] == [1.0, 1.0]
    assert found["failures"] == []
    kept = set((sample_home / "results" / "verification").iterdir())
    again = json.loads(call("verify", "all", "--json").out)
    assert {v["id"] for v in again["verifications"]} <= {v["id"] for v in found["verifications"]}
    assert set((sample_home / "results" / "verification").iterdir()) == kept
    formats.FORMATS["fake"] = fake_format("fake", unavailable=lambda capability: "Not here.")
    shutil.rmtree(sample_home / "results" / "verification")
    assert "cannot run here: Not here." in " ".join(call("verify", "all").out.split())
