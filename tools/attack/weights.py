"""Weight files and TorchScript: opened as the pages do, and by the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.attack import homes, measured
from tools.attack.row import Row

SECRET = b"what no file may read"
MOST_MB = 1536.0
HARMLESS = {
    "Sound.pt on models",
    "Sound.pt on classify",
    "NaN.pt on models",
    "LoopOnImages.pt on models",
    "Print.pt on models",
    "Print.pt on classify",
}
"""What may be answered: figures without a number are refused where they are used, and loops where they begin."""
SHORT = {"Write", "Read", "Save", "LoopOnImages", "Grow", "Raise", "Sound"}
LIMIT_S = 6
"""In the short form a call may take so long; the whole attack waits for the product's own limit."""


def weights(arena: Path, short: bool) -> Iterator[Row]:
    """Pickles, damaged files, and small files that grow."""
    for kind, attack in (
        ("pickles", "pickles that would run code: os.system, eval, exec, whole modules, numpy"),
        ("damaged", "damaged, cut, random, empty, 100,000 entries, stride 0, 3 GB declared, 100,000 deep"),
        ("bombs", f"3 MB archives that unpack to {'0.3' if short else '3'} GB: a storage, a pickle"),
    ):
        yield _opened(arena, kind, attack, short)


def _opened(arena: Path, kind: str, attack: str, short: bool) -> Row:
    home, target = _made(arena, kind, short)
    files = sorted((home / "models").iterdir())
    row = Row(attack, len(files))
    told, ended = measured.ask(home, "open_models", *([str(LIMIT_S), "--models-only"] if short else []), timeout_s=900)
    _judge_app(row, told, ended, {path.name for path in files})
    for name, said in _answers(told):
        row.expect(said != "answered", f"{name} was taken for a model")
    for path in files if not short or kind == "bombs" else ():
        _judge_verb(row, path, measured.verb(home, "convert", str(path), "--format", "onnx"))
    _judge_target(row, target)
    return row


def scripts(arena: Path, short: bool) -> Iterator[Row]:
    """TorchScript files that reach for what is not theirs."""
    home, target = _made(arena, "scripts", short)
    measured.run(measured.module("tools.attack.make_weights", "sound", str(home / "models"), str(target)), home)
    for path in (home / "models").iterdir():
        if short and path.stem not in SHORT:
            path.unlink()
    names = {path.name for path in (home / "models").iterdir()}
    row = Row(
        "TorchScript: write, read, save, loop, 100 GB at once, growing, raise, print, NaN, 10,000,000 classes", len(names) - 1
    )
    told, ended = measured.ask(home, "open_models", *([str(LIMIT_S)] if short else []), timeout_s=1500)
    _judge_app(row, told, ended, names)
    answered = {name for name, said in _answers(told) if said == "answered"}
    row.expect(answered <= HARMLESS, f"answered: {sorted(answered - HARMLESS)}")
    row.expect("Sound.pt on classify" in answered, f"the harmless file was refused: {told.get('files', {}).get('Sound.pt')}")
    row.figures["refused before they ran"] = sum(
        s["models"].startswith("UnsafeFileError") for s in told.get("files", {}).values()
    )
    if not short:
        for name in ("Write.pt", "Read.pt", "Save.pt", "Grow.pt"):
            path = home / "models" / name
            _judge_verb(row, path, measured.verb(home, "evaluate", str(path), "--source", "sample", timeout_s=300))
    _judge_target(row, target)
    row.expect(SECRET.hex() not in str(told) and SECRET.decode() not in str(told), "what a file holds was told")
    yield row


def _made(arena: Path, kind: str, short: bool) -> tuple[Path, Path]:
    home = homes.empty(arena, kind)
    target = arena / f"{kind}-outside" / "target"
    target.parent.mkdir()
    target.write_bytes(SECRET)
    arguments = [kind, str(home / "models"), str(target), *(["--short"] if short else [])]
    made = measured.run(measured.module("tools.attack.make_weights", *arguments), home, 300)
    if made.code != 0:
        raise RuntimeError(f"the files of {kind} were not made: {made.err[-500:]}")
    return home, target


def _answers(told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, pages in told.get("files", {}).items():
        for page, said in pages.items():
            yield f"{name} on {page}", said


def _judge_app(row: Row, told: dict[str, Any], ended: measured.Ended, names: set[str]) -> None:
    """Every file got one plain sentence, and neither the app's process nor a child took more than it may."""
    row.expect(told, f"the app's process ended with {ended.code}: {ended.err[-800:]}")
    row.expect(set(told.get("files", {})) == names, f"not all were opened: {sorted(names - set(told.get('files', {})))}")
    for name, said in _answers(told):
        plain = "unforeseen" not in said and "Traceback" not in said and "\n" not in said and not said.endswith("..")
        row.expect(plain, f"{name}: {said}")
    app, child = told.get("app_mb", 0.0), told.get("child_mb", 0.0)
    row.expect(max(app, child) <= MOST_MB, f"{app:.0f} MB in the app, {child:.0f} MB in a child")
    row.figures |= {"app MB": app, "child MB": child, "cpu s": ended.cpu_s}
    row.figures["errors"] = sum(said != "answered" for _, said in _answers(told))


def _judge_verb(row: Row, path: Path, ended: measured.Ended) -> None:
    row.figures["verb MB"] = max(row.figures.get("verb MB", 0.0), ended.peak_mb)
    row.figures["verb cpu s, most"] = max(row.figures.get("verb cpu s, most", 0.0), ended.cpu_s)
    row.expect(
        ended.clean and ended.code == 3, f"the verb on {path.name} ended with {ended.code}: {(ended.out + ended.err)[-600:]}"
    )
    row.expect(ended.peak_mb <= MOST_MB, f"the verb on {path.name} took {ended.peak_mb:.0f} MB")


def _judge_target(row: Row, target: Path) -> None:
    found = sorted(path.name for path in target.parent.iterdir())
    row.expect(found == [target.name], f"written outside: {found}")
    row.expect(target.read_bytes() == SECRET, "a file outside was changed")
