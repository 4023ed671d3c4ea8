"""The KMS key of generated secrets: of password users, of the disabled default user and of AUTH tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Template

from cdk_redis import (
    AccessString,
    Authentication,
    ConfigurationError,
    ElastiCacheUserGroup,
    Engine,
    MemoryDbCluster,
    RedisNetwork,
    ReplicationGroup,
    ServerlessCache,
    SmokeTest,
)

Kind: TypeAlias = type[ReplicationGroup] | type[ServerlessCache] | type[MemoryDbCluster]
KINDS = pytest.mark.parametrize("kind", [ReplicationGroup, ServerlessCache, MemoryDbCluster])
ACCESS = AccessString.read_write("app:*")


@pytest.fixture
def key(stack: cdk.Stack) -> kms.Key:
    return kms.Key(stack, "Key")


def _keys(stack: cdk.Stack) -> list[Any]:
    """The key of each secret; None for the key ``aws/secretsmanager``."""
    secrets = Template.from_stack(stack).find_resources("AWS::SecretsManager::Secret").values()
    return [secret["Properties"].get("KmsKeyId") for secret in secrets]


@KINDS
def test_a_password_user_has_a_secret_with_the_given_key(
    stack: cdk.Stack, network: RedisNetwork, key: kms.Key, kind: Kind
) -> None:
    store = kind(stack, "Store", network=network)
    user = store.add_password_user("app", ACCESS, kms_key=key)

    assert _keys(stack) == [stack.resolve(key.key_arn)]
    assert user.secret is not None
    # Grants of the library read it, and allow kms:Decrypt.
    assert user.secret.encryption_key is key


@KINDS
def test_the_key_of_the_store_is_the_default(stack: cdk.Stack, network: RedisNetwork, key: kms.Key, kind: Kind) -> None:
    other = kms.Key(stack, "Other")
    store = kind(stack, "Store", network=network, secret_kms_key=key)
    store.add_password_user("app", ACCESS)
    store.add_password_user("other", ACCESS, kms_key=other)
    store.add_password_user("existing", ACCESS, secret=secretsmanager.Secret(stack, "Existing"))
    store.add_iam_user("iam", ACCESS)

    assert _keys(stack) == [stack.resolve(key.key_arn), stack.resolve(other.key_arn), None]


def test_the_disabled_default_user_and_the_smoke_test_have_the_key_of_the_store(
    stack: cdk.Stack, network: RedisNetwork, key: kms.Key
) -> None:
    store = ReplicationGroup(stack, "Store", network=network, engine=Engine.redis("6.2"), secret_kms_key=key)
    test = SmokeTest(stack, "SmokeTest", target=store)

    assert _keys(stack) == [stack.resolve(key.key_arn)] * 2
    assert "kms:Decrypt" in str(Template.from_stack(stack).find_resources("AWS::IAM::Policy"))
    assert test.user is not None


def test_the_default_user_of_a_shared_group_has_the_given_key(stack: cdk.Stack, key: kms.Key) -> None:
    ElastiCacheUserGroup(stack, "Group", engine=Engine.redis("7.1"), secret_kms_key=key)

    assert _keys(stack) == [stack.resolve(key.key_arn)]


@pytest.mark.parametrize("of_store", [False, True])
def test_an_auth_token_has_the_given_key(stack: cdk.Stack, network: RedisNetwork, key: kms.Key, of_store: bool) -> None:
    given: dict[str, Any] = (
        {"authentication": "auth-token", "secret_kms_key": key}
        if of_store
        else {"authentication": Authentication.auth_token(generation=2, kms_key=key)}
    )
    ReplicationGroup(stack, "Store", network=network, **given)

    assert _keys(stack) == [stack.resolve(key.key_arn)]


def test_a_key_changes_nothing_else_of_the_secret() -> None:
    # A new logical id or a change of GenerateSecretString would generate another password.
    templates: list[dict[str, Any]] = []
    for with_key in (False, True):
        stack = cdk.Stack(cdk.App(), "Stack")
        key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:111122223333:key/1") if with_key else None
        store = ReplicationGroup(stack, "Store", network=RedisNetwork(stack, "Network"), secret_kms_key=key)
        store.add_password_user("app", ACCESS)
        templates.append(Template.from_stack(stack).find_resources("AWS::SecretsManager::Secret"))

    before, after = templates
    for secret in after.values():
        del secret["Properties"]["KmsKeyId"]
    assert before == after


def test_a_key_without_a_generated_secret_is_rejected(stack: cdk.Stack, key: kms.Key) -> None:
    existing = secretsmanager.Secret(stack, "Existing")
    calls: dict[str, Callable[[], object]] = {
        "got 'a key', but it is for a generated secret, and `secret` is given; leave it out": lambda: (
            Authentication.password(existing, kms_key=key)
        ),
        "got 'a key', but an IAM user has no secret; leave it out": lambda: Authentication("iam", kms_key=key),
        "got <class 'str'>, but a key is a construct of aws_cdk.aws_kms": lambda: Authentication.password(
            kms_key="alias/mine"
        ),
    }
    for message, call in calls.items():
        with pytest.raises(ConfigurationError) as refused:
            call()
        assert str(refused.value) == f"Authentication: kms_key: {message}"
