"""The wheel of cdk-redis-runtime, as a function or a container installs it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.packaging.support.environments import build, metadata_of, run

pytestmark = pytest.mark.long

# Lambda takes 250 MB, unzipped. redis-py has most of the files; a limit this low shows a new requirement.
LARGEST_MB = 15
OURS_KB = 200
# Imports every module that the wheel contains.
IMPORT_ALL = """
import importlib, json, pkgutil, sys
import cdk_redis_runtime
for module in pkgutil.walk_packages(cdk_redis_runtime.__path__, "cdk_redis_runtime."):
    importlib.import_module(module.name)
print(json.dumps({name.partition(".")[0]: str(module.__spec__.origin) for name, module in sys.modules.items()
                  if getattr(module, "__spec__", None)}))
"""


@pytest.fixture(scope="module")
def target(runtime_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what pip installs for a function."""
    folder = tmp_path_factory.mktemp("target")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(*pip, "--target", folder, runtime_wheel, cwd=folder)
    return folder


def test_the_wheel_contains_only_the_run_time_package(runtime_wheel: Path) -> None:
    names = zipfile.ZipFile(runtime_wheel).namelist()

    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"cdk_redis_runtime"}
    assert {name.rpartition(".")[2] for name in names if ".dist-info/" not in name} == {"py", "typed"}
    assert "cdk_redis_runtime/py.typed" in names
    assert runtime_wheel.stat().st_size < OURS_KB * 2**10


def test_the_wheel_requires_redis_py_only_and_brings_the_command(runtime_wheel: Path) -> None:
    required = re.findall(r"^Requires-Dist: ([\w-]+)(?!.*extra ==)", metadata_of(runtime_wheel), re.MULTILINE)
    extras = re.findall(r"^Requires-Dist: ([\w-]+).*extra == '(\w+)'", metadata_of(runtime_wheel), re.MULTILINE)

    assert required == ["redis"]
    assert sorted(extras) == [("botocore", "cli"), ("botocore", "iam"), ("rich", "cli")]
    archive = zipfile.ZipFile(runtime_wheel)
    (scripts,) = (archive.read(name).decode() for name in archive.namelist() if name.endswith("/entry_points.txt"))
    assert "cdk-redis = cdk_redis_runtime.__main__:main" in scripts


def test_what_pip_installs_fits_into_a_function(target: Path) -> None:
    megabytes = sum(path.stat().st_size for path in target.rglob("*") if path.is_file()) / 2**20

    assert megabytes < LARGEST_MB


def test_every_module_can_be_imported_without_the_cdk_and_the_aws_sdk(target: Path) -> None:
    # No packages but those in the folder.
    found = json.loads(run(sys.executable, "-S", "-c", IMPORT_ALL, cwd=target, PYTHONPATH=str(target)))

    assert found["cdk_redis_runtime"].startswith(str(target))
    assert found["redis"].startswith(str(target))
    assert not {"aws_cdk", "constructs", "jsii", "cdk_redis", "boto3", "botocore", "rich"} & found.keys()


def test_a_command_of_the_constructs_says_what_to_install(target: Path) -> None:
    command = [sys.executable, "-S", "-m", "cdk_redis_runtime", "guard", "HEAD"]

    done = subprocess.run(command, cwd=target, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr == "cdk-redis: the command guard needs the package cdk-redis: pip install cdk-redis\n"


@pytest.mark.parametrize(
    ("folder", "built"), [(".", "constructs_built"), ("constructs", "runtime_built")], ids=["cdk-redis", "runtime"]
)
def test_the_source_distribution_builds_the_same_wheel(
    folder: str, built: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    wheel, source = request.getfixturevalue(built)
    with tarfile.open(source) as archive:
        # Without a filter, which Python 3.11.2 does not have: the archive is ours.
        archive.extractall(tmp_path)
    (unpacked,) = tmp_path.iterdir()

    again, _ = build(unpacked, tmp_path / "dist")

    assert again.name == wheel.name
    assert zipfile.ZipFile(again).namelist() == zipfile.ZipFile(wheel).namelist()
    assert metadata_of(again) == metadata_of(wheel)


def test_both_distributions_have_the_licence(repository: Path) -> None:
    # A licence file must be within the project's folder.
    assert (repository / "constructs" / "LICENSE").read_text() == (repository / "LICENSE").read_text()
