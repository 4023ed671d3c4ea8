"""Stacks take over running stores with their keys, as ``cdk import`` and ``--import-existing-resources`` do."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

from tests.local.support.clouds import Cloud

GROUP, CLUSTER = "AWS::ElastiCache::ReplicationGroup", "AWS::MemoryDB::Cluster"
PORTS = {
    "Group": {"Fn::GetAtt": ["Group", "PrimaryEndPoint.Port"]},
    "Cluster": {"Fn::GetAtt": ["Cluster", "ClusterEndpoint.Port"]},
}


def stores(cloud: Cloud, **changed: Any) -> dict[str, Any]:
    """A replication group and a cluster that stay when their stack is deleted."""
    group = {"ReplicationGroupId": "orders", "ReplicationGroupDescription": "a group", "NumCacheClusters": 1}
    group |= {"TransitEncryptionEnabled": True, "CacheNodeType": "cache.t4g.small", **cloud.engine, **changed}
    cluster = {"ClusterName": "ledger", "ACLName": "open-access", "NodeType": "db.t4g.small", "NumReplicasPerShard": 0}
    return {
        "Group": {"Type": GROUP, "DeletionPolicy": "Retain", "Properties": group},
        "Cluster": {"Type": CLUSTER, "DeletionPolicy": "Retain", "Properties": {**cluster, **cloud.engine}},
    }


def client_of(cloud: Cloud, port: str) -> redis.Redis:
    trusted = cloud.local.environment["SSL_CERT_FILE"]
    return redis.Redis(host="localhost", port=int(port), ssl=True, ssl_ca_certs=trusted, decode_responses=True)


def import_stores(cloud: Cloud, stack: str, **options: Any) -> dict[str, Any]:
    """Import the stores into a new stack; returns the change set, which is executed if that is possible."""
    formation = cloud.client("cloudformation")
    outputs = {name: {"Value": value} for name, value in PORTS.items()}
    template = json.dumps(
        {"Resources": stores(cloud), **({} if "ResourcesToImport" in options else {"Outputs": outputs})}
    )
    formation.create_change_set(StackName=stack, ChangeSetName="import", TemplateBody=template, **options)
    made = formation.describe_change_set(StackName=stack, ChangeSetName="import")
    if made["ExecutionStatus"] == "AVAILABLE":
        formation.execute_change_set(StackName=stack, ChangeSetName="import")
    return dict(made)


def identified(group: str) -> list[dict[str, Any]]:
    return [
        {"ResourceType": GROUP, "LogicalResourceId": "Group", "ResourceIdentifier": {"ReplicationGroupId": group}},
        {"ResourceType": CLUSTER, "LogicalResourceId": "Cluster", "ResourceIdentifier": {"ClusterName": "ledger"}},
    ]


@pytest.mark.parametrize(
    "options",
    [
        {"ChangeSetType": "IMPORT", "ResourcesToImport": identified("orders")},
        {"ChangeSetType": "CREATE", "ImportExistingResources": True},
    ],
    ids=["cdk import", "import-existing-resources"],
)
def test_a_stack_takes_over_stores_with_their_keys_and_changes_them_in_place(
    cloud: Cloud, options: dict[str, Any]
) -> None:
    before = cloud.deploy("before", stores(cloud), PORTS)
    for name in PORTS:
        client_of(cloud, before[name]).set("key", name)
    cloud.delete("before")
    made = import_stores(cloud, "after", **options)
    assert {change["ResourceChange"]["Action"] for change in made["Changes"]} == {"Import"}, made.get("StatusReason")
    after = cloud.deploy("after", stores(cloud, NumCacheClusters=2), PORTS)
    assert after == before
    for name in PORTS:
        assert client_of(cloud, after[name]).get("key") == name
    assert client_of(cloud, after["Group"]).info("replication")["connected_slaves"] == 1
    resources = stores(cloud, NumCacheClusters=2)
    for resource in resources.values():
        resource["DeletionPolicy"] = "Delete"
    cloud.deploy("after", resources, PORTS)
    cloud.delete("after")


def test_a_store_that_does_not_exist_is_not_imported(cloud: Cloud) -> None:
    made = import_stores(cloud, "missing", ChangeSetType="IMPORT", ResourcesToImport=identified("no-such"))
    assert made["Status"] == "FAILED"
    assert f"Resource of type '{GROUP}' with identifier 'no-such' was not found." in made["StatusReason"]
