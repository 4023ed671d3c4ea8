"""What an adopted MemoryDB cluster keeps of the deployed one."""

from __future__ import annotations

from cdk_redis._store.adoption import Fixed

CLUSTER = {
    "ClusterName": Fixed("cluster_name", "cluster_name"),
    "DataTiering": Fixed("data_tiering", "node_type", (False,)),
    "KmsKeyId": Fixed("kms_key_id", "kms_key"),
    "MultiRegionClusterName": Fixed("multi_region_cluster_name", "multi_region"),
    "NetworkType": Fixed("network_type", "network_type", ("ipv4",)),
    "Port": Fixed("port", "port", (6379,)),
    "SnapshotArns": Fixed("snapshot_arns", "restore", only_at_creation=True),
    "SnapshotName": Fixed("snapshot_name", "restore", only_at_creation=True),
    "SubnetGroupName": Fixed("subnet_group_name", "subnet_group", ("default",)),
    # "A flag to enable in-transit encryption on the cluster", on by default:
    # https://docs.aws.amazon.com/memorydb/latest/APIReference/API_CreateCluster.html
    "TLSEnabled": Fixed("tls_enabled", "unsafe_plaintext", (True,)),
}
