"""Properties of ElastiCache resource types that the library does not set, each with the reason.

The test also fails if the library sets a property that is listed here.
"""

from __future__ import annotations

_TAGS = {
    "Tags.Key": "tags come from cdk.Tags.of(store).add(...), as for every other resource of an app",
    "Tags.Value": "tags come from cdk.Tags.of(store).add(...), as for every other resource of an app",
}
_RESHARDING = "sets the zones of new shards for each member; by default, AWS distributes the nodes over the zones"

OMITTED: dict[str, dict[str, str]] = {
    "AWS::ElastiCache::ReplicationGroup": {
        **_TAGS,
        "NumCacheClusters": "excludes shards, and differs from the store when replicas are scaled: the library sets "
        "NumNodeGroups and ReplicasPerNodeGroup",
        "PreferredCacheClusterAZs": "has one zone for each node, so that a change of the number of replicas would "
        "replace the store; `placement` sets NodeGroupConfiguration, also for one shard",
        "PrimaryClusterId": "creates a group from an existing cache cluster, which CloudFormation cannot manage then",
        "SnapshottingClusterId": "AWS rejects it in cluster mode, and otherwise chooses a replica",
    },
    "AWS::ElastiCache::ServerlessCache": {
        **_TAGS,
        "ConnectionType": "the default is a cache in a VPC; the other type can be reached from the internet",
    },
    "AWS::ElastiCache::GlobalReplicationGroup": {
        **_TAGS,
        "RegionalConfigurations.ReplicationGroupId": _RESHARDING,
        "RegionalConfigurations.ReplicationGroupRegion": _RESHARDING,
        "RegionalConfigurations.ReshardingConfigurations.NodeGroupId": _RESHARDING,
        "RegionalConfigurations.ReshardingConfigurations.PreferredAvailabilityZones": _RESHARDING,
    },
    "AWS::ElastiCache::User": {
        **_TAGS,
        "NoPasswordRequired": "anyone could sign in as such a user; `unsafe_open_access` allows this for a whole store",
        "Passwords": "AuthenticationMode.Passwords has the same effect, and AWS rejects both together",
    },
    "AWS::ElastiCache::UserGroup": {**_TAGS},
    "AWS::ElastiCache::ParameterGroup": {**_TAGS},
    "AWS::ElastiCache::SubnetGroup": {
        **_TAGS,
        "CacheSubnetGroupName": "CloudFormation chooses it, because it cannot replace a group with a given name",
    },
}
