"""Deploys of synthesized templates without the CDK CLI."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ssm as ssm

from cdk_redis_local import DeployError, Deploys, LocalCloud, LocalCloudError

HANDLER = """
import os

def handler(event, context):
    print("handles", event)
    return {"files": sorted(os.listdir()), "stage": os.environ["STAGE"]}
"""


@pytest.fixture(scope="module")
def deploys(repository: Path) -> Iterator[Deploys]:
    with LocalCloud(node_modules=repository / "node_modules") as cloud:
        made = Deploys(cloud, repository)
        made.bootstrap()
        yield made


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("function")
    (folder / "index.py").write_text(HANDLER)
    (folder / "tool").write_text("#!/bin/sh\n")
    (folder / "tool").chmod(0o755)
    (folder / "link.py").symlink_to("index.py")
    return folder


class Base(cdk.Stack):
    """A stack that the other one uses, with a stage as a parameter."""

    def __init__(self, scope: Any, code: Path, stage: str) -> None:
        super().__init__(scope, "Base")
        parameter = cdk.CfnParameter(self, "Stage", default=stage)
        self.function = lambda_.Function(
            self,
            "Function",
            runtime=lambda_.Runtime.PYTHON_3_14,
            handler="index.handler",
            code=lambda_.Code.from_asset(str(code)),
            environment={"STAGE": parameter.value_as_string},
        )


class Top(cdk.Stack):
    """A stack with a reference to the other one, a nested stack, and a template that is too long for a request."""

    def __init__(self, scope: Any, base: Base, tags: dict[str, str]) -> None:
        super().__init__(scope, "Top", stack_name="a-name-of-its-own", tags=tags)
        nested = cdk.NestedStack(self, "Nested")
        self.parameter = ssm.StringParameter(nested, "Parameter", string_value="of the nested stack")
        self.template_options.metadata = {"Long": "x" * 60_000}
        cdk.CfnOutput(self, "FunctionName", value=base.function.function_name)
        cdk.CfnOutput(self, "ParameterName", value=self.parameter.parameter_name)


def test_stacks_are_deployed_in_order_with_their_assets(deploys: Deploys, code: Path) -> None:
    app = cdk.App()
    base = Base(app, code, "first")
    top = Top(app, base, {"team": "shop"})

    deployed = deploys.deploy(top, cli=False)

    assert deployed.outputs.keys() == {"Base", "a-name-of-its-own"}  # that of Base is its export
    outputs = deployed.outputs["a-name-of-its-own"]
    answer = deploys.invoke(outputs["FunctionName"])
    assert answer == {"files": ["index.py", "link.py", "tool"], "stage": "first"}
    assert any("handles" in line for line in deploys.logs(base.function))
    assert modes_of_files(deploys) == {"index.py": 0o644, "link.py": 0o644, "tool": 0o755}
    assert deploys.physical_id(base.function) == outputs["FunctionName"]
    parameter = deploys.client("ssm").get_parameter(Name=outputs["ParameterName"])["Parameter"]
    assert parameter["Value"] == "of the nested stack"
    (stack,) = deploys.client("cloudformation").describe_stacks(StackName="a-name-of-its-own")["Stacks"]
    assert stack["Tags"] == [{"Key": "team", "Value": "shop"}]
    assert sorted(deployed.log.splitlines()) == ["Base: CREATE_COMPLETE", "a-name-of-its-own: CREATE_COMPLETE"]

    # As with the CLI: what did not change is not touched, and a parameter keeps its value when its default changes.
    app = cdk.App()
    base = Base(app, code, "second")
    cdk.CfnOutput(base, "New", value="x")
    Top(app, base, {"team": "shop"})
    again = deploys.deploy(app, cli=False)
    assert again.outputs["Base"]["New"] == "x"
    assert again.outputs["a-name-of-its-own"] == outputs
    assert "a-name-of-its-own: no changes" in again.log
    assert deploys.invoke(base.function)["stage"] == "first"

    deploys.destroy("a-name-of-its-own")
    deploys.destroy(base)
    deploys.destroy(base)
    with pytest.raises(LocalCloudError, match="Base/Function is not deployed"):
        deploys.invoke(base.function)


def modes_of_files(deploys: Deploys) -> dict[str, int]:
    """The mode of each file in the only zipped asset."""
    s3, bucket = deploys.client("s3"), "cdk-hnb659fds-assets-000000000000-us-east-1"
    (key,) = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"] if one["Key"].endswith(".zip")]
    archive = zipfile.ZipFile(io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read()))
    return {entry.filename: entry.external_attr >> 16 & 0o777 for entry in archive.infolist()}


def test_a_failed_stack_tells_its_reasons_and_can_be_deployed_again(deploys: Deploys) -> None:
    def build(value: str, version: str | None) -> cdk.App:
        app = cdk.App()
        stack = cdk.Stack(cdk.Stage(app, "Stage"), "Broken")
        ssm.StringParameter(stack, "Parameter", parameter_name="/mine", string_value=value)
        if version:
            elasticache.CfnReplicationGroup(
                stack,
                "Group",
                replication_group_description="x",
                engine="valkey",
                engine_version=version,
                transit_encryption_enabled=True,
            )
        return app

    with pytest.raises(
        DeployError, match=r"(?s)Stage-Broken failed: ROLLBACK_COMPLETE\nGroup \(AWS::ElastiCache.*declares valkey 99"
    ):
        deploys.deploy(build("one", "99"), cli=False)
    deploys.deploy(build("two", None), stacks=["Stage/*"], cli=False)
    assert deploys.client("ssm").get_parameter(Name="/mine")["Parameter"]["Value"] == "two"
    with pytest.raises(DeployError, match="Stage-Broken failed: UPDATE_ROLLBACK_COMPLETE"):
        deploys.deploy(build("three", "99"), cli=False)
    assert deploys.client("ssm").get_parameter(Name="/mine")["Parameter"]["Value"] == "two"


def test_what_only_the_cli_can_deploy_is_refused(deploys: Deploys, tmp_path: Path) -> None:
    app = cdk.App()
    legacy = cdk.Stack(app, "Legacy", synthesizer=cdk.LegacyStackSynthesizer())
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "index.py").write_text("")
    lambda_.Function(
        legacy,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_14,
        handler="index.handler",
        code=lambda_.Code.from_asset(str(tmp_path / "code")),
    )
    other = cdk.App()
    cdk.Stack(other, "Elsewhere", env=cdk.Environment(account="111111111111", region="eu-west-1"))
    looking = cdk.App()
    lookup = cdk.Stack(looking, "Lookup", env=cdk.Environment(account="000000000000", region="us-east-1"))
    ssm.StringParameter.value_from_lookup(lookup, "/looked-up")
    (tmp_path / "cdk.json").write_text(json.dumps({"app": "true"}))
    for given, message in (
        (app, r"Legacy has assets of the legacy synthesizer: deploy it with the CDK CLI \(cli=True\)"),
        (other, "Elsewhere is for account 111111111111, and the local cloud is 000000000000"),
        (looking, "the app looks up context: ssm:account=000000000000:parameterName=/looked-up"),
        (tmp_path, "only the CDK CLI can run the app"),
    ):
        with pytest.raises(LocalCloudError, match=message):
            deploys.deploy(given, cli=False)
    with pytest.raises(LocalCloudError, match=r"no stack Missing; the stacks are Elsewhere"):
        deploys.deploy(other, stacks=["Missing"], cli=False)
