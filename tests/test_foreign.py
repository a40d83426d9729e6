"""What libraries say comes into our sentences as one line: no trace, no advice to mail its makers, no two full stops."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from udacisense import errors
from udacisense.foreign import LONGEST, in_brief, sentences
from udacisense.settings import PROJECT

TORCHSCRIPT = """The following operation failed in the TorchScript interpreter.
Traceback of TorchScript, serialized code (most recent call last):
  File "code/__torch__/tiny.py", line 13, in forward
    x = torch.flatten(x, 1)
    return torch.linear(x, self.weight, self.bias)
           ~~~~~~~~~~~~ <--- HERE

Traceback of TorchScript, original code (most recent call last):
  File "/home/somebody/tiny.py", line 9, in forward
RuntimeError: mat1 and mat2 shapes cannot be multiplied (1x3136 and 1024x10)
"""
ASSERT = (
    'isGenericDict() INTERNAL ASSERT FAILED at "/__w/pytorch/pytorch/aten/ivalue_inl.h":2119, please report a bug to PyTorch. '
    "Expected GenericDict but got Tuple\nException raised from toGenericDict at /__w/x.h:1 (most recent call first):\nframe #0"
)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (TORCHSCRIPT, "mat1 and mat2 shapes cannot be multiplied (1x3136 and 1024x10)"),
        (ASSERT, "isGenericDict() INTERNAL ASSERT FAILED Expected GenericDict but got Tuple"),
        ("Use the method of the state_dict.", "Use the method of the state_dict"),
        ("Error(s) in loading for Net:\n\tMissing key(s): a, b.", "Error(s) in loading for Net: Missing key(s): a, b"),
        (RuntimeError(""), "RuntimeError"),
        (KeyError("kind"), "there is no 'kind'"),
        (FileNotFoundError(2, "No such file or directory", "/a/b"), "No such file or directory (/a/b)"),
        ("\n\n", "it said nothing"),
    ],
)  # fmt: skip
def test_one_line_without_its_full_stop(said: object, told: str) -> None:
    assert in_brief(said) == told


def test_a_long_line_is_cut_between_two_words() -> None:
    cut = in_brief("word " * 100)
    assert len(cut) <= LONGEST + 2
    assert cut.endswith("word …")
    assert in_brief("x" * 500) == "x" * LONGEST + " …"


def test_each_sentence_ends_once() -> None:
    assert sentences("It failed.", "", "Try again") == "It failed. Try again."
    assert sentences("Is it there?", "Look!") == "Is it there? Look!"


# --- every template of the product ---------------------------------------------------------------------------------------

OURS = {name for name in vars(errors) if name.endswith("Error")} | {"ConverterError", "FileError", "_Ended"}
SOURCES = [p for top in ("udacisense", "ui", "pages") for p in sorted((PROJECT / top).rglob("*.py")) if "files" not in p.parts]


def templates(path: Path) -> Iterator[tuple[int, str]]:
    """Line and fault of every f-string that puts a foreign error in whole, or a full stop behind an error of ours."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    for joined in (node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)):
        around = [h for h in handlers if h.lineno <= joined.lineno <= (h.end_lineno or 0)]
        ours = bool(around) and _names(around[-1]) <= OURS
        for part, after in zip(joined.values, [*joined.values[1:], None], strict=True):
            if not isinstance(part, ast.FormattedValue) or not _is_error(part.value):
                continue
            stop = isinstance(after, ast.Constant) and str(after.value).startswith(".")
            if not ours:
                yield joined.lineno, "a foreign error as it is: put in_brief() around it"
            elif stop:
                yield joined.lineno, "an error of ours ends in a full stop already"


def _names(handler: ast.ExceptHandler) -> set[str]:
    if handler.type is None:
        return {"BaseException"}
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {kind.attr if isinstance(kind, ast.Attribute) else getattr(kind, "id", "?") for kind in kinds}


def _is_error(value: ast.expr) -> bool:
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in ("str", "repr"):
        value = value.args[0]
    if isinstance(value, ast.BoolOp) and isinstance(value.values[0], ast.Attribute) and value.values[0].attr == "strerror":
        return False  # the system's own few words, which end in no full stop
    named = value.values if isinstance(value, ast.BoolOp) else [value]
    return any(isinstance(n, ast.Name) and n.id in ("exc", "error", "err") for n in named)


def test_no_template_pastes_a_foreign_message_whole_or_ends_a_sentence_twice() -> None:
    assert len(SOURCES) > 200
    found = [f"{path.relative_to(PROJECT)}:{line}: {fault}" for path in SOURCES for line, fault in templates(path)]
    assert found == []


def test_the_walk_finds_both_faults(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text(
        "try:\n    pass\nexcept ValueError as exc:\n    print(f'no: {exc}. Mend it.')\n"
        "try:\n    pass\nexcept StoreError as exc:\n    print(f'no: {exc}. Mend it.', f'no: {exc} Mend it.')\n"
    )
    assert [line for line, _ in templates(path)] == [4, 8]


# --- a full disk ---------------------------------------------------------------------------------------------------------


def test_a_full_disk_in_a_conversion_is_told_as_that(home: Path, fake_formats: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another format or precision would not help; the folder and what to do are named, and no rung is tried again."""
    from tests.fakes import fake_checkpoint
    from udacisense.conversion import steps
    from udacisense.conversion.convert import convert
    from udacisense.records import store
    from udacisense.types import FailedConversion

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(home / "models" / "mobile" / "part" / "weights"))

    monkeypatch.setattr(steps.ConversionSteps, "export", full)
    checkpoint = fake_checkpoint(home / "models" / "baseline_mobilenet" / "checkpoints" / "model.pth")
    with pytest.raises(errors.StoreError) as refused:
        convert(checkpoint, "fake", "fp32")
    said = str(refused.value)
    assert f"the disk that holds {home / 'models' / 'mobile' / 'part'} is full" in said
    assert "Free some space" in said
    assert "another format" not in said
    assert ".." not in said
    assert store.records(FailedConversion).records == ()


@pytest.mark.parametrize("said", ["OSError: [Errno 28] No space left on device: 'x'", "write failed: No space left on device"])
def test_a_full_disk_is_known_by_what_the_converter_s_process_says(said: str, tmp_path: Path) -> None:
    from udacisense.conversion.worker_client import ConverterError
    from udacisense.writable import full_disk

    assert full_disk(ConverterError(said), tmp_path) == tmp_path
    assert full_disk(ConverterError("the operator is not known"), tmp_path) is None


def test_a_failed_conversion_ends_its_sentence_once(home: Path, fake_formats: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.fakes import fake_checkpoint
    from udacisense.conversion import steps
    from udacisense.conversion.convert import convert

    def fails(*_: object) -> None:
        raise RuntimeError(TORCHSCRIPT + "Save the state_dict.")

    monkeypatch.setattr(steps.ConversionSteps, "export", fails)
    checkpoint = fake_checkpoint(home / "models" / "baseline_mobilenet" / "checkpoints" / "model.pth")
    with pytest.raises(errors.ExportError) as refused:
        convert(checkpoint, "fake", "fp32")
    assert ".." not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "cannot be multiplied" in str(refused.value)
