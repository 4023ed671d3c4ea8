"""An application with what surrounds a store in AWS, deployed with the CDK CLI and used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.support.deploys import Deploys
from tests.support.concurrency import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(300)]

HANDLER = """
from cdk_redis_runtime import connect

store = connect()


def handler(event, context):
    return {"statusCode": 200, "body": str(store.incr("visits:all"))}
"""


def test_an_ordinary_application_deploys_and_works(deploys: Deploys, tmp_path: Path, engine: str) -> None:
    function = tmp_path / "function"
    function.mkdir()
    (function / "index.py").write_text(HANDLER)
    assembly = deploys.synthesize("ordinary", tmp_path / "cdk.out", engine=engine, function=str(function))
    said = len(deploys.cloud.said)
    made = deploys.deploy(assembly, "Ordinary")

    assert deploys.invoke(made["FunctionName"]) == {"statusCode": 200, "body": "1"}
    states = deploys.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=made["MachineArn"])["executionArn"]
    wait_until(lambda: states.describe_execution(executionArn=execution)["status"] == "SUCCEEDED", 30)
    assert deploys.invoke(made["FunctionName"])["body"] == "3"
    # What AwsCustomResource read with the AWS SDK for JavaScript.
    assert deploys.client("secretsmanager").describe_secret(SecretId=made["SecretName"])["Name"] == made["SecretName"]
    (reservation,) = deploys.client("ec2").describe_instances(InstanceIds=[made["InstanceId"]])["Reservations"]
    (instance,) = reservation["Instances"]
    assert (instance["PrivateIpAddress"], instance["SubnetId"]) == (made["InstanceAddress"], "subnet-0a")
    assert instance["ImageId"].startswith("ami-")

    messages = "\n".join(deploys.cloud.said[said:])
    for text in ("vpc-0123456789abcdef0, subnet-0a, subnet-0b: no stack", "no machine runs", "load balancer"):
        assert text in messages
    deploys.run("destroy", "--all", "--app", str(assembly), "--force")
    reservations = deploys.client("ec2").describe_instances(InstanceIds=[made["InstanceId"]])["Reservations"]
    assert json.dumps(reservations, default=str).count('"terminated"') == 1
