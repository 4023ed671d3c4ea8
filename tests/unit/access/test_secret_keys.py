"""A function that signs in with a password can read the secret, also if the secret has its own KMS key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Template
from constructs import Construct

from cdk_redis import (
    AccessString,
    Authentication,
    Endpoint,
    Engine,
    FailoverDrill,
    IStore,
    MemoryDbCluster,
    RedisNetwork,
    ReplicationGroup,
    SmokeTest,
    User,
)
from cdk_redis._elasticache.user import ElastiCacheUser

SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:orders-AbCdEf"
PARTIAL_ARN = SECRET_ARN.removesuffix("-AbCdEf")
KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
VIA_SECRETS_MANAGER = {"StringEquals": {"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"}}

Signer = Callable[[Construct, IStore, User], lambda_.Function]


def _smoke_test(scope: Construct, store: IStore, user: User) -> lambda_.Function:
    return SmokeTest(scope, "Signer", target=store, user=user).function


def _canary(scope: Construct, store: IStore, user: User) -> lambda_.Function:
    rate = events.Schedule.rate(cdk.Duration.minutes(5))
    return SmokeTest(scope, "Signer", target=store, user=user, schedule=rate).function


def _drill(scope: Construct, store: IStore, user: User) -> lambda_.Function:
    return FailoverDrill(scope, "Signer", target=store, user=user).function


def _bound(scope: Construct, store: IStore, user: User) -> lambda_.Function:
    assert store.network is not None
    function = lambda_.Function(
        scope,
        "Signer",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="app.handler",
        code=lambda_.Code.from_inline("#"),
        vpc=store.network.vpc,
        vpc_subnets=store.network.subnet_selection,
    )
    store.bind(function, user=user)
    return function


SIGNERS = pytest.mark.parametrize("signer", [_smoke_test, _canary, _drill, _bound])


def _stack(app: cdk.App, name: str) -> cdk.Stack:
    return cdk.Stack(app, name, env=cdk.Environment(account="123456789012", region="eu-west-1"))


def _secret(stack: cdk.Stack) -> secretsmanager.ISecret:
    """A secret with its own key, as users of the library create it."""
    key = cast("kms.IKey", kms.Key(stack, "Key"))
    return cast("secretsmanager.ISecret", secretsmanager.Secret(stack, "Secret", encryption_key=key))


def _statements(stack: cdk.Stack, action: str) -> list[dict[str, Any]]:
    """The statements of the stack's IAM policies that allow the action."""
    return [
        statement
        for policy in Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if action in statement["Action"]
    ]


@SIGNERS
@pytest.mark.parametrize("service", [ReplicationGroup, MemoryDbCluster])
def test_a_function_can_decrypt_the_secret_in_one_stack(
    service: type[ReplicationGroup] | type[MemoryDbCluster], signer: Signer
) -> None:
    stack = _stack(cdk.App(), "Stack")
    secret = _secret(stack)
    store = service(stack, "Store", network=RedisNetwork(stack, "Network"), replicas=1)
    signer(stack, store, store.add_password_user("app", AccessString.smoke_test("p:"), secret=secret))

    assert secret.encryption_key is not None
    assert _statements(stack, "kms:Decrypt") == [
        {
            "Action": "kms:Decrypt",
            "Condition": VIA_SECRETS_MANAGER,
            "Effect": "Allow",
            "Resource": stack.resolve(secret.encryption_key.key_arn),
        }
    ]


@SIGNERS
def test_a_function_can_decrypt_the_secret_from_another_stack(signer: Signer) -> None:
    app = cdk.App()
    stores, signers = _stack(app, "Stores"), _stack(app, "Signers")
    store = ReplicationGroup(stores, "Store", network=RedisNetwork(stores, "Network"), replicas=1)
    user = store.add_password_user("app", AccessString.smoke_test("p:"), secret=_secret(stores))
    signer(signers, store, user)

    (statement,) = _statements(signers, "kms:Decrypt")
    assert statement["Condition"] == VIA_SECRETS_MANAGER


