"""The smoke test runs again after a change of the store, of what it shares with other stores, or of `rerun_on`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms

from cdk_redis import (
    AccessString,
    Acl,
    Authentication,
    ConfigurationError,
    ElastiCacheParameterGroup,
    ElastiCacheSubnetGroup,
    ElastiCacheUser,
    ElastiCacheUserGroup,
    Engine,
    MemoryDbCluster,
    MemoryDbParameterGroup,
    MemoryDbSubnetGroup,
    MemoryDbUser,
    RedisNetwork,
    ReplicationGroup,
    ServerlessCache,
    SmokeTest,
    Store,
)
from cdk_redis_runtime._client import environment

READ = AccessString.read_only("*")
Parts = Mapping[str, Any]


def _nothing(parts: Parts) -> None: ...


def _digest(test: SmokeTest) -> object:
    function = test.function.node.default_child
    return cdk.Stack.of(test).resolve(function._cfn_properties)["environment"]["variables"][environment.DIGEST]


@cache
def _elasticache(change: Callable[[Parts], object] = _nothing, *, early: bool = False, **given: object) -> object:
    """Digest of the test of a replication group that is changed before (``early``) or after the test is defined."""
    stack = cdk.Stack(cdk.App(), "Stack")
    network = RedisNetwork(stack, "Network")
    subnets = ElastiCacheSubnetGroup(stack, "Subnets", network=network)
    cache = ReplicationGroup(
        stack,
        "Cache",
        **{"network": network, "shards": 3, "subnet_group": subnets, **given},  # type: ignore[arg-type]
    )
    other = ReplicationGroup(stack, "Other", network=network)
    parts = {"store": cache, "other": other, "network": network, "subnets": subnets}
    return _changed(parts, change, early=early)


@cache
def _memorydb(change: Callable[[Parts], object] = _nothing, *, early: bool = False) -> object:
    """Digest of the test of a cluster that shares everything that it can with other clusters."""
    stack = cdk.Stack(cdk.App(), "Stack")
    network = RedisNetwork(stack, "Network")
    user = MemoryDbUser(stack, "Reader", access=READ, authentication=Authentication.iam())
    acl = Acl(stack, "Acl", users=[user])
    group = MemoryDbParameterGroup(stack, "Parameters", engine=Engine.valkey("7.3"))
    subnets = MemoryDbSubnetGroup(stack, "Subnets", network=network)
    ledger = MemoryDbCluster(stack, "Ledger", network=network, acl=acl, parameter_group=group, subnet_group=subnets)
    other = MemoryDbCluster(stack, "Other", network=network)
    parts = {"store": ledger, "other": other, "user": user, "acl": acl, "parameters": group, "subnets": subnets}
    return _changed({**parts, "network": network}, change, early=early)


def _changed(parts: Parts, change: Callable[[Parts], object], *, early: bool) -> object:
    if early:
        change(parts)
    test = SmokeTest(cdk.Stack.of(parts["store"]), "SmokeTest", target=parts["store"])
    if not early:
        change(parts)
    return _digest(test)


def _override(part: str, name: str, value: object = "changed") -> Callable[[Parts], object]:
    return lambda parts: parts[part].resource.add_property_override(name, value)


def _add_user(parts: Parts) -> None:
    parts["acl"].add(MemoryDbUser(cdk.Stack.of(parts["acl"]), "New", access=READ, authentication=Authentication.iam()))


def _add_user_by_the_other_cluster(parts: Parts) -> None:
    third = MemoryDbCluster(cdk.Stack.of(parts["acl"]), "Third", network=parts["network"], acl=parts["acl"])
    third.add_iam_user("new", READ)


ELASTICACHE_CHANGES = {
    "a property of the store": lambda parts: setattr(parts["store"].resource, "snapshot_retention_limit", 30),
    "an override": _override("store", "CacheNodeType"),
    "a deletion": lambda parts: parts["store"].resource.add_property_deletion_override("Port"),
    "an override of a nested property": _override("store", "LogDeliveryConfigurations.0.LogFormat"),
    "a general override": lambda parts: parts["store"].resource.add_override("Properties.Port", 7000),
    "an override with a reference": _override("store", "KmsKeyId", cdk.Aws.STACK_NAME),
    "its parameter group": lambda parts: parts["store"].parameter_group.resource.add_property_override(
        "Properties.maxmemory-policy", "allkeys-lru"
    ),
    "its user group": lambda parts: parts["store"].user_group.resource.add_property_override("UserIds.5", "someone"),
    "a user": lambda parts: parts["store"].users[0].resource.add_property_override("AccessString", "off"),
    "a user that is added": lambda parts: parts["store"].add_iam_user("new", READ),
    "its given subnet group": _override("subnets", "SubnetIds.3", "subnet-1"),
}
MEMORYDB_CHANGES = {
    "an override": _override("store", "NodeType"),
    "its given parameter group": _override("parameters", "Parameters.maxmemory-policy", "allkeys-lru"),
    "a property of its given parameter group": lambda parts: setattr(
        parts["parameters"].resource, "parameters", {"maxmemory-policy": "allkeys-lru"}
    ),
    "its given list": _override("acl", "UserNames.5", "someone"),
    "a user in its given list": _override("user", "AccessString", "off"),
    "a user that is added to its given list": _add_user,
    "a user that another cluster adds to the list": _add_user_by_the_other_cluster,
    "its given subnet group": _override("subnets", "SubnetIds.3", "subnet-1"),
}
UNRELATED_CHANGES = {
    "another store": _override("other", "Port", 7000),
    "a user of another store": lambda parts: parts["other"].add_iam_user("new", READ),
    "metadata of the store's resource": lambda parts: parts["store"].resource.add_override("Metadata.Reviewed", "yes"),
    "the network": lambda parts: parts["network"].vpc.node.default_child.add_property_override(
        "EnableDnsSupport", True
    ),
    "a store that is new": lambda parts: ServerlessCache(
        cdk.Stack.of(parts["network"]), "New", network=parts["network"]
    ),
}


@pytest.mark.parametrize("change", ELASTICACHE_CHANGES.values(), ids=list(ELASTICACHE_CHANGES))
def test_it_runs_again_when_a_replication_group_changes(change: Callable[[Parts], object]) -> None:
    assert _elasticache(change) != _elasticache()


@pytest.mark.parametrize("change", MEMORYDB_CHANGES.values(), ids=list(MEMORYDB_CHANGES))
def test_it_runs_again_when_a_cluster_or_a_construct_that_it_shares_changes(change: Callable[[Parts], object]) -> None:
    assert _memorydb(change) != _memorydb()


@pytest.mark.parametrize("change", ["an override", "its given subnet group"])
def test_a_change_after_the_definition_of_the_test_has_the_same_effect(change: str) -> None:
    late, early = (_elasticache(ELASTICACHE_CHANGES[change], early=early) for early in (False, True))
    assert late == early != _elasticache()


@pytest.mark.parametrize("build", [_elasticache, _memorydb])
@pytest.mark.parametrize("change", UNRELATED_CHANGES.values(), ids=list(UNRELATED_CHANGES))
def test_it_does_not_run_again_for_an_unrelated_change(
    change: Callable[[Parts], object], build: Callable[..., object]
) -> None:
    assert build(change) == build()


def test_it_runs_again_when_a_parameter_of_the_store_changes() -> None:
    assert _elasticache(node_type="cache.r7g.large") != _elasticache()
    assert _elasticache(replicas=2) != _elasticache()


@pytest.mark.parametrize("change", ["parameters", "group", "user"])
def test_it_runs_again_when_a_construct_that_a_replication_group_uses_changes(change: str) -> None:
    def digest(changed: str) -> object:
        stack = cdk.Stack(cdk.App(), "Stack")
        user = ElastiCacheUser(stack, "Reader", engine="valkey:8.1", access=READ, authentication=Authentication.iam())
        users = ElastiCacheUserGroup(stack, "Users", engine="valkey:8.1", users=[user])
        engine = Engine.valkey("8.1")
        group = ElastiCacheParameterGroup(stack, "Parameters", engine=engine, cluster_mode=False)
        network = RedisNetwork(stack, "Network")
        cache = ReplicationGroup(stack, "Cache", network=network, parameter_group=group, user_group=users)
        test = SmokeTest(stack, "SmokeTest", target=cache)
        given = {"parameters": group, "group": users, "user": user}
        if changed:
            given[changed].resource.add_property_override("Changed", "yes")
        return _digest(test)

    assert digest(change) != digest("")
    assert digest("") == digest("")


def test_it_runs_again_when_a_shared_construct_in_another_stack_changes() -> None:
    def digest(parameters: Mapping[str, str]) -> object:
        app = cdk.App()
        shared, store, test = (cdk.Stack(app, name) for name in ("Shared", "Store", "Test"))
        group = MemoryDbParameterGroup(shared, "Parameters", engine=Engine.valkey("7.3"), parameters=parameters)
        network = RedisNetwork(shared, "Network")
        ledger = MemoryDbCluster(store, "Ledger", network=network, parameter_group=group)
        return _digest(SmokeTest(test, "SmokeTest", target=ledger))

    assert digest({}) == digest({})
    assert digest({}) != digest({"maxmemory-policy": "allkeys-lru"})


def _rerun_on(*what: object, change: Callable[[kms.Key], object] = lambda _: None) -> object:
    stack = cdk.Stack(cdk.App(), "Stack")
    key = kms.Key(stack, "Key")
    store: Store = ReplicationGroup(stack, "Cache", network=RedisNetwork(stack, "Network"))
    test = SmokeTest(stack, "SmokeTest", target=store, rerun_on=[key if each is kms.Key else each for each in what])
    change(key)
    return _digest(test)


def test_it_runs_again_when_a_construct_in_rerun_on_changes() -> None:
    def change(key: kms.Key) -> None:
        key.node.default_child.enable_key_rotation = True

    assert _rerun_on(kms.Key) == _rerun_on(kms.Key)
    assert _rerun_on(kms.Key, change=change) != _rerun_on(kms.Key)
    assert _rerun_on(change=change) == _rerun_on()


@pytest.mark.parametrize(
    ("one", "other"),
    [("v1", "v2"), (1, 2), (0.5, 0.25), (True, False), (["a"], ["b"]), (("a",), ("b",)), ({"a": 1}, {"a": 2}),
     (cdk.Aws.REGION, cdk.Aws.ACCOUNT_ID), (cdk.Fn.import_value("one"), cdk.Fn.import_value("other")), ([], ["a"])],
)  # fmt: skip
def test_it_runs_again_when_a_value_in_rerun_on_changes(one: object, other: object) -> None:
    assert _rerun_on(one) == _rerun_on(one)
    assert len({_rerun_on(), _rerun_on(one), _rerun_on(other)}) == 3


@pytest.mark.parametrize("wrong", [None, b"v1", object(), float("nan"), {1: "a"}, {"a": object()}, [None], {"v1"}])
def test_a_value_that_the_next_synth_cannot_compare_is_rejected(wrong: object) -> None:
    with pytest.raises(ConfigurationError, match=r"^Stack/SmokeTest: rerun_on: got .*, but .* constructs or"):
        _rerun_on(wrong)


@pytest.mark.parametrize("wrong", ["v1", 3, None, b"v1", {"a": 1}])
def test_anything_but_a_list_is_rejected(wrong: Any) -> None:
    stack = cdk.Stack(cdk.App(), "Stack")
    store = ReplicationGroup(stack, "Cache", network=RedisNetwork(stack, "Network"))

    with pytest.raises(ConfigurationError, match=r"^Stack/SmokeTest: rerun_on: got .*, but it takes a list"):
        SmokeTest(stack, "SmokeTest", target=store, rerun_on=wrong)


def test_a_construct_without_resources_is_rejected() -> None:
    stack = cdk.Stack(cdk.App(), "Stack")
    store = ReplicationGroup(stack, "Cache", network=RedisNetwork(stack, "Network"))
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:111122223333:key/12345678")

    with pytest.raises(ConfigurationError) as caught:
        SmokeTest(stack, "SmokeTest", target=store, rerun_on=[key])

    assert str(caught.value) == (
        "Stack/SmokeTest: rerun_on: got 'Stack/Key', but this construct defines no resource; "
        "give a value that changes with it, such as a version"
    )
