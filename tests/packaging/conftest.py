"""The wheels and the source distributions, built once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packaging.support.environments import build


@pytest.fixture(scope="session")
def constructs_built(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return build(repository, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def runtime_built(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return build(repository / "constructs", tmp_path_factory.mktemp("dist-runtime"))


@pytest.fixture(scope="session")
def wheel(constructs_built: tuple[Path, Path]) -> Path:
    """The wheel of cdk-redis."""
    return constructs_built[0]


@pytest.fixture(scope="session")
def runtime_wheel(runtime_built: tuple[Path, Path]) -> Path:
    """The wheel of cdk-redis-runtime."""
    return runtime_built[0]
