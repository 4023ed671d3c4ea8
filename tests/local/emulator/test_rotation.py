"""RotateSecret runs the rotation function, and the actions that change passwords answer as on AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.support.clouds import Cloud, StackFailedError
from tests.support.concurrency import wait_until

# A secret whose value has "broken" makes the step fail that it names.
_CODE = """
import boto3, json, os

def handler(event, context):
    secrets = boto3.client("secretsmanager")
    secret, version, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    value = json.loads(secrets.get_secret_value(SecretId=secret)["SecretString"])
    if value.get("broken") == step:
        raise ValueError("broken")
    if step == "createSecret":
        try:
            secrets.get_secret_value(SecretId=secret, VersionId=version, VersionStage="AWSPENDING")
        except secrets.exceptions.ResourceNotFoundException:
            text = json.dumps({"number": value["number"] + 1})
            secrets.put_secret_value(
                SecretId=secret, ClientRequestToken=version, SecretString=text, VersionStages=["AWSPENDING"]
            )
    if step == "finishSecret":
        versions = secrets.describe_secret(SecretId=secret)["VersionIdsToStages"]
        current = next(one for one, labels in versions.items() if "AWSCURRENT" in labels)
        secrets.update_secret_version_stage(
            SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=version, RemoveFromVersionId=current
        )
"""
_PERMISSIONS = {
    "PolicyName": "Rotate",
    "PolicyDocument": {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": {"Ref": "Secret"}},
        ],
    },
}


def _resources(value: dict[str, object], *, immediately: bool, permitted: bool = True) -> dict[str, Any]:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    made: dict[str, Any] = {
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": json.dumps(value)}},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": trust, "Policies": [_PERMISSIONS]},
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Code": {"ZipFile": _CODE},
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Timeout": 30,
            },
        },
        "Schedule": {
            "Type": "AWS::SecretsManager::RotationSchedule",
            "DependsOn": ["Permission"] if permitted else [],
            "Properties": {
                "SecretId": {"Ref": "Secret"},
                "RotationLambdaARN": {"Fn::GetAtt": ["Function", "Arn"]},
                "RotationRules": {"AutomaticallyAfterDays": 30},
                "RotateImmediatelyOnUpdate": immediately,
            },
        },
    }
    if permitted:
        made["Permission"] = {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "Function"},
                "Principal": "secretsmanager.amazonaws.com",
                "SourceAccount": {"Ref": "AWS::AccountId"},
            },
        }
    return made


def _number(cloud: Cloud, secret: str) -> object:
    return json.loads(cloud.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])["number"]


def _labels(cloud: Cloud, secret: str) -> list[list[str]]:
    return sorted(cloud.client("secretsmanager").describe_secret(SecretId=secret)["VersionIdsToStages"].values())


def test_rotations_run_the_four_steps_of_the_function(cloud: Cloud) -> None:
    arn = cloud.deploy("rotated", _resources({"number": 1}, immediately=True), {"Arn": {"Ref": "Secret"}})["Arn"]
    secrets = cloud.client("secretsmanager")
    wait_until(lambda: _number(cloud, arn) == 2, 20)
    described = secrets.describe_secret(SecretId=arn)
    assert described["RotationEnabled"]
    assert described["RotationRules"]["AutomaticallyAfterDays"] in (30, "30")
    for number in (3, 4):
        version = secrets.rotate_secret(SecretId=arn)["VersionId"]
        wait_until(lambda number=number: _number(cloud, arn) == number, 20)
        assert secrets.get_secret_value(SecretId=arn)["VersionId"] == version
    cloud.delete("rotated")


def test_a_schedule_without_an_immediate_rotation_tests_the_function_only(cloud: Cloud) -> None:
    # The test fails here, which the cloud reports; it changes nothing.
    broken = _resources({"number": 1, "broken": "testSecret"}, immediately=False)
    arn = cloud.deploy("tested", broken, {"Arn": {"Ref": "Secret"}})["Arn"]
    assert cloud.has_said("failed in the step testSecret")
    wait_until(lambda: _labels(cloud, arn) == [["AWSCURRENT"]], 5)
    assert _number(cloud, arn) == 1
    cloud.delete("tested")


def test_a_failed_rotation_continues_with_its_version_at_the_next_call(cloud: Cloud) -> None:
    resources = _resources({"number": 1, "broken": "setSecret"}, immediately=True)
    arn = cloud.deploy("failed", resources, {"Arn": {"Ref": "Secret"}})["Arn"]
    assert cloud.has_said("failed in the step setSecret")
    assert _labels(cloud, arn) == [["AWSCURRENT"], ["AWSPENDING"]]
    secrets = cloud.client("secretsmanager")
    secrets.put_secret_value(SecretId=arn, SecretString='{"number": 7}')
    with pytest.raises(ClientError, match="previous rotation isn't complete"):
        secrets.rotate_secret(SecretId=arn)
    # The value that createSecret made at the first attempt.
    wait_until(lambda: _number(cloud, arn) == 2, 20)
    cloud.delete("failed")


def test_a_function_that_secrets_manager_may_not_invoke_fails_the_stack(cloud: Cloud) -> None:
    with pytest.raises(StackFailedError, match=r"grants access to the principal secretsmanager\.amazonaws\.com"):
        cloud.deploy("refused", _resources({"number": 1}, immediately=True, permitted=False))
    cloud.delete("refused")


_PASSWORDS = [f"a-long-password-{number}" for number in range(3)]


def test_a_user_has_at_most_two_passwords(cloud: Cloud) -> None:
    mode = {"Type": "password", "Passwords": _PASSWORDS[:1]}
    users = {
        "ElastiCache": {
            "Type": "AWS::ElastiCache::User",
            "Properties": {
                "UserId": "app",
                "UserName": "app",
                "Engine": "redis",
                "AccessString": "on ~* +@read",
                "AuthenticationMode": mode,
            },
        },
        "MemoryDb": {
            "Type": "AWS::MemoryDB::User",
            "Properties": {"UserName": "app", "AccessString": "on ~* +@read", "AuthenticationMode": mode},
        },
    }
    cloud.deploy("users", users)
    elasticache, memorydb = cloud.client("elasticache"), cloud.client("memorydb")
    for modify, describe, name in (
        (elasticache.modify_user, elasticache.describe_users, {"UserId": "app"}),
        (memorydb.update_user, memorydb.describe_users, {"UserName": "app"}),
    ):

        def user(describe: Any = describe, name: dict[str, str] = name) -> dict[str, Any]:
            return describe(**name)["Users"][0]

        assert user()["Authentication"]["PasswordCount"] == 1
        modify(**name, AuthenticationMode={"Type": "password", "Passwords": _PASSWORDS[:2]})
        wait_until(lambda user=user: user()["Status"] == "active", 5)
        assert user()["Authentication"] == {"Type": "password", "PasswordCount": 2}
        with pytest.raises(ClientError, match="one or two passwords"):
            modify(**name, AuthenticationMode={"Type": "password", "Passwords": _PASSWORDS})
        with pytest.raises(ClientError, match="not found"):
            modify(**dict.fromkeys(name, "nobody"), AuthenticationMode=mode)
    cloud.delete("users")
