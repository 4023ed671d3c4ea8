"""`add_rotation`: the function, its permissions and the schedule, for users of all stores and for AUTH tokens."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Annotations, Match, Template

from cdk_redis import (
    Authentication,
    ConfigurationError,
    ElastiCacheUser,
    MemoryDbCluster,
    MemoryDbUser,
    RedisNetwork,
    ReplicationGroup,
    ServerlessCache,
    User,
)

ACCESS = "on ~* +@read"
SECRET_ACTIONS = [
    "secretsmanager:GetSecretValue",
    "secretsmanager:DescribeSecret",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
]


@pytest.fixture
def stack() -> cdk.Stack:
    return cdk.Stack(cdk.App(), "Stack", env=cdk.Environment(account="111122223333", region="eu-west-1"))


@pytest.fixture
def network(stack: cdk.Stack) -> RedisNetwork:
    return RedisNetwork(stack, "Network")


def _user(kind: str, network: RedisNetwork, stack: cdk.Stack) -> tuple[User, list[str], str, dict[str, Any]]:
    """A user or token, with the actions on its owner, the ARN of the owner, and the function's variables."""
    arn = "arn:(Partition):{}:eu-west-1:111122223333:{}"
    if kind == "token":
        store = ReplicationGroup(stack, "Store", network=network, authentication="auth-token")
        assert store.auth_token is not None
        actions = ["elasticache:ModifyReplicationGroup", "elasticache:DescribeReplicationGroups"]
        owner = {"CDK_REDIS_SERVICE": "elasticache", "CDK_REDIS_ROTATED_GROUP": {"Ref": _id(stack, "Store/Resource")}}
        name = f"(Ref {_id(stack, 'Store/Resource')})"
        return store.auth_token, actions, arn.format("elasticache", f"replicationgroup:{name}"), owner
    classes: dict[str, Any] = {"group": ReplicationGroup, "serverless": ServerlessCache, "memorydb": MemoryDbCluster}
    user = classes[kind](stack, "Store", network=network).add_password_user("app", ACCESS)
    if kind == "memorydb":
        actions, resource = ["memorydb:UpdateUser", "memorydb:DescribeUsers"], f"user/{user.user_name}"
    else:
        actions, resource = ["elasticache:ModifyUser", "elasticache:DescribeUsers"], f"user:{user.user_name}"
    service = actions[0].partition(":")[0]
    owner = {"CDK_REDIS_SERVICE": service, "CDK_REDIS_ROTATED_USER_ID": user.user_name}
    return user, actions, arn.format(service, resource), owner


def _id(stack: cdk.Stack, path: str) -> str:
    return stack.get_logical_id(stack.node.find_child(path.split("/")[0]).node.find_child(path.split("/")[1]))


