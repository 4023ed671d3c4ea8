"""The applications of examples/ are short, and their own unit tests pass as users run them."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
APPLICATIONS = sorted(path.parent for path in EXAMPLES.glob("*/test_*.py"))
# Lines of code on a screen: one for the stack, one for its programs.
SCREEN = 80


def lines_of_code(path: Path) -> int:
    """Lines other than blank lines, comments and docstrings."""
    tree = ast.parse(path.read_text())
    texts: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            texts.update(range(docstring.lineno, (docstring.end_lineno or 0) + 1))
    lines = enumerate(path.read_text().splitlines(), start=1)
    return sum(1 for number, line in lines if number not in texts and line.strip() and line.strip()[0] != "#")


def test_there_is_an_application_of_each_kind() -> None:
    assert {path.name for path in APPLICATIONS} == {
        *("cache_aside", "fan_out", "job_queue", "leaderboard", "rate_limiter", "session_store"),
    }


@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda path: path.name)
def test_an_application_has_no_more_than_two_screens(application: Path) -> None:
    programs = [*application.glob("function/*.py"), *application.glob("service/*.py")]

    assert lines_of_code(application / "app.py") <= SCREEN
    assert sum(map(lines_of_code, programs)) <= SCREEN


@pytest.mark.parametrize("application", APPLICATIONS, ids=lambda path: path.name)
def test_its_unit_tests_pass_without_an_environment_and_an_engine(application: Path, tmp_path: Path) -> None:
    copy = tmp_path / application.name
    shutil.copytree(application, copy)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("CDK_", "PYTEST_", "AWS_"))
    }

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--rootdir", copy, "-p", "no:cacheprovider"],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout
    assert " passed" in run.stdout
