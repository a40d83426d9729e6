"""The usage line of every verb and function: it is there, and it would be understood."""

from __future__ import annotations

import ast
import doctest
import inspect
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
import typer.main

import server
import udacisense
from udacisense import number_format, verbs
from udacisense.cli.app import app
from udacisense.cli.examples import EXAMPLES

COMMANDS: Any = typer.main.get_command(app)
FUNCTIONS = [
    *(pytest.param(getattr(verbs, n), id=f"verbs.{n}") for n in verbs.__all__ if inspect.isfunction(getattr(verbs, n))),
    *(pytest.param(getattr(udacisense, n), id=n) for n in udacisense.__all__ if n.islower()),
]


@pytest.mark.parametrize("verb", sorted(COMMANDS.commands))
def test_the_example_of_a_verb_is_one_of_its_command_lines_and_stands_in_its_help(verb: str) -> None:
    command = COMMANDS.commands[verb]
    name, *arguments = EXAMPLES[verb].split()
    assert name == verb
    command.make_context(verb, arguments)  # raises what the command line would say
    assert command.epilog == f"Example: python -m udacisense {EXAMPLES[verb]}"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_example_of_a_function_is_a_call_that_it_takes(function: Callable[..., Any]) -> None:
    lines = re.findall(r">>> (.*)", function.__doc__ or "")
    assert lines, "its docstring has no usage line"
    calls = [node for node in ast.walk(ast.parse("\n".join(lines))) if isinstance(node, ast.Call)]
    (call,) = [node for node in calls if ast.unparse(node.func).rpartition(".")[2] == function.__name__]
    inspect.signature(function).bind(*call.args, **{str(key.arg): key.value for key in call.keywords})


@pytest.mark.parametrize("module", [number_format, server], ids=lambda m: m.__name__)
def test_examples_that_cost_nothing_are_run(module: Any) -> None:
    assert doctest.testmod(import_module(module.__name__)).failed == 0
    assert doctest.testmod(module).attempted > 0
