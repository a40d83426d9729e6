"""The checks that read the source: import circles, and docstrings that leave out an error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tools import import_cycles, raises
from tools.check import TYPED, checks

HOME = Path(__file__).resolve().parents[2]


def package(folder: Path, **files: str) -> Path:
    """A package `p` of these modules; `__init__` is empty where it is not given."""
    (folder / "p").mkdir()
    for name, text in {"__init__": "", **files}.items():
        (folder / "p" / f"{name}.py").write_text(dedent(text), encoding="utf-8")
    return folder


def circles(folder: Path) -> list[list[str]]:
    return import_cycles.cycles(import_cycles.arrows(import_cycles.modules(folder, "p")))


# --- circles --------------------------------------------------------------------------------------------------------------


def test_a_circle_is_found_also_where_an_import_hides_in_a_function(tmp_path: Path) -> None:
    folder = package(
        tmp_path,
        a="from p import b",
        b="def f():\n    from p.c import x",
        c="try:\n    import p.a\nexcept ImportError:\n    pass",
        d="from p.a import y",
    )
    assert circles(folder) == [["p.a", "p.b", "p.c"]]
    assert import_cycles.main(folder, ("p",)) == 1


def test_relative_imports_and_the_package_itself_count(tmp_path: Path) -> None:
    assert circles(package(tmp_path, __init__="from .a import x", a="from . import y")) == [["p", "p.a"]]


def test_an_import_for_types_only_is_no_arrow(tmp_path: Path) -> None:
    folder = package(
        tmp_path,
        a="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p import b\nelse:\n    from p import c",
        b="from p import a",
        c="",
    )
    assert circles(folder) == []
    assert import_cycles.arrows(import_cycles.modules(folder, "p"))["p.a"] == {"p.c"}


def test_two_knots_are_two_circles(tmp_path: Path) -> None:
    folder = package(tmp_path, a="import p.b", b="import p.a", c="import p.d", d="import p.c")
    assert circles(folder) == [["p.a", "p.b"], ["p.c", "p.d"]]


# --- errors -----------------------------------------------------------------------------------------------------------------

HEAD = 'class OwnError(Exception):\n    """Ours."""\n\n\nclass InnerError(OwnError):\n    """Ours too."""\n\n\n'


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        pytest.param("raise OwnError('x')", "raises OwnError", id="left out"),
        pytest.param("if x:\n        raise errors.InnerError", "raises InnerError", id="inside of an if, by its module"),
        pytest.param("for _ in x:\n        with x:\n            raise ValueError", "raises ValueError", id="built in"),
        pytest.param(
            "try:\n        g()\n    except KeyError as e:\n        raise OwnError from e", "raises OwnError", id="handler"
        ),
        pytest.param("match x:\n        case 1:\n            raise OwnError", "raises OwnError", id="match"),
        pytest.param(
            "try:\n        raise OwnError\n    except InnerError:\n        pass", "raises OwnError", id="caught as less"
        ),
        pytest.param('"""Does.\n\n    Raises:\n        GoneError: never.\n    """', "names GoneError", id="made up"),
        pytest.param('"""Raises InnerError."""\n    raise OwnError', "raises OwnError", id="another is named"),
    ],
)
def test_an_error_that_the_docstring_leaves_out_or_makes_up_is_told(tmp_path: Path, body: str, fault: str) -> None:
    folder = package(tmp_path, a=f"{HEAD}def f(x):\n    {body}\n")
    assert [fault in said for said in raises.problems(folder, "p")] == [True]
    assert raises.main(folder, "p") == 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('"""Does.\n\n    Raises:\n        OwnError: always.\n    """\n    raise OwnError', id="named"),
        pytest.param('"""Raises ValueError, always."""\n    raise ValueError(x)', id="named in a sentence"),
        pytest.param("try:\n        raise InnerError\n    except OwnError:\n        pass", id="caught"),
        pytest.param(
            "try:\n        raise InnerError\n    except (KeyError, Exception):\n        pass", id="caught with others"
        ),
        pytest.param("def inner():\n        raise OwnError\n    return inner", id="of a function inside"),
        pytest.param("try:\n        g()\n    except OwnError as exc:\n        raise", id="raised again"),
        pytest.param("raise type(x)('y')", id="of another's class"),
    ],
)
def test_what_is_named_or_caught_is_no_fault(tmp_path: Path, body: str) -> None:
    assert raises.problems(package(tmp_path, a=f"{HEAD}def f(x):\n    {body}\n"), "p") == []


def test_private_functions_are_left_alone_and_methods_are_not(tmp_path: Path) -> None:
    methods = "class A:\n    def f(self):\n        raise OwnError\n    def _g(self):\n        raise OwnError\n"
    text = f"{HEAD}{methods}def _h():\n    raise OwnError"
    assert [said.split(": ")[1].split()[0] for said in raises.problems(package(tmp_path, a=text), "p")] == ["f"]


# --- of this project ----------------------------------------------------------------------------------------------------------


def test_this_project_has_no_circle_and_names_every_error() -> None:
    assert import_cycles.main(HOME, import_cycles.PACKAGES) == 0
    assert raises.problems(HOME, "udacisense") == []


def test_the_checks_run_both_and_type_check_every_folder_of_source() -> None:
    named = dict(checks(quick=True))
    assert named["import circles"][1:] == ["tools/import_cycles.py"]
    assert named["errors named"][1:] == ["tools/raises.py"]
    folders = {p.name for p in HOME.iterdir() if p.is_dir() and any(p.glob("*.py"))}
    assert folders - set(TYPED) <= {"tests", "sample_pack_generator"}


def test_the_routes_cost_nothing_until_they_are_asked_for() -> None:
    program = "import sys, server; print(server.routes(), {'starlette', 'streamlit', 'torch', 'ui'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", program], cwd=HOME, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "() set()"
