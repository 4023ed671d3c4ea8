"""Adopting stores that exist: a parameter that would replace one, and descriptions that no resource can have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aws_cdk import aws_kms as kms

from cdk_redis import (
    Authentication,
    ElastiCacheSubnetGroup,
    ExistingResource,
    MemoryDbSubnetGroup,
    Restore,
)
from tests.compliance.refused.rows import Accepted, Refused, Scene

_RULE = "An adopted store keeps each property whose change replaces it."
_UPDATES = (
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/"
    "aws-resource-elasticache-replicationgroup.html"
)
_SERVERLESS = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticache-serverlesscache.html"
_MEMORYDB = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-memorydb-cluster.html"
_TEMPLATE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html"
_OURS = "the library"
_KEY_ID = "12345678-abcd-4ef0-9876-0123456789ab"
_KEY = f"arn:aws:kms:eu-west-1:111122223333:key/{_KEY_ID}"
_REDIS: dict[str, Any] = {"engine": "redis:7.1"}


def _key(it: Scene) -> kms.IKey:
    return kms.Key.from_key_arn(it.scope, "Key", _KEY)


def _group(deployed: Mapping[str, object], **given: Any) -> Callable[[Scene], object]:
    """A replication group of the subnet group "orders", adopted with these deployed properties."""

    def make(it: Scene) -> object:
        subnets = ElastiCacheSubnetGroup.from_subnet_group_name(it.scope, "Subnets", "orders")
        adopt = ExistingResource(f"{it.scope.node.id}Cache", {"CacheSubnetGroupName": "orders", **deployed})
        return it.group(subnet_group=subnets, adopt=adopt, **given)

    return make


def _cluster(deployed: Mapping[str, object], **given: Any) -> Callable[[Scene], object]:
    def make(it: Scene) -> object:
        subnets = MemoryDbSubnetGroup.from_subnet_group_name(it.scope, "Subnets", "orders")
        adopt = ExistingResource("Cluster", {"SubnetGroupName": "orders", "ClusterName": "orders", **deployed})
        return it.cluster(cluster_name="orders", subnet_group=subnets, adopt=adopt, **given)

    return make


def _changes(parameter: str, name: str, old: str, new: str) -> str:
    return (
        f"{parameter}: it would change {name} from {old} to {new}, which replaces the store; give it the deployed value"
    )


def _row(call: Callable[[Scene], object], parameter: str, name: str, old: str, new: str, source: str) -> Refused:
    return Refused(_RULE, call, _changes(parameter, name, old, new), source)


REFUSED = [
    _row(_group({"Port": 6380}), "port", "Port", "6380", "6379", _UPDATES),
    _row(_group({}, port=6380), "port", "Port", "nothing", "6380", _UPDATES),
    _row(
        _group({"CacheSubnetGroupName": "default"}),
        "subnet_group",
        "CacheSubnetGroupName",
        '"default"',
        '"orders"',
        _UPDATES,
    ),
    _row(_group({"KmsKeyId": _KEY}), "kms_key", "KmsKeyId", f'"{_KEY}"', "nothing", _UPDATES),
    _row(lambda it: _group({}, kms_key=_key(it))(it), "kms_key", "KmsKeyId", "nothing", f'"{_KEY}"', _UPDATES),
    _row(_group({}, replication_group_id="orders-adopted"), "replication_group_id", "ReplicationGroupId", "nothing",
         '"orders-adopted"', _UPDATES),
    _row(_group({"ReplicationGroupId": "orders-adopted"}), "replication_group_id", "ReplicationGroupId",
         '"orders-adopted"', "nothing", _UPDATES),
    _row(_group({"NetworkType": "dual_stack"}), "network_type", "NetworkType", '"dual_stack"', "nothing", _UPDATES),
    _row(_group({"DataTieringEnabled": True}), "node_type", "DataTieringEnabled", "true", "nothing", _UPDATES),
    _row(_group({}, restore=Restore.from_snapshot("o")), "restore", "SnapshotName", "nothing", '"o"', _UPDATES),
    _row(_group({"GlobalReplicationGroupId": "ldgnf-orders"}), "adopt", "GlobalReplicationGroupId", '"ldgnf-orders"',
         "nothing", _UPDATES),
    _row(_group({}, **_REDIS), "unsafe_unencrypted_at_rest", "AtRestEncryptionEnabled", "nothing", "true", _UPDATES),
    _row(_group({"AtRestEncryptionEnabled": True}, unsafe_unencrypted_at_rest=True), "unsafe_unencrypted_at_rest",
         "AtRestEncryptionEnabled", "true", "false", _UPDATES),
    Refused(
        "An adopted replication group with an AUTH token keeps one.",
        _group({"AuthToken": "a token of many signs"}),
        "authentication: it would remove AuthToken, which replaces the store; give it the deployed value",
        _UPDATES,
    ),
    Refused(
        "An adopted replication group without an AUTH token gets none.",
        _group({}, authentication=Authentication.auth_token()),
        "authentication: it would add AuthToken, which replaces the store; give it the deployed value",
        _UPDATES,
    ),
    Refused(
        "The number of shards of an adopted store is that of its NodeGroupConfiguration.",
        _group({"NodeGroupConfiguration": [{}, {}]}, shards=3),
        "shards: got 3, but the deployed template has a NodeGroupConfiguration of 2 shards; change its "
        "NodeGroupConfiguration in `adopt` as well",
        _UPDATES,
    ),
    Refused(
        "A new store is encrypted at rest.",
        lambda it: it.group(unsafe_unencrypted_at_rest=True),
        "unsafe_unencrypted_at_rest: got True, but a new store is encrypted at rest; leave it out; for a store that "
        "exists, give `adopt` as well",
        _OURS,
    ),
    Refused(
        "A store that is not encrypted at rest has no key.",
        lambda it: it.group(adopt=ExistingResource(), unsafe_unencrypted_at_rest=True, create_kms_key=True),
        "unsafe_unencrypted_at_rest: got True, but there is a key that encrypts the data at rest; leave out `kms_key` "
        "and `create_kms_key`",
        _UPDATES,
    ),
    Refused(
        "An adopted serverless cache has its name.",
        lambda it: it.serverless(adopt=ExistingResource()),
        "serverless_cache_name: got None, but a generated name is not the name of the existing store; give its name",
        _SERVERLESS,
    ),
    Refused(
        "An adopted cluster has its name.",
        lambda it: it.cluster(adopt=ExistingResource()),
        "cluster_name: got None, but a generated name is not the name of the existing store; give its name",
        _MEMORYDB,
    ),
    _row(_cluster({"TLSEnabled": False}), "unsafe_plaintext", "TLSEnabled", "false", "true", _MEMORYDB),
    _row(_cluster({"DataTiering": "true"}), "node_type", "DataTiering", '"true"', "nothing", _MEMORYDB),
    _row(_cluster({"MultiRegionClusterName": "virxk-orders"}), "multi_region", "MultiRegionClusterName",
         '"virxk-orders"', "nothing", _MEMORYDB),
    Refused(
        "A logical id has letters and digits.",
        lambda _: ExistingResource("orders-cache"),
        "logical_id: got 'orders-cache', but a logical id has 1 to 255 letters and digits",
        _TEMPLATE,
    ),
    Refused(
        "A property has its name as in templates.",
        lambda _: ExistingResource("Cache", {"num_cache_clusters": 2}),
        "properties: got 'num_cache_clusters', but a property has its name as in the template; write NumCacheClusters, "
        "not num_cache_clusters",
        _TEMPLATE,
    ),
    Refused(
        "A deployed template is a file.",
        lambda _: ExistingResource.from_template("no-such-file.json", "Cache"),
        "template: got 'no-such-file.json', but it cannot be read: No such file or directory",
        _OURS,
    ),
    Refused(
        "A deployed template is in JSON.",
        lambda _: ExistingResource.from_template("Makefile", "Cache"),
        "template: got 'Makefile', but it is not JSON; for one in YAML, give the logical id and the properties: "
        "ExistingResource(logical_id, properties)",
        _OURS,
    ),
    Refused(
        "A deployed template has resources.",
        lambda _: ExistingResource.from_template(Path("cdk.json"), "Cache"),
        "template: got 'cdk.json', but it has no resources; give a template of CloudFormation",
        _OURS,
    ),
]  # fmt: skip

ACCEPTED = [
    Accepted(
        "An adopted store may be described as it is: with an old number of nodes, and without encryption at rest.",
        _group({"NumCacheClusters": 2, "AtRestEncryptionEnabled": False}, **_REDIS, unsafe_unencrypted_at_rest=True),
    ),
    Accepted(
        "Names are compared as ElastiCache stores them, in lower case.",
        _group({"ReplicationGroupId": "Orders-Adopted", "Port": "6379"}, replication_group_id="orders-adopted"),
    ),
    Accepted(
        "A key is the same by its id and by its ARN.",
        lambda it: _group({"KmsKeyId": _KEY_ID, "AtRestEncryptionEnabled": True}, kms_key=_key(it))(it),
    ),
    Accepted(
        "A property that a pseudo parameter leaves out is not deployed.",
        _group({"Port": {"Ref": "AWS::NoValue"}}),
    ),
    Accepted("A store that no stack manages is imported.", lambda it: it.group(adopt=ExistingResource())),
    Accepted(
        "The default subnet group of MemoryDB need not be named.",
        lambda it: it.cluster(
            cluster_name="orders-adopted",
            subnet_group=MemoryDbSubnetGroup.from_subnet_group_name(it.scope, "Subnets", "default"),
            adopt=ExistingResource("Ledger", {"ClusterName": "orders-adopted", "TLSEnabled": "true"}),
        ),
    ),
]
