"""The app: its stacks, and its error messages for invalid settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

import app
from cdk_redis import ConfigurationError
from stacks import SettingsError


def build(repository: Path, tmp_path: Path, **context: Any) -> None:
    defaults = json.loads((repository / "cdk.json").read_text())["context"]
    app.build(cdk.App(context={**defaults, **context}, outdir=str(tmp_path)))


@pytest.mark.parametrize("environment", ["dev", "prod", "local"])
def test_each_store_has_a_stack_and_the_smoke_tests_share_one(
    environment: str, templates: Callable[[str], dict[str, Path]]
) -> None:
    names = ("Network", "ElastiCache", "MemoryDb", "SmokeTests")
    assert list(templates(environment)) == [f"CdkRedis-{environment}-{name}" for name in names]


def resources(template: Path, kind: str) -> list[dict[str, Any]]:
    return [each for each in json.loads(template.read_text())["Resources"].values() if each["Type"] == kind]


def test_prod_is_durable_and_highly_available(templates: Callable[[str], dict[str, Path]]) -> None:
    stacks = templates("prod")
    (group,) = resources(stacks["CdkRedis-prod-ElastiCache"], "AWS::ElastiCache::ReplicationGroup")
    assert group["DeletionPolicy"] == "Snapshot"
    assert (group["Properties"]["NumNodeGroups"], group["Properties"]["ReplicasPerNodeGroup"]) == (3, 2)
    assert group["Properties"]["SnapshotRetentionLimit"] >= 15
    (cluster,) = resources(stacks["CdkRedis-prod-MemoryDb"], "AWS::MemoryDB::Cluster")
    assert (cluster["Properties"]["NumShards"], cluster["Properties"]["NumReplicasPerShard"]) == (3, 2)
    assert "FinalSnapshotName" in cluster["Properties"]
    for stack in ("CdkRedis-prod-ElastiCache", "CdkRedis-prod-MemoryDb"):
        (key,) = resources(stacks[stack], "AWS::KMS::Key")
        assert key["DeletionPolicy"] == "Retain"
        assert key["Properties"]["EnableKeyRotation"] is True


@pytest.mark.parametrize(("environment", "protected"), [("dev", False), ("prod", True)])
def test_stacks_with_data_have_termination_protection_in_prod(
    environment: str, protected: bool, templates: Callable[[str], dict[str, Path]]
) -> None:
    folder = next(iter(templates(environment).values())).parent
    artifacts = json.loads((folder / "manifest.json").read_text())["artifacts"]
    found = {
        name.rpartition("-")[2]: bool(artifact["properties"].get("terminationProtection"))
        for name, artifact in artifacts.items()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    assert found == {"Network": protected, "ElastiCache": protected, "MemoryDb": protected, "SmokeTests": False}


def test_the_smoke_tests_import_no_exports_of_other_stacks(templates: Callable[[str], dict[str, Path]]) -> None:
    # An imported export cannot change, and its stack cannot be deleted.
    texts = {stack: template.read_text() for stack, template in templates("prod").items()}
    assert "Fn::GetStackOutput" in texts["CdkRedis-prod-SmokeTests"]
    assert not [stack for stack, text in texts.items() if "Fn::ImportValue" in text or '"Export"' in text]


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({"env": "stage"}, "env: got 'stage', but the environments of cdk.json are: dev, prod, local"),
        ({"engine": "redis"}, "engine: got 'redis', but an engine is \"NAME:VERSION\""),
        ({"environments": {"dev": {"zone": 3}}}, "wrong settings of the environment 'dev' in cdk.json:\n  - "),
    ],
)
def test_a_wrong_setting_is_reported_with_its_name(
    context: dict[str, Any], message: str, repository: Path, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError) as caught:
        build(repository, tmp_path, **context)
    assert str(caught.value).startswith(message)


def test_a_rejected_parameter_is_reported_with_its_stack(repository: Path, tmp_path: Path) -> None:
    environments = json.loads((repository / "cdk.json").read_text())["context"]["environments"]
    environments["dev"]["elasticache"]["replicas"] = 6
    with pytest.raises(ConfigurationError) as caught:
        build(repository, tmp_path, environments=environments)
    assert str(caught.value).startswith("CdkRedis-dev-ElastiCache/Store: replicas: got 6")


def test_templates_do_not_depend_on_the_current_credentials(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", "111122223333")
    monkeypatch.setenv("CDK_DEFAULT_REGION", "eu-central-1")
    assert environments_of_stacks(repository, tmp_path, {}) == {"aws://unknown-account/unknown-region"}


def test_the_account_and_region_in_the_settings_are_used(repository: Path, tmp_path: Path) -> None:
    pins = {"account": "111122223333", "region": "eu-central-1"}
    assert environments_of_stacks(repository, tmp_path, pins) == {"aws://111122223333/eu-central-1"}


def environments_of_stacks(repository: Path, tmp_path: Path, settings: dict[str, str]) -> set[str]:
    defaults = json.loads((repository / "cdk.json").read_text())["context"]
    environments = {"prod": defaults["environments"]["prod"] | settings}
    root = cdk.App(context={**defaults, "environments": environments, "env": "prod"}, outdir=str(tmp_path))
    app.build(root)
    return {stack.environment for stack in root.node.children if isinstance(stack, cdk.Stack)}


def test_a_wrong_setting_ends_the_app_with_one_message(repository: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "CDK_CONTEXT_JSON": '{"env": "stage"}', "CDK_OUTDIR": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "app.py"], cwd=repository, env=environment, capture_output=True, text=True, check=False
    )
    message = "cdk-redis: env: got 'stage', but the environments of cdk.json are: dev, prod, local\n"
    assert (run.returncode, run.stdout, run.stderr) == (1, "", message)