def _text(value: Any) -> str:
    """A joined text, with references in brackets."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        return "".join(_text(part) for part in value["Fn::Join"][1])
    name = value["Ref"]
    return "(Partition)" if name == "AWS::Partition" else f"(Ref {name})"


@pytest.mark.parametrize("kind", ["group", "serverless", "memorydb", "token"])
def test_a_function_outside_the_vpc_may_change_one_password_only(
    kind: str, network: RedisNetwork, stack: cdk.Stack
) -> None:
    user, actions, arn, owner = _user(kind, network, stack)
    assert user.can_rotate
    rotation = user.add_rotation()
    assert not user.can_rotate

    template = Template.from_stack(stack).to_json()["Resources"]
    assert user.secret is not None
    secret = stack.resolve(user.secret.secret_arn)
    function_id = stack.get_logical_id(rotation.function.node.default_child)
    function = template[function_id]["Properties"]
    assert "VpcConfig" not in function
    assert function["Environment"]["Variables"] == {**owner, "CDK_REDIS_ROTATED_SECRET": secret}
    assert (function["Handler"], function["Runtime"], function["Timeout"]) == (
        "cdk_redis_runtime.rotation_lambda.handler",
        "python3.14",
        900,
    )
    # The permissions: to change this password and to log, and no more.
    assert rotation.role is not None
    role = stack.get_logical_id(rotation.role.node.default_child)
    (policy,) = (
        one["Properties"]["PolicyDocument"]["Statement"]
        for one in template.values()
        if one["Type"] == "AWS::IAM::Policy" and {"Ref": role} in one["Properties"].get("Roles", [])
    )
    assert [statement["Action"] for statement in policy] == [SECRET_ACTIONS, actions]
    assert policy[0]["Resource"] == secret
    assert _text(policy[1]["Resource"]) == arn
    assert "ManagedPolicyArns" not in template[role]["Properties"]
    (logging,) = template[role]["Properties"]["Policies"]
    log_group = function["LoggingConfig"]["LogGroup"]["Ref"]
    assert logging["PolicyDocument"]["Statement"][0]["Resource"] == {"Fn::GetAtt": [log_group, "Arn"]}
    assert template[log_group]["Properties"]["RetentionInDays"] == 30
    # What scanners find is accepted with the reasons: it is outside the VPC, and its policies are its own.
    skipped = {entry["id"] for entry in template[function_id]["Metadata"]["checkov"]["skip"]}
    assert skipped == {"CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_117", "CKV_AWS_173"}
    suppressed = {entry["id"] for entry in template[role]["Metadata"]["cdk_nag"]["rules_to_suppress"]}
    assert suppressed == {f"{pack}-IAMNoInlinePolicy" for pack in ("HIPAA.Security", "NIST.800.53.R5", "PCI.DSS.321")}
    # Secrets Manager invokes it, for this account only, and tests it before the first rotation.
    (schedule,) = (one for one in template.values() if one["Type"] == "AWS::SecretsManager::RotationSchedule")
    assert schedule["Properties"] == {
        "SecretId": secret,
        "RotationLambdaARN": {"Fn::GetAtt": [function_id, "Arn"]},
        "RotationRules": {"AutomaticallyAfterDays": 30},
        "RotateImmediatelyOnUpdate": False,
    }
    (permission,) = (
        (name, one["Properties"])
        for name, one in template.items()
        if one["Type"] == "AWS::Lambda::Permission" and one["Properties"]["Principal"].startswith("secretsmanager")
    )
    assert permission[1]["SourceAccount"] == "111122223333"
    owners = ("AWS::ElastiCache::User", "AWS::MemoryDB::User", "AWS::ElastiCache::ReplicationGroup")
    types = {template[name]["Type"] for name in schedule["DependsOn"]}
    assert permission[0] in schedule["DependsOn"]
    assert types & set(owners)
    # The template still names the secret, and neither the user nor the group changes when the secret does.
    assert Annotations.from_stack(stack).find_warning("*", Match.any_value()) == []


def test_options_of_the_function_and_the_schedule(network: RedisNetwork, stack: cdk.Stack) -> None:
    key = kms.Key(stack, "Key")
    cluster = MemoryDbCluster(stack, "Ledger", network=network)
    rotation = cluster.add_password_user("app", ACCESS, kms_key=key).add_rotation(
        every=cdk.Duration.hours(6),
        previous_valid_for=cdk.Duration.minutes(1),
        log_retention=logs.RetentionDays.ONE_YEAR,
        log_kms_key=key,
    )

    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::SecretsManager::RotationSchedule", {"RotationRules": {"ScheduleExpression": "rate(6 hours)"}}
    )
    variables = {"Variables": Match.object_like({"CDK_REDIS_PREVIOUS_VALID_SECONDS": "60"})}
    template.has_resource_properties("AWS::Lambda::Function", {"Environment": variables})
    key_arn = stack.resolve(key.key_arn)
    template.has_resource_properties("AWS::Logs::LogGroup", {"RetentionInDays": 365, "KmsKeyId": key_arn})
    template.has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": {
                "Statement": Match.array_with(
                    [
                        {
                            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                            "Condition": {"StringEquals": {"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"}},
                            "Effect": "Allow",
                            "Resource": key_arn,
                        }
                    ]
                )
            }
        },
    )
    assert rotation.schedule.secret_id == cluster.users[0].secret.secret_arn


def _statements(template: Template) -> list[dict[str, Any]]:
    """The statements of the policy of the one function that rotates."""
    (found,) = (
        statements
        for policy in template.find_resources("AWS::IAM::Policy").values()
        for statements in [policy["Properties"]["PolicyDocument"]["Statement"]]
        if statements[0]["Action"] == SECRET_ACTIONS
    )
    return found


def test_a_given_function_may_rotate_several_passwords(network: RedisNetwork, stack: cdk.Stack) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    function = lambda_.Function(
        stack,
        "Rotate",
        runtime=lambda_.Runtime.PYTHON_3_14,
        handler="index.handler",
        code=lambda_.Code.from_inline("#"),
    )
    for name in ("one", "two"):
        rotation = cache.add_password_user(name, ACCESS).add_rotation(function, every=cdk.Duration.days(7))
        assert rotation.function is function
        assert rotation.log_group is rotation.role is None

    template = Template.from_stack(stack)
    template.resource_properties_count_is(
        "AWS::SecretsManager::RotationSchedule", {"RotationRules": {"AutomaticallyAfterDays": 7}}, 2
    )
    template.resource_properties_count_is("AWS::Lambda::Permission", {"Principal": "secretsmanager.amazonaws.com"}, 2)
    found = [statement["Action"] for statement in _statements(template)]
    assert found == [SECRET_ACTIONS, ["elasticache:ModifyUser", "elasticache:DescribeUsers"]] * 2


def test_a_token_of_a_secret_without_a_version_is_rotated_without_a_warning(
    network: RedisNetwork, stack: cdk.Stack
) -> None:
    secret = secretsmanager.Secret.from_secret_name_v2(stack, "Secret", "orders/token")
    store = ReplicationGroup(stack, "Store", network=network, authentication=Authentication.auth_token(secret))
    assert store.auth_token is not None
    store.auth_token.add_rotation()

    assert Annotations.from_stack(stack).find_warning("*", Match.any_value()) == []
    template = Template.from_stack(stack)
    # Secrets Manager appends six characters.
    assert _text(_statements(template)[0]["Resource"]).endswith(":secret:orders/token-??????")


def _refusals(stack: cdk.Stack, network: RedisNetwork) -> dict[str, tuple[User | None, dict[str, Any], str]]:
    cache = ReplicationGroup(stack, "Cache", network=network)
    secret = secretsmanager.Secret(stack, "Given")
    pinned = Authentication.auth_token(secret, version_id="one")
    imported = ElastiCacheUser.from_user_attributes(stack, "Imported", user_name="app", secret=secret)
    twice = cache.add_password_user("twice", ACCESS)
    twice.add_rotation()
    user = cache.add_password_user("app", ACCESS)
    function = lambda_.Function.from_function_name(stack, "Function", "rotation")
    return {
        "iam": (
            cache.add_iam_user("iam", ACCESS),
            {},
            "user: got 'an IAM user', but only a user with a password can rotate it; IAM tokens expire by themselves",
        ),
        "memorydb-iam": (MemoryDbUser(stack, "M", access=ACCESS, authentication="iam"), {}, "got 'an IAM user'"),
        "imported": (
            imported,
            {},
            "user: got 'an imported user', but the app that defines a user rotates its password; call",
        ),
        "imported-iam": (
            MemoryDbUser.from_user_attributes(stack, "ImportedIam", user_name="app"),
            {},
            "got 'an IAM user'",
        ),
        "pinned": (
            ReplicationGroup(stack, "Pinned", network=network, authentication=pinned).auth_token,
            {},
            "user: got 'an AUTH token with a version_id', but its version_id sets the token in each deployment",
        ),
        "twice": (twice, {}, "but it has a rotation already; call add_rotation once"),
        "often": (
            user,
            {"every": cdk.Duration.hours(3)},
            "every: got '3 hours', but Secrets Manager takes whole hours, from 4 hours to 1,000 days",
        ),
        "part of an hour": (user, {"every": cdk.Duration.minutes(270)}, "every: got '4.5 hours'"),
        "seldom": (user, {"every": cdk.Duration.days(1001)}, "every: got '24024 hours'"),
        "token": (
            user,
            {"every": cdk.Duration.days(cdk.Token.as_number({"Ref": "Days"}))},
            "every: got 'a token', but it must be known at synth",
        ),
        "too soon": (
            user,
            {"previous_valid_for": cdk.Duration.seconds(5)},
            "previous_valid_for: got '5 seconds', but the function waits for 10 seconds, which clients need, to 10",
        ),
        "too long": (user, {"previous_valid_for": cdk.Duration.hours(1)}, "previous_valid_for: got '3600 seconds'"),
        "own": (
            user,
            {"function": function, "log_retention": logs.RetentionDays.ONE_DAY},
            "log_retention: got 'a retention', but it is for the function of this library, and `function` is given",
        ),
    }


def test_passwords_that_this_app_cannot_rotate_and_wrong_values_are_refused(
    network: RedisNetwork, stack: cdk.Stack
) -> None:
    for name, (user, options, message) in _refusals(stack, network).items():
        assert user is not None
        before = user.node.children
        with pytest.raises(ConfigurationError) as caught:
            user.add_rotation(**options)
        assert message in str(caught.value), name
        assert user.node.children == before, name
        assert user.can_rotate is bool(options), name
