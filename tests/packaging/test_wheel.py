"""The wheel of cdk-redis, installed in an empty environment and imported from another folder."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest

from tests.packaging.support.environments import install, metadata_of, pins_of, run, virtual_environment

pytestmark = pytest.mark.long

# A ten-line app of a user.
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


def test_the_wheel_contains_only_two_typed_packages(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    packages = {"cdk_redis", "cdk_redis_local"}
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == packages
    assert {f"{package}/py.typed" for package in packages} <= set(names)


def test_the_wheel_requires_the_run_time_package_of_the_same_version(wheel: Path, runtime_wheel: Path) -> None:
    required = re.findall(r"^Requires-Dist: ([\w-]+)(?!.*extra ==)", metadata_of(wheel), re.MULTILINE)
    # Few on purpose: an app with the constructs installs no other packages.
    assert sorted(required) == ["aws-cdk-lib", "cdk-redis-runtime", "constructs"]
    version = re.findall(r"^Version: (.*)", metadata_of(runtime_wheel), re.MULTILINE)
    assert re.findall(r"^Requires-Dist: cdk-redis-runtime==(.*)", metadata_of(wheel), re.MULTILINE) == version


@pytest.mark.timeout(300)
def test_a_ten_line_app_in_another_folder_synthesizes(
    wheel: Path, runtime_wheel: Path, repository: Path, tmp_path: Path
) -> None:
    pins = [str(pin.requirement) for pin in pins_of(repository / "requirements.txt")]
    (tmp_path / "constraints.txt").write_text("\n".join(pins))
    python = virtual_environment(tmp_path)
    install(python, "-c", tmp_path / "constraints.txt", wheel, runtime_wheel)
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
