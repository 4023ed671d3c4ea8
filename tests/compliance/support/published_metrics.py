"""Metrics that the services publish, and the limits of CloudWatch, from AWS's documentation (read on 2026-11-22).

Dimensions: CloudWatch's recommended alarms of ElastiCache have ``CacheClusterId``, the name of a node; some have
``CacheNodeId`` too, which is "0001" for every node of a replication group. aws-cdk-lib's ``MemoryDBMetrics``, generated
from AWS's specifications, has ``ClusterName``. For ``clusterId`` of serverless caches, see pull request 766 of
cdklabs/cdk-monitoring-constructs.
"""

from __future__ import annotations

from typing import NamedTuple

_ELASTICACHE = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg"
_MEMORYDB = "https://docs.aws.amazon.com/memorydb/latest/devguide"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


HOST_SOURCE = f"{_ELASTICACHE}/CacheMetrics.HostLevel.html, {_MEMORYDB}/metrics.HostLevel.html"
HOST = _names(
    """
    CPUUtilization CPUCreditBalance CPUCreditUsage FreeableMemory NetworkBandwidthInAllowanceExceeded
    NetworkBandwidthOutAllowanceExceeded NetworkBytesIn NetworkBytesOut NetworkConntrackAllowanceExceeded
    NetworkMaxBytesIn NetworkMaxBytesOut NetworkMaxPacketsIn NetworkMaxPacketsOut NetworkPacketsIn NetworkPacketsOut
    NetworkPacketsPerSecondAllowanceExceeded SwapUsage
    """
)
# Of the aggregations of commands, those with latencies are of ElastiCache only.
_COMMANDS = _names(
    """
    EvalBased GeoSpatialBased GetType HashBased HyperLogLogBased JsonBased KeyBased ListBased PubSubBased SearchBased
    SearchBasedGet SearchBasedSet SetBased SetType SortedSetBased StreamBased StringBased
    """
)
_BOTH = _names(
    """
    ActiveDefragHits AuthenticationFailures BytesReadFromDisk BytesWrittenToDisk CommandAuthorizationFailures
    CurrConnections CurrItems DB0AverageTTL DatabaseCapacityUsagePercentage DatabaseMemoryUsagePercentage
    EngineCPUUtilization ErrorCount Evictions KeyAuthorizationFailures KeysTracked MemoryFragmentationRatio
    NewConnections NumItemsReadFromDisk NumItemsWrittenToDisk Reclaimed ReplicationBytes ReplicationLag
    SuccessfulReadRequestLatency SuccessfulWriteRequestLatency
    """
) | {f"{kind}Cmds" for kind in _COMMANDS}

NODE_SOURCE = f"{_ELASTICACHE}/CacheMetrics.Redis.html"
NODE = (
    HOST
    | _BOTH
    | _names(
        """
        BytesUsedForCache CacheHitRate CacheHits CacheMisses ChannelAuthorizationFailures ClusterBasedCmds
        ClusterBasedCmdsLatency CurrVolatileItems DatabaseCapacityUsageCountedForEvictPercentage
        DatabaseMemoryUsageCountedForEvictPercentage GlobalDatastoreReplicationLag IamAuthenticationExpirations
        IamAuthenticationThrottling IsMaster MasterLinkHealthStatus NetworkLinkLocalAllowanceExceeded NonKeyTypeCmds
        NonKeyTypeCmdsLatency SaveInProgress SearchNumberOfIndexes SearchTotalIndexedDocuments SearchUsedMemoryBytes
        TrafficManagementActive
        """
    )
    | {f"{kind}CmdsLatency" for kind in _COMMANDS}
)

CLUSTER_SOURCE = f"{_MEMORYDB}/metrics.memorydb.html"
CLUSTER = (
    HOST
    | _BOTH
    | _names(
        """
        BytesUsedForMemoryDB IsPrimary KeyspaceHits KeyspaceMisses MaxReplicationThroughput
        MultiRegionClusterReplicationLag PrimaryLinkHealthStatus ReplicationDelayedWriteCommands
        SearchNumberOfIndexedKeys
        SearchNumberOfIndexes SearchTotalIndexSize
        """
    )
)

SERVERLESS_SOURCE = f"{_ELASTICACHE}/serverless-metrics-events-redis.html"
SERVERLESS = _names(
    """
    AuthenticationFailures BytesUsedForCache CacheHitRate CacheHits CacheMisses ChannelAuthorizationFailures
    CommandAuthorizationFailures CurrConnections CurrItems CurrVolatileItems DB0AverageTTL ElastiCacheProcessingUnits
    Evictions GetTypeCmds GetTypeCmdsECPUs IamAuthenticationExpirations IamAuthenticationThrottling
    KeyAuthorizationFailures NetworkBytesIn NetworkBytesOut NewConnections NonKeyTypeCmds NonKeyTypeCmdsECPUs Reclaimed
    SetTypeCmds SetTypeCmdsECPUs StringBasedCmds StringBasedCmdsECPUs SuccessfulReadRequestLatency
    SuccessfulWriteRequestLatency ThrottledCmds TotalCmdsCount
    """
)

# Written by the function of a smoke test: cdk_redis_runtime/_smoke_test/metrics.py.
SMOKE_TEST = _names("ChecksPassed ChecksFailed ChecksSkipped Duration LatencyP50 LatencyP99 LatencyMax")

METRICS: dict[tuple[str, frozenset[str]], frozenset[str]] = {
    ("AWS/ElastiCache", frozenset({"CacheClusterId"})): NODE,
    ("AWS/ElastiCache", frozenset({"clusterId"})): SERVERLESS,
    ("AWS/MemoryDB", frozenset({"ClusterName"})): CLUSTER,
    ("AWS/MemoryDB", frozenset({"ClusterName", "NodeName"})): CLUSTER,
    ("CdkRedis/SmokeTest", frozenset({"Service", "Store"})): SMOKE_TEST,
}


class Metric(NamedTuple):
    """A metric that a template names."""

    namespace: str
    name: str
    dimensions: frozenset[str]

    @property
    def exists(self) -> bool:
        """Whether the service publishes it with these dimensions."""
        return self.name in METRICS.get((self.namespace, self.dimensions), ())


# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
MOST_METRICS_IN_AN_ALARM = 10
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
MOST_CHILDREN_OF_A_COMPOSITE = 100
LONGEST_RULE = 10_240
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MOST_RESOURCES, MOST_BYTES = 500, 1024 * 1024

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
MOST_WIDGETS, COLUMNS, MOST_ROWS = 500, 24, 1_000
MOST_ALARMS_IN_A_WIDGET = 100
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html; metrics that formulas and
# searches read count as well, and a search returns up to 500.
MOST_METRICS_IN_A_WIDGET, MOST_METRICS_ON_A_DASHBOARD = 500, 2_500
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
LONGEST_SEARCH = 1_024
