"""AUTH tokens of replication groups, and how the smoke test signs in."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Annotations, Match, Template

from cdk_redis import Authentication, RedisNetwork, ReplicationGroup, SmokeTest, TransitEncryptionMode
from tests.unit.elasticache.support.replication_groups import network_in_zones, properties_of


@pytest.fixture
def network(stack: cdk.Stack) -> RedisNetwork:
    return network_in_zones(stack)


def test_each_generation_of_an_auth_token_has_its_own_secret(stack: cdk.Stack, network: RedisNetwork) -> None:
    caches = [
        ReplicationGroup(
            stack,
            f"Cache{generation}",
            network=network,
            authentication=Authentication.auth_token(generation=generation),
        )
        for generation in (1, 2)
    ]

    secrets = Template.from_stack(stack).find_resources("AWS::SecretsManager::Secret")
    assert [name[:-8] for name in secrets] == ["Cache1AuthTokenSecret", "Cache2AuthTokenSecret2"]
    for secret in secrets.values():
        assert secret["Properties"]["GenerateSecretString"] == {
            "ExcludePunctuation": True,
            "GenerateStringKey": "password",
            "PasswordLength": 64,
            "SecretStringTemplate": '{"username": "default"}',
        }
    assert caches[0].auth_token is not None
    assert caches[0].users == [caches[0].auth_token]
    assert Annotations.from_stack(stack).find_warning("*", Match.any_value()) == []


def test_an_auth_token_is_read_from_a_version_of_its_secret(stack: cdk.Stack, network: RedisNetwork) -> None:
    secret = secretsmanager.Secret.from_secret_complete_arn(
        stack, "Secret", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:token-abcdef"
    )
    authentication = Authentication.auth_token(secret, version_id="one")
    ReplicationGroup(stack, "Pinned", network=network, authentication=authentication)

    assert (
        properties_of(stack)["AuthToken"]
        == f"{{{{resolve:secretsmanager:{secret.secret_arn}:SecretString:password::one}}}}"
    )
    ReplicationGroup(stack, "Unpinned", network=network, authentication=Authentication.auth_token(secret))
    (warning,) = Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("has no version_id"))
    assert warning.id == "/Stack/Unpinned/AuthToken"


def test_the_smoke_test_signs_in_according_to_the_store(stack: cdk.Stack) -> None:
    network = RedisNetwork(stack, "Own")
    stores: dict[str, dict[str, Any]] = {
        "Token": {"authentication": Authentication.auth_token()},
        "Plaintext": {"unsafe_plaintext": True, "unsafe_open_access": True},
        "Preferred": {"transit_encryption_mode": TransitEncryptionMode.PREFERRED, "unsafe_open_access": True},
    }
    for name, parameters in stores.items():
        SmokeTest(stack, f"Test{name}", target=ReplicationGroup(stack, name, network=network, **parameters))

    functions = Template.from_stack(stack).find_resources(
        "AWS::Lambda::Function", {"Properties": {"Handler": "cdk_redis_runtime.smoke_lambda.handler"}}
    )
    found = {
        function_id.removeprefix("Test").partition("Function")[0]: tuple(
            function["Properties"]["Environment"]["Variables"].get(f"CDK_REDIS_{name}")
            for name in ("TLS", "PLAINTEXT", "AUTHENTICATION", "USER")
        )
        for function_id, function in functions.items()
    }
    assert found == {
        "Token": ("true", None, "password", "default"),
        "Plaintext": ("false", None, "none", None),
        "Preferred": ("true", "true", "none", None),
    }
