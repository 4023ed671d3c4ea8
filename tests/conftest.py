"""What every test needs: guards of the layout, quiet and fast synths."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent

# All of this before anything imports jsii, which starts Node.js with the environment of that moment.

# aws-cdk-lib validates the templates of each process for seconds; tests/compliance/ does so on purpose.
os.environ["CDK_VALIDATION"] = "false"
# jsii starts "node" from PATH: the virtual environment's is the one that requirements-dev.txt pins.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
# Where that is not installed, any Node.js will do for a test, without ten lines of warning in each process.
os.environ["JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"] = "true"
os.environ["JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION"] = "true"
# Without these the message would be "No module named 'constructs._jsii'".
if (REPOSITORY / "constructs" / "__init__.py").exists():
    pytest.exit("constructs/__init__.py shadows the library that aws-cdk-lib needs: delete it (see CONTRIBUTING.md)", 4)
if importlib.util.find_spec("constructs._jsii") is None:
    pytest.exit("the packages are not installed: run the tests with 'make test' or 'make unit'", 4)


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the repository."""
    return REPOSITORY


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Callable[[str], dict[str, Path]]:
    """Synthesizes the app for an environment, once; gives the template file of each stack by the stack's name."""

    @cache
    def synthesize(environment: str) -> dict[str, Path]:
        import aws_cdk as cdk

        from app import build

        context = json.loads((repository / "cdk.json").read_text())["context"]
        folder = tmp_path_factory.mktemp(environment)
        app = cdk.App(context={**context, "env": environment}, outdir=str(folder))
        build(app)
        return {stack.stack_name: Path(stack.template_full_path) for stack in app.synth().stacks}

    return synthesize


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start long files first: one that starts last keeps one worker busy while the others have nothing left to do."""
    long = {item.path for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: item.path not in long)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a token in a table without its number, which differs from process to process."""
    is_text = isinstance(val, str) and "${Token[" in val
    is_number = isinstance(val, float) and -1e300 < val < -1e288
    return "token" if is_text or is_number else None
