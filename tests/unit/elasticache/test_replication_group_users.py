"""Users of replication groups."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Match, Template

from cdk_redis import AccessString, ConfigurationError, Engine, RedisNetwork, ReplicationGroup
from tests.unit.elasticache.support.replication_groups import properties_of


def test_an_iam_user_has_the_same_unique_name_and_id(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    user = cache.add_iam_user("app", AccessString.read_write("app:*"))

    properties = properties_of(stack, "AWS::ElastiCache::User")
    assert properties["UserId"] == properties["UserName"] == user.user_name
    assert user.user_name == user.user_name.lower()
    assert len(user.user_name) <= 40
    assert properties["AuthenticationMode"] == {"Type": "iam"}
    assert properties["Engine"] == "valkey"
    (group,) = Template.from_stack(stack).find_resources("AWS::ElastiCache::UserGroup").values()
    assert group["Properties"]["UserIds"] == [{"Ref": Match.any_value()}] or len(group["Properties"]["UserIds"]) == 1


def test_a_password_user_has_a_generated_secret_and_the_template_no_password(
    stack: cdk.Stack, network: RedisNetwork
) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    user = cache.add_password_user("legacy", AccessString.read_only("app:*"))

    assert user.secret is not None
    (password,) = properties_of(stack, "AWS::ElastiCache::User")["AuthenticationMode"]["Passwords"]  # type: ignore[index]
    assert "{{resolve:secretsmanager:" in str(password)
    Template.from_stack(stack).has_resource_properties(
        "AWS::SecretsManager::Secret",
        {
            "GenerateSecretString": {
                "GenerateStringKey": "password",
                "PasswordLength": 64,
                "ExcludePunctuation": True,
                "SecretStringTemplate": f'{{"username": "{user.user_name}"}}',
            }
        },
    )


def test_only_a_redis_store_gets_a_disabled_default_user(stack: cdk.Stack, network: RedisNetwork) -> None:
    ReplicationGroup(stack, "Valkey", network=network)
    Template.from_stack(stack).resource_count_is("AWS::ElastiCache::User", 0)

    other = cdk.Stack(cdk.App(), "Other")
    ReplicationGroup(other, "Redis", network=RedisNetwork(other, "Network"), engine=Engine.redis("7.1"))
    properties = properties_of(other, "AWS::ElastiCache::User")
    assert properties["UserName"] == "default"
    assert properties["UserId"] != "default"
    assert str(properties["AccessString"]).startswith("off")


def test_users_are_created_one_after_the_other(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    for name in ("one", "two", "three"):
        cache.add_iam_user(name, AccessString.read_only("*"))

    users = Template.from_stack(stack).find_resources("AWS::ElastiCache::User")
    waits = sorted(len(user.get("DependsOn", [])) for user in users.values())
    assert waits == [0, 1, 1]


@pytest.mark.parametrize("name", ["App", "app-", "a--b", "", "1app"])
def test_an_invalid_user_name_is_refused(stack: cdk.Stack, network: RedisNetwork, name: str) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)

    with pytest.raises(ConfigurationError, match="name: got"):
        cache.add_iam_user(name, AccessString.read_only("*"))


def test_two_users_with_one_name_are_refused(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    cache.add_iam_user("app", AccessString.read_only("*"))

    with pytest.raises(ConfigurationError, match="the store has a user of that name"):
        cache.add_password_user("app", AccessString.read_only("*"))


def test_an_iam_user_of_an_old_engine_is_refused(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, engine=Engine.redis("6.2"))

    with pytest.raises(ConfigurationError, match=r"redis 6\.2 has no IAM users"):
        cache.add_iam_user("app", AccessString.read_only("*"))
