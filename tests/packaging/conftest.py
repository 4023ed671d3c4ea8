"""The wheel, built once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.packaging.support.environments import run


@pytest.fixture(scope="session")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it with the hatchling of this environment: no network, no isolated build."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder, cwd=repository)
    (built,) = folder.glob("*.whl")
    return built
