"""Templates and errors of global datastores and their secondaries."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template

from cdk_redis import (
    AccessString,
    Authentication,
    ConfigurationError,
    Engine,
    GlobalDatastore,
    NetworkType,
    RedisNetwork,
    ReplicationGroup,
    SecondaryReplicationGroup,
    SmokeTest,
    Snapshots,
)

GLOBAL = "AWS::ElastiCache::GlobalReplicationGroup"
GROUP = "AWS::ElastiCache::ReplicationGroup"
PRIMARY_REGION, SECONDARY_REGION = "us-east-1", "eu-west-1"


def _network(app: cdk.App, region: str | None, name: str) -> RedisNetwork:
    env = cdk.Environment(account="111122223333", region=region) if region else None
    return RedisNetwork(cdk.Stack(app, name, env=env), "Network")


@pytest.fixture
def network(app: cdk.App) -> RedisNetwork:
    return _network(app, PRIMARY_REGION, "Primary")


@pytest.fixture
def far(app: cdk.App) -> RedisNetwork:
    return _network(app, SECONDARY_REGION, "Secondary")


def _primary(network: RedisNetwork, **given: Any) -> ReplicationGroup:
    given = {"node_type": "cache.r7g.large"} | given
    return ReplicationGroup(cdk.Stack.of(network), "Cache", network=network, **given)


def _global(network: RedisNetwork, of: dict[str, Any] | None = None, **given: Any) -> GlobalDatastore:
    return GlobalDatastore(cdk.Stack.of(network), "Global", primary=_primary(network, **(of or {})), **given)


def _secondary(far: RedisNetwork, datastore: Any, **given: Any) -> SecondaryReplicationGroup:
    return SecondaryReplicationGroup(cdk.Stack.of(far), "Cache", network=far, global_datastore=datastore, **given)


def _properties(network: RedisNetwork, resource_type: str) -> dict[str, Any]:
    (resource,) = Template.from_stack(cdk.Stack.of(network)).find_resources(resource_type).values()
    return resource["Properties"]


def test_the_primary_is_its_only_member(network: RedisNetwork) -> None:
    datastore = _global(network)

    properties = _properties(network, GLOBAL)
    assert properties.pop("GlobalReplicationGroupIdSuffix").startswith("primary-global-")
    assert properties == {
        "Members": [
            {
                "ReplicationGroupId": {"Ref": cdk.Stack.of(network).get_logical_id(datastore.primary.resource)},
                "ReplicationGroupRegion": PRIMARY_REGION,
                "Role": "PRIMARY",
            }
        ],
        "AutomaticFailoverEnabled": True,
        "GlobalReplicationGroupDescription": "Primary/Global",
    }


def test_new_values_for_all_members_are_set_on_the_global_datastore(network: RedisNetwork) -> None:
    datastore = _global(
        network,
        {"shards": 2},
        engine=Engine.valkey("9.0"),
        node_type="cache.r7g.xlarge",
        shards=3,
        parameters={"maxmemory-policy": "allkeys-lru"},
        suffix="orders",
        description="Orders",
    )

    Template.from_stack(cdk.Stack.of(network)).has_resource_properties(
        GLOBAL,
        {
            "Engine": "valkey",
            "EngineVersion": "9.0",
            "CacheNodeType": "cache.r7g.xlarge",
            "GlobalNodeGroupCount": 3,
            "CacheParameterGroupName": {"Ref": Match.string_like_regexp("^GlobalParameters")},
            "GlobalReplicationGroupIdSuffix": "orders",
            "GlobalReplicationGroupDescription": "Orders",
        },
    )
    Template.from_stack(cdk.Stack.of(network)).has_resource_properties(
        "AWS::ElastiCache::ParameterGroup",
        {
            "CacheParameterGroupFamily": "valkey9",
            "Properties": {"cluster-enabled": "yes", "maxmemory-policy": "allkeys-lru"},
        },
    )
    # AWS rejects changes of a single member.
    assert _properties(network, GROUP)["CacheNodeType"] == "cache.r7g.large"
    assert _properties(network, GROUP)["NumNodeGroups"] == 2
    # A smoke test of the primary expects the new values.
    assert datastore.primary.topology == datastore.topology
    assert (datastore.topology.engine, datastore.topology.shards) == (Engine.valkey("9.0"), 3)


def test_a_secondary_omits_properties_of_the_global_datastore(network: RedisNetwork, far: RedisNetwork) -> None:
    _secondary(far, _global(network), replicas=2)

    assert set(_properties(far, GROUP)) == {
        "AutoMinorVersionUpgrade",
        "AutomaticFailoverEnabled",
        "CacheSubnetGroupName",
        "GlobalReplicationGroupId",
        "MultiAZEnabled",
        "Port",
        "ReplicasPerNodeGroup",
        "ReplicationGroupDescription",
        "SecurityGroupIds",
        "UserGroupIds",
    }
    assert _properties(far, GROUP)["ReplicasPerNodeGroup"] == 2
    Template.from_stack(cdk.Stack.of(far)).has_resource(
        GROUP, {"DeletionPolicy": "Snapshot", "UpdateReplacePolicy": "Snapshot"}
    )


def test_the_id_comes_from_the_other_region_without_an_export(network: RedisNetwork, far: RedisNetwork) -> None:
    _secondary(far, _global(network))

    reference = _properties(far, GROUP)["GlobalReplicationGroupId"]
    outputs = Template.from_stack(cdk.Stack.of(network)).find_outputs("*")
    (name, output) = next((name, output) for name, output in outputs.items() if "GlobalOutputs" in name)
    assert "Export" not in output
    assert reference == {"Fn::GetStackOutput": {"StackName": "Primary", "OutputName": name, "Region": PRIMARY_REGION}}
    assert cdk.Stack.of(network) in cdk.Stack.of(far).dependencies


def test_every_parameter_of_a_secondary_reaches_the_template(network: RedisNetwork, far: RedisNetwork) -> None:
    _secondary(
        far,
        _global(network),
        port=7000,
        kms_key=kms.Key(cdk.Stack.of(far), "Key"),
        snapshots=Snapshots.daily(retention_days=3),
        replication_group_id="orders",
        description="Orders",
        auto_minor_version_upgrade=False,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )

    Template.from_stack(cdk.Stack.of(far)).has_resource(
        GROUP,
        {
            "DeletionPolicy": "Delete",
            "Properties": Match.object_like(
                {
                    "Port": 7000,
                    "KmsKeyId": {"Fn::GetAtt": [Match.string_like_regexp("^Key"), "Arn"]},
                    "SnapshotRetentionLimit": 3,
                    "ReplicationGroupId": "orders",
                    "ReplicationGroupDescription": "Orders",
                    "AutoMinorVersionUpgrade": False,
                }
            ),
        },
    )


@pytest.mark.parametrize(
    ("shards", "attribute"), [(None, "PrimaryEndPoint.Address"), (2, "ConfigurationEndPoint.Address")]
)
def test_the_endpoint_depends_on_the_cluster_mode_of_the_primary(
    network: RedisNetwork, far: RedisNetwork, shards: int | None, attribute: str
) -> None:
    secondary = _secondary(far, _global(network, {"shards": shards}))

    name = cdk.Stack.of(far).get_logical_id(secondary.resource)
    assert cdk.Stack.of(far).resolve(secondary.endpoint.address) == {"Fn::GetAtt": [name, attribute]}
    assert (secondary.reader_endpoint is None) is (shards is not None)


def test_a_secondary_has_its_own_users(network: RedisNetwork, far: RedisNetwork) -> None:
    secondary = _secondary(far, _global(network))
    user = secondary.add_iam_user("reports", AccessString.read_only("*"))
    role = iam.Role(cdk.Stack.of(far), "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    secondary.grant_connect(role, user=user)

    policies = str(Template.from_stack(cdk.Stack.of(far)).find_resources("AWS::IAM::Policy"))
    assert f"elasticache:{SECONDARY_REGION}:111122223333:user:{user.user_name}" in policies


@pytest.mark.parametrize("parameter", ["engine", "node_type", "shards", "parameters", "restore", "unsafe_plaintext"])
def test_a_secondary_has_no_parameters_for_properties_of_the_global_datastore(
    network: RedisNetwork, far: RedisNetwork, parameter: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"{parameter}: SecondaryReplicationGroup has no such parameter"):
        _secondary(far, _global(network), **{parameter: None})


SECONDARIES: dict[str, tuple[dict[str, Any], str]] = {
    "no replica for the failover": (
        {"replicas": 0},
        "replicas: got 0, but the primary has automatic failover, so every member has it and needs a replica; "
        "add a replica",
    ),
    "too many replicas": (
        {"replicas": 6},
        "replicas: got 6, but a shard has 0 to 5 replicas; add shards to spread the load",
    ),
    "port": ({"port": 80}, "port: got 80, but the services listen on 1150 to 65535, 8005 excepted"),
    "name": (
        {"replication_group_id": "Orders"},
        "replication_group_id: got 'Orders', but a name has 1 to 40 lower-case letters, digits and single hyphens, "
        "begins with a letter and does not end with a hyphen",
    ),
}


@pytest.mark.parametrize(("given", "message"), SECONDARIES.values(), ids=SECONDARIES.keys())
def test_an_invalid_secondary_is_refused(
    network: RedisNetwork, far: RedisNetwork, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _secondary(far, _global(network), **given)
    assert str(caught.value) == f"Secondary/Cache: {message}"


PRIMARIES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "burstable nodes": ({"node_type": "cache.t4g.medium"}, {}, "primary: got 'cache.t4g.medium'"),
    "old nodes": ({"node_type": "cache.r4.large"}, {}, "primary: got 'cache.r4.large'"),
    "AUTH token": ({"authentication": Authentication.auth_token()}, {}, "it has an AUTH token"),
    "new nodes that are small": ({}, {"node_type": "cache.t4g.small"}, "node_type: got 'cache.t4g.small'"),
    "shards without cluster mode": ({}, {"shards": 2}, "shards: got 2, but the primary is not in cluster mode"),
    "too many shards": ({"shards": 2}, {"shards": 501}, "shards: got 501"),
    "parameters without an engine": ({}, {"parameters": {"timeout": "1"}}, "for a new `engine`, which is not set"),
    "engine of the other service": ({}, {"engine": Engine.valkey("7.3")}, "ElastiCache offers"),
    "suffix": ({}, {"suffix": "Orders"}, "suffix: got 'Orders', but a name has 1 to 34"),
}


@pytest.mark.parametrize(("of", "given", "message"), PRIMARIES.values(), ids=PRIMARIES.keys())
def test_an_invalid_global_datastore_is_refused(
    network: RedisNetwork, of: dict[str, Any], given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match="Primary/Global: ") as caught:
        _global(network, of, **given)
    assert message in str(caught.value)


def test_a_primary_with_ipv6_addresses_is_refused(app: cdk.App) -> None:
    network = RedisNetwork(cdk.Stack(app, "Primary"), "Network", dual_stack=True)

    with pytest.raises(ConfigurationError, match="IPv4 addresses only"):
        _global(network, {"network_type": NetworkType.DUAL_STACK})


def test_a_primary_that_is_not_a_replication_group_is_refused(network: RedisNetwork) -> None:
    with pytest.raises(ConfigurationError, match="primary: got text, but it takes ReplicationGroup"):
        GlobalDatastore(cdk.Stack.of(network), "Global", primary="orders")  # type: ignore[arg-type]


def test_two_members_in_one_region_are_refused(app: cdk.App, network: RedisNetwork, far: RedisNetwork) -> None:
    datastore = _global(network)
    _secondary(far, datastore)

    for region in (PRIMARY_REGION, SECONDARY_REGION):
        with pytest.raises(ConfigurationError, match=f"it has a member in {region} already"):
            _secondary(_network(app, region, f"Another-{region}"), datastore)


def test_a_third_secondary_is_refused(app: cdk.App, network: RedisNetwork) -> None:
    datastore = _global(network)
    for region in ("eu-west-1", "eu-central-1"):
        _secondary(_network(app, region, region), datastore)

    with pytest.raises(ConfigurationError, match="it has 2 secondaries, and AWS allows no more"):
        _secondary(_network(app, "eu-north-1", "Third"), datastore)


@pytest.mark.parametrize(
    ("account", "region", "message"),
    [
        (
            "111122223333",
            "cn-north-1",
            "got 'Primary/Global', but the primary is in us-east-1, and Regions in China replicate only to each other; "
            "choose another Region for the secondary",
        ),
        (
            "444455556666",
            "eu-west-1",
            "got 'a global datastore in 111122223333', but the secondary is in 444455556666; use a global datastore "
            "of that account",
        ),
    ],
    ids=["China", "another account"],
)
def test_a_secondary_that_cannot_replicate_is_refused(
    app: cdk.App, network: RedisNetwork, account: str, region: str, message: str
) -> None:
    everywhere = _global(network)
    far = RedisNetwork(cdk.Stack(app, "Far", env=cdk.Environment(account=account, region=region)), "Network")

    with pytest.raises(ConfigurationError) as caught:
        _secondary(far, everywhere)
    assert str(caught.value) == f"Far/Cache: global_datastore: {message}"


def test_a_member_in_an_unknown_region_is_refused(app: cdk.App) -> None:
    datastore = _global(_network(app, None, "Primary"))

    with pytest.raises(ConfigurationError, match="one of the two Regions is not known; give both stacks an `env`"):
        _secondary(_network(app, SECONDARY_REGION, "Secondary"), datastore)


def test_a_secondary_can_join_an_imported_global_datastore(far: RedisNetwork) -> None:
    datastore = GlobalDatastore.from_global_datastore_attributes(
        cdk.Stack.of(far),
        "Global",
        global_replication_group_id="ldgnf-orders",
        engine=Engine.redis("7.1"),
        shards=2,
    )
    secondary = _secondary(far, datastore)

    assert _properties(far, GROUP)["GlobalReplicationGroupId"] == "ldgnf-orders"
    assert secondary.topology.cluster_mode


def test_an_id_without_its_prefix_is_refused(far: RedisNetwork) -> None:
    with pytest.raises(ConfigurationError, match="an id has a prefix that AWS chooses"):
        GlobalDatastore.from_global_datastore_attributes(
            cdk.Stack.of(far), "Global", global_replication_group_id="orders", engine=Engine.redis("7.1")
        )


def test_open_access_of_the_primary_applies_to_secondaries(network: RedisNetwork, far: RedisNetwork) -> None:
    secondary = _secondary(far, _global(network, {"unsafe_open_access": True}))

    assert "UserGroupIds" not in _properties(far, GROUP)
    with pytest.raises(ConfigurationError, match="its global datastore has open access, and no users"):
        secondary.add_iam_user("app", AccessString.read_only("*"))


def test_a_smoke_test_of_a_secondary_is_refused(network: RedisNetwork, far: RedisNetwork) -> None:
    secondary = _secondary(far, _global(network))

    with pytest.raises(ConfigurationError, match="it is read-only, and a smoke test writes; test the primary"):
        SmokeTest(cdk.Stack.of(far), "SmokeTest", target=secondary)


def test_a_secondary_has_the_topology_of_its_primary(app: cdk.App, network: RedisNetwork, far: RedisNetwork) -> None:
    primary = _primary(network, port=6380, shards=2, replicas=1, unsafe_plaintext=True, unsafe_open_access=True)
    datastore = GlobalDatastore(cdk.Stack.of(network), "Global", primary=primary)
    secondary = SecondaryReplicationGroup(
        cdk.Stack.of(far), "Cache", network=far, global_datastore=datastore, replicas=1, port=6380
    )

    assert secondary.topology == primary.topology
    assert (secondary.topology.tls, secondary.open_access, secondary.read_only) == (False, True, True)


def test_an_import_reads_its_engine_from_text(stack: cdk.Stack) -> None:
    imported = GlobalDatastore.from_global_datastore_attributes(
        stack, "Imported", global_replication_group_id="ldgnf-orders", engine="valkey:8.1", shards=2
    )

    assert imported.topology.engine == Engine.valkey("8.1")


def test_an_import_refuses_values_of_a_wrong_type(stack: cdk.Stack) -> None:
    given: dict[str, Any] = {"engine": None, "replicas": None, "open_access": "no"}
    with pytest.raises(ConfigurationError) as caught:
        GlobalDatastore.from_global_datastore_attributes(
            stack, "Imported", global_replication_group_id="ldgnf-orders", **given
        )

    assert str(caught.value) == (
        "Stack/Imported: 3 problems\n"
        "  - engine: got None, but it takes Engine or text such as 'valkey:8.1'\n"
        "  - replicas: got None, but it must be a whole number\n"
        "  - open_access: got 'no', but it must be True or False"
    )
