"""The repository's app, synthesized once, and a check that deploys leave no files or processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cdk_redis_local import LocalCloud, find_engine
from cdk_redis_local._core.keeper import marked_processes
from tests.e2e.support.deploys import Deploys


@pytest.fixture(scope="session")
def engine() -> str:
    """This machine's engine, in the form of the app's context value."""
    program = find_engine()
    return f"{program.name}:{program.major_minor}"


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory, repository: Path, engine: str) -> Path:
    """The app's cloud assembly for the local environment, synthesized once for all deploys."""
    directory = tmp_path_factory.mktemp("assembly") / "cdk.out"
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(directory),
        "CDK_CONTEXT_JSON": json.dumps({"env": "local", "engine": engine}),
        "CDK_DEFAULT_ACCOUNT": "000000000000",
        "CDK_DEFAULT_REGION": "us-east-1",
    }
    subprocess.run([sys.executable, "app.py"], cwd=repository, env=environment, check=True)
    return directory


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[str]]]:
    """A temporary directory for the local cloud only; returns the files and processes left there."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen: set[Path] = set()

    def left() -> list[str]:
        seen.update(tmp_path.glob("cdk-redis-local-*"))
        processes = [process for workspace in seen for process in marked_processes(workspace)]
        return [*(path.name for path in tmp_path.iterdir()), *map(str, processes)]

    yield left
    assert left() == []


@pytest.fixture(scope="session")
def deploys(repository: Path) -> Iterator[Deploys]:
    """One bootstrapped local cloud for all tests that deploy and destroy their own apps."""
    with LocalCloud(node_modules=repository / "node_modules") as cloud:
        made = Deploys(cloud, repository)
        made.bootstrap()
        yield made
