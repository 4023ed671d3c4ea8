"""The library works with the lowest versions that pyproject.toml allows."""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.support.environments import install, pins_of, requirements, run, virtual_environment

pytestmark = pytest.mark.long

SCRIPT = Path(__file__).parents[1] / "support" / "synthesize_examples.py"
# Quick tests with real engines: connect() in both modes, with and without asyncio, and the whole smoke test.
RUNTIME_TESTS = [
    "tests/runtime/client/test_connect.py",
    "tests/runtime/client/test_options.py",
    "tests/runtime/client/test_rotation.py::test_wrong_password_is_read_again_only_after_a_pause",
    "tests/runtime/smoke_test/test_healthy_store.py",
    "tests/runtime/smoke_test/test_iam.py",
]
# Packages that these tests import, in addition to the library.
TOOLS = ("boto3", "botocore", "hypothesis", "ministack", "pytest", "pytest-timeout", "pytest-xdist", "rich", "trustme")


@pytest.fixture(scope="module")
def lowest(repository: Path, wheel: Path, runtime_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the lowest versions of the library's direct requirements."""
    python = virtual_environment(tmp_path_factory.mktemp("lowest"))
    # "lowest-direct" applies to the packages named here; their dependencies are the newest.
    install(python, "--resolution", "lowest-direct", wheel, runtime_wheel, *requirements(repository))
    # With their markers: some tools have another version for each Python.
    pins = [pin.requirement for pin in pins_of(repository / "requirements-dev.txt")]
    install(python, *(str(pin) for pin in pins if pin.name in TOOLS))
    return python


def synthesize(python: Path | str, repository: Path, out: Path) -> None:
    # jsii starts the Node.js of this environment.
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    run(python, SCRIPT, repository / "examples", out, cwd=out, CDK_VALIDATION="false", PATH=path)


def stores_of(out: Path) -> dict[str, dict[str, Any]]:
    """The resources of both services, by example, stack and logical id."""
    found: dict[str, dict[str, Any]] = {}
    for template in out.glob("*/*.template.json"):
        for name, resource in json.loads(template.read_text())["Resources"].items():
            if resource["Type"].startswith(("AWS::ElastiCache::", "AWS::MemoryDB::")):
                kept = {key: value for key, value in resource.items() if key != "Metadata"}
                if resource["Type"] == "AWS::ElastiCache::GlobalReplicationGroup":
                    # An older aws-cdk-lib cannot tag this resource; nothing else is missing.
                    kept["Properties"] = {key: value for key, value in resource["Properties"].items() if key != "Tags"}
                found[f"{template.relative_to(out)}/{name}"] = kept
    return found


@pytest.mark.timeout(600)
def test_the_lowest_aws_cdk_lib_defines_the_same_stores_as_the_newest(
    lowest: Path, repository: Path, tmp_path: Path
) -> None:
    low, new = tmp_path / "low", tmp_path / "new"
    for folder, python in ((low, lowest), (new, sys.executable)):
        folder.mkdir()
        synthesize(python, repository, folder)
    assert len(stores_of(new)) > 50
    assert stores_of(low) == stores_of(new)

    version = run(lowest, "-c", "from importlib import metadata; print(metadata.version('aws-cdk-lib'))", cwd=low)
    assert version.strip() != metadata.version("aws-cdk-lib")
    assert json.loads((new / "durability.json").read_text()) == ""
    assert json.loads((low / "durability.json").read_text()) == (
        f"Stack/Cache: durability: got 'sync', but the installed aws-cdk-lib {version.strip()} does not know it, "
        'version 2.260.0 or newer does; run: pip install "aws-cdk-lib>=2.260.0"'
    )


@pytest.mark.timeout(600)
def test_the_lowest_redis_py_connects_and_runs_the_smoke_test(lowest: Path, repository: Path) -> None:
    options = ["-q", "-x", "-p", "no:cacheprovider", "-o", "addopts=--import-mode=importlib"]
    run(lowest, "-m", "pytest", *options, *RUNTIME_TESTS, cwd=repository)
