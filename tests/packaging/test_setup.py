"""The setup reports missing tools before it downloads anything."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = ("make", "bash", "sh", "awk", "dirname", "sed", "id", "python3")


@pytest.fixture
def checkout(repository: Path, tmp_path: Path) -> Path:
    """A folder with the files that the setup reads, before the setup."""
    for name in ("Makefile", "pyproject.toml", "requirements-dev.txt", "package.json", "package-lock.json"):
        shutil.copy(repository / name, tmp_path)
    shutil.copytree(repository / ".ci", tmp_path / ".ci")
    (tmp_path / "constructs").mkdir()
    shutil.copy(repository / "constructs" / "pyproject.toml", tmp_path / "constructs")
    return tmp_path


@pytest.mark.parametrize("target", ["demo", "test", "bench"])
def test_a_missing_engine_is_reported_before_any_download(checkout: Path, target: str) -> None:
    tools = checkout / "tools"
    tools.mkdir()
    for tool in TOOLS:
        (tools / tool).symlink_to(shutil.which(tool) or pytest.skip(f"{tool} is not on PATH"))
    outcome = subprocess.run(
        [tools / "make", target], cwd=checkout, env={"PATH": str(tools)}, capture_output=True, text=True, check=False
    )
    assert outcome.returncode != 0
    assert "no valkey-server or redis-server on PATH. Install one: sudo apt-get install redis-server" in outcome.stderr
    assert not (checkout / ".venv").exists()


def test_npm_packages_run_no_scripts(repository: Path) -> None:
    lines = [line for line in (repository / ".ci" / "setup").read_text().splitlines() if "npm ci" in line]
    assert lines
    assert all("--ignore-scripts" in line for line in lines)
