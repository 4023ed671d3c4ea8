"""The wheel, as a user gets it: in an empty environment, imported from another folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

# Ten lines of a user's.
USER_APP = """
import aws_cdk as cdk
from cdk_redis import MemoryDbCluster, RedisNetwork, ReplicationGroup, SmokeTest

app = cdk.App(outdir="cdk.out")
stack = cdk.Stack(app, "Mine")
network = RedisNetwork(stack, "Network")
for store in (ReplicationGroup(stack, "Cache", network=network), MemoryDbCluster(stack, "Ledger", network=network)):
    SmokeTest(stack, f"{store.node.id}SmokeTest", target=store)
app.synth()
"""


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    # Nothing of this repository or of its environment may help.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    finished = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=kept | environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built with the hatchling of this environment: no network, no isolated build."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder, cwd=repository)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_three_typed_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    packages = {"cdk_redis", "cdk_redis_runtime", "cdk_redis_local"}
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == packages
    assert {f"{package}/py.typed" for package in packages} <= set(names)


def test_the_wheel_says_what_it_needs(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (archive.read(name).decode() for name in archive.namelist() if name.endswith("/METADATA"))
    required = re.findall(r"^Requires-Dist: ([\w-]+)(?!.*extra ==)", metadata, re.MULTILINE)
    # Few on purpose: an app that imports the constructs installs nothing else.
    assert sorted(required) == ["aws-cdk-lib", "constructs", "redis"]


@pytest.mark.timeout(300)
def test_a_ten_line_app_in_another_folder_synthesizes(wheel: Path, repository: Path, tmp_path: Path) -> None:
    pins = [line for line in (repository / "requirements.txt").read_text().splitlines() if not line.startswith("-e")]
    (tmp_path / "constraints.txt").write_text("\n".join(pins))
    run(sys.executable, "-m", "venv", "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--no-compile", "-c", "constraints.txt", wheel, cwd=tmp_path)
    home = tmp_path / "an app of mine"
    home.mkdir()
    (home / "app.py").write_text(USER_APP)
    run(python, "app.py", cwd=home, CDK_VALIDATION="false")

    template = json.loads((home / "cdk.out" / "Mine.template.json").read_text())
    types = [resource["Type"] for resource in template["Resources"].values()]
    assert types.count("AWS::ElastiCache::ReplicationGroup") == types.count("AWS::MemoryDB::Cluster") == 1
    assert types.count("Custom::Trigger") == 2
    # The function's code comes from the installed wheel.
    assert [*home.glob("cdk.out/asset.*/cdk_redis_runtime/smoke_lambda.py")]