@pytest.mark.parametrize("signer", [_smoke_test, _canary, _drill])
def test_the_key_of_another_stack_is_not_exported(signer: Signer) -> None:
    app = cdk.App()
    stores, signers = _stack(app, "Stores"), _stack(app, "Signers")
    store = ReplicationGroup(stores, "Store", network=RedisNetwork(stores, "Network"), replicas=1)
    user = store.add_password_user("app", AccessString.smoke_test("p:"), secret=_secret(stores))
    signer(signers, store, user)

    (statement,) = _statements(signers, "kms:Decrypt")
    stack, output = statement["Resource"]["Fn::GetStackOutput"].values()
    assert stack == "Stores"
    outputs = Template.from_stack(stores).to_json()["Outputs"]
    assert outputs[output]["Value"] == {"Fn::GetAtt": ["Key961B73FD", "Arn"]}
    assert "Export" not in outputs[output]


def test_a_function_can_decrypt_the_secret_of_an_auth_token() -> None:
    stack = _stack(cdk.App(), "Stack")
    token = Authentication.auth_token(_secret(stack), version_id="one")
    store = ReplicationGroup(stack, "Store", network=RedisNetwork(stack, "Network"), authentication=token)
    SmokeTest(stack, "SmokeTest", target=store)

    assert len(_statements(stack, "kms:Decrypt")) == 1


def _imported_store(stack: cdk.Stack, secret: secretsmanager.ISecret) -> IStore:
    user = ElastiCacheUser.from_user_attributes(stack, "User", user_name="app", secret=secret)
    return ReplicationGroup.from_replication_group_attributes(
        stack,
        "Store",
        replication_group_id="orders",
        endpoint=Endpoint("orders.abc.cache.amazonaws.com", 6379),
        security_groups=[ec2.SecurityGroup.from_security_group_id(stack, "Existing", "sg-0123456789abcdef0")],
        users=[user],
        network=RedisNetwork(stack, "Network"),
        replicas=1,
    )


@SIGNERS
@pytest.mark.parametrize("apart", [False, True], ids=["one stack", "two stacks"])
@pytest.mark.parametrize(
    ("attributes", "readable"),
    [
        ({"secret_complete_arn": SECRET_ARN}, SECRET_ARN),
        # Secrets Manager appends six random characters to the ARN.
        ({"secret_partial_arn": PARTIAL_ARN}, f"{PARTIAL_ARN}-??????"),
    ],
    ids=["complete ARN", "partial ARN"],
)
def test_an_imported_secret_is_read_with_the_key_that_the_import_names(
    signer: Signer, attributes: dict[str, str], readable: str, apart: bool
) -> None:
    app = cdk.App()
    stack = _stack(app, "Stack")
    key = kms.Key.from_key_arn(stack, "Key", KEY_ARN)
    secret = secretsmanager.Secret.from_secret_attributes(stack, "Secret", encryption_key=key, **attributes)  # type: ignore[arg-type]
    store = _imported_store(stack, secret)
    signers = _stack(app, "Signers") if apart else stack
    signer(signers, store, store.users[0])

    (read,) = _statements(signers, "secretsmanager:GetSecretValue")
    assert read["Resource"] == readable
    (decrypt,) = _statements(signers, "kms:Decrypt")
    assert decrypt["Resource"] == KEY_ARN


@SIGNERS
def test_a_generated_secret_needs_no_key(signer: Signer) -> None:
    stack = _stack(cdk.App(), "Stack")
    store = ReplicationGroup(
        stack, "Store", network=RedisNetwork(stack, "Network"), engine=Engine.redis("6.2"), replicas=1
    )
    signer(stack, store, store.add_password_user("app", AccessString.smoke_test("p:")))

    assert _statements(stack, "secretsmanager:GetSecretValue")
    assert _statements(stack, "kms:Decrypt") == []
