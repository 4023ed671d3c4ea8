"""Properties that the library does not set, each with the reason; one dict a resource type.

A property that stands here and is set all the same fails the test too.
"""

from __future__ import annotations

_TAGS = {
    "Tags.Key": "tags come from cdk.Tags.of(store).add(...), as for every other resource of an app",
    "Tags.Value": "tags come from cdk.Tags.of(store).add(...), as for every other resource of an app",
}
_RESHARDING = "places the nodes of new shards by zone, member by member; AWS spreads them over the zones by itself"

OMITTED: dict[str, dict[str, str]] = {
    "AWS::ElastiCache::ReplicationGroup": {
        **_TAGS,
        "NumCacheClusters": "excludes shards, and drifts when replicas scale: NumNodeGroups and ReplicasPerNodeGroup",
        "PreferredCacheClusterAZs": "lists as many zones as there are nodes and replaces the store when it changes, as "
        "each change of replicas would; `placement` sets NodeGroupConfiguration, which one shard can have as well",
        "PrimaryClusterId": "makes a group around a cache cluster that exists; CloudFormation cannot then manage it",
        "SnapshottingClusterId": "AWS refuses it in cluster mode, and chooses a replica by itself without",
    },
    "AWS::ElastiCache::ServerlessCache": {
        **_TAGS,
        "ConnectionType": "a cache stands in a VPC, which is the service's default; the other type is on the internet",
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
        "NoPasswordRequired": "a user without a password is nobody's; `unsafe_open_access` says it of a whole store",
        "Passwords": "AuthenticationMode.Passwords says the same, and both together are refused",
    },
    "AWS::ElastiCache::UserGroup": {**_TAGS},
    "AWS::ElastiCache::ParameterGroup": {**_TAGS},
    "AWS::ElastiCache::SubnetGroup": {
        **_TAGS,
        "CacheSubnetGroupName": "CloudFormation names it: a group with a name could not be replaced",
    },
}
