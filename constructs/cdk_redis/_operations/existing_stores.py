"""Turns what AWS says of a store into the code of its construct, for ``cdk-redis adopt``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from cdk_redis._core.errors import ConfigurationError
from cdk_redis._elasticache.node_types import NODE_TYPES as ELASTICACHE_NODE_TYPES
from cdk_redis._memorydb.node_types import NODE_TYPES as MEMORYDB_NODE_TYPES
from cdk_redis._operations.adopting_code import StoreCode, text, texts
from cdk_redis._store.node_types import NodeTypes
from cdk_redis._values.engine import Engine
from cdk_redis._values.node_type import NodeType

Description = Mapping[str, Any]
_OPEN_ACCESS = "open-access"


class NotAdoptableError(Exception):
    """The store cannot be adopted, or only with more arguments."""


class Calls(Protocol):
    """Calls to AWS."""

    def __call__(self, service: str, method: str, /, **parameters: object) -> Any:
        """Call a method of a service, such as ``("elasticache", "describe_replication_groups")``."""
        ...


def replication_group_code(call: Calls, name: str, auth_token_secret: str | None) -> list[str]:
    """The code for a replication group.

    Args:
        call: Calls AWS.
        name: Its name.
        auth_token_secret: Name or ARN of the secret with its AUTH token.

    Raises:
        NotAdoptableError: For a member of a global datastore, and without the secret if there is an AUTH token.
    """
    group = call("elasticache", "describe_replication_groups", ReplicationGroupId=name)["ReplicationGroups"][0]
    if group.get("GlobalReplicationGroupInfo", {}).get("GlobalReplicationGroupId"):
        raise NotAdoptableError(f"{name} is a member of a global datastore, which cannot be adopted")
    (node,) = call(
        "elasticache", "describe_cache_clusters", CacheClusterId=group["MemberClusters"][0], ShowCacheNodeInfo=True
    )["CacheClusters"]
    code = StoreCode("ReplicationGroup", name)
    subnets = call("elasticache", "describe_cache_subnet_groups", CacheSubnetGroupName=node["CacheSubnetGroupName"])[
        "CacheSubnetGroups"
    ][0]
    _set_vpc(
        code,
        subnets["VpcId"],
        [(one["SubnetIdentifier"], one["SubnetAvailabilityZone"]["Name"]) for one in subnets["Subnets"]],
    )
    code.set("replication_group_id", text(group["ReplicationGroupId"]))
    code.set("description", text(group["Description"]))
    parameters = node["CacheParameterGroup"]["CacheParameterGroupName"]
    engine = _set_engine(code, node["Engine"], node["EngineVersion"], lambda: _family(call, parameters))
    _set_node_type(code, group["CacheNodeType"], ELASTICACHE_NODE_TYPES, engine)
    _set_nodes(code, group)
    _set_elasticache_groups(code, node, parameters)
    _set_access(code, group, auth_token_secret)
    _set_key(code, group.get("KmsKeyId"), group["ARN"])
    _set_addresses(code, group)
    _set_snapshots(code, group)
    code.set("maintenance_window", text(node["PreferredMaintenanceWindow"]))
    if not group.get("AutoMinorVersionUpgrade", True):
        code.set("auto_minor_version_upgrade", "False")
    _set_topic(code, node.get("NotificationConfiguration", {}).get("TopicArn"))
    _set_logs(code, group.get("LogDeliveryConfigurations", []))
    if group.get("Durability") in ("sync", "async"):
        code.set("durability", text(group["Durability"]))
    _adopt(code)
    _keep_failover(code, group)
    _add_tags(code, call("elasticache", "list_tags_for_resource", ResourceName=group["ARN"])["TagList"])
    return code.lines()


def serverless_cache_code(call: Calls, name: str) -> list[str]:
    """The code for a serverless cache."""
    cache = call("elasticache", "describe_serverless_caches", ServerlessCacheName=name)["ServerlessCaches"][0]
    code = StoreCode("ServerlessCache", name)
    found = call("ec2", "describe_subnets", SubnetIds=cache["SubnetIds"])["Subnets"]
    _set_vpc(code, found[0]["VpcId"], [(one["SubnetId"], one["AvailabilityZone"]) for one in found])
    code.set("serverless_cache_name", text(cache["ServerlessCacheName"]))
    _set_description(code, cache.get("Description"))
    code.set("engine", _engine_text(cache["Engine"], cache["MajorEngineVersion"]))
    _set_usage_limits(code, cache.get("CacheUsageLimits", {}))
    _set_security_groups(code, cache["SecurityGroupIds"])
    if cache.get("UserGroupId"):
        code.set("user_group", _user_group(code, cache["UserGroupId"]))
    _set_key(code, cache.get("KmsKeyId"), cache["ARN"])
    _set_addresses(code, cache)
    days, at = cache.get("SnapshotRetentionLimit", 0), cache.get("DailySnapshotTime")
    code.set("snapshots", f"Snapshots.daily({days}, at={text(at)})" if days and at else str(days))
    _adopt(code)
    if not cache.get("UserGroupId"):
        code.set("unsafe_open_access", "True")
    _add_tags(code, call("elasticache", "list_tags_for_resource", ResourceName=cache["ARN"])["TagList"])
    return code.lines()


def cluster_code(call: Calls, name: str) -> list[str]:
    """The code for a MemoryDB cluster.

    Raises:
        NotAdoptableError: For a member of a Multi-Region cluster.
    """
    cluster = call("memorydb", "describe_clusters", ClusterName=name, ShowShardDetails=True)["Clusters"][0]
    if cluster.get("MultiRegionClusterName"):
        raise NotAdoptableError(f"{name} is a member of a Multi-Region cluster, for which no code can be printed")
    code = StoreCode("MemoryDbCluster", name)
    subnets = call("memorydb", "describe_subnet_groups", SubnetGroupName=cluster["SubnetGroupName"])["SubnetGroups"][0]
    _set_vpc(
        code, subnets["VpcId"], [(one["Identifier"], one["AvailabilityZone"]["Name"]) for one in subnets["Subnets"]]
    )
    code.set("cluster_name", text(cluster["Name"]))
    _set_description(code, cluster.get("Description"))
    engine = _set_engine(code, cluster.get("Engine", "redis"), cluster["EngineVersion"], lambda: None)
    _set_node_type(code, cluster["NodeType"], MEMORYDB_NODE_TYPES, engine)
    code.set("shards", str(cluster["NumberOfShards"]))
    _set_replicas(code, [shard["NumberOfNodes"] for shard in cluster["Shards"]])
    _set_port(code, cluster["ClusterEndpoint"]["Port"])
    name = text(cluster["SubnetGroupName"])
    code.set("subnet_group", code.imported("MemoryDbSubnetGroup.from_subnet_group_name", "Subnets", name))
    _set_security_groups(code, [one["SecurityGroupId"] for one in cluster.get("SecurityGroups", [])])
    name = text(cluster["ParameterGroupName"])
    code.set("parameter_group", code.imported("MemoryDbParameterGroup.from_parameter_group_name", "Parameters", name))
    if cluster["ACLName"] != _OPEN_ACCESS:
        code.set("acl", code.imported("Acl.from_acl_name", "Acl", text(cluster["ACLName"])))
    _set_key(code, cluster.get("KmsKeyId"), cluster["ARN"])
    _set_addresses(code, cluster)
    _set_snapshots(code, cluster)
    code.set("maintenance_window", text(cluster["MaintenanceWindow"]))
    if not cluster.get("AutoMinorVersionUpgrade", True):
        code.set("auto_minor_version_upgrade", "False")
    _set_topic(code, cluster.get("SnsTopicArn"))
    _adopt(code)
    if cluster["ACLName"] == _OPEN_ACCESS:
        code.set("unsafe_open_access", "True")
    if not cluster["TLSEnabled"]:
        code.set("unsafe_plaintext", "True")
    _add_tags(code, call("memorydb", "list_tags", ResourceArn=cluster["ARN"])["TagList"])
    return code.lines()


def _set_vpc(code: StoreCode, vpc_id: str, subnets: Sequence[tuple[str, str]]) -> None:
    """Set the VPC, with the subnets of the store and the zone of each."""
    ordered = sorted(subnets)
    code.before(
        "vpc = ec2.Vpc.from_vpc_attributes(",
        "    self,",
        f"    {text(code.id + 'Vpc')},",
        f"    vpc_id={text(vpc_id)},",
        f"    availability_zones={texts([zone for _, zone in ordered])},",
        f"    isolated_subnet_ids={texts([subnet for subnet, _ in ordered])},",
        ")",
    )
    code.set("vpc", "vpc")
    if len({zone for _, zone in ordered}) == 1:
        code.after(f"# All subnets are in {ordered[0][1]}: add one of another zone to `vpc`, for smoke tests.")


def _set_description(code: StoreCode, description: str | None) -> None:
    if description:
        code.set("description", text(description))
    else:
        code.after("store.resource.description = None  # it has none; leave out for the path of the construct")


def _set_engine(code: StoreCode, name: str, version: str, family: Any) -> Engine:
    """Set the engine. The services describe ``7.1.0``, and know Redis OSS 6 and newer by two numbers."""
    numbers = version.split(".")
    short = version if name == "redis" and int(numbers[0]) < 6 else ".".join(numbers[:2])
    try:
        engine = Engine.from_text(f"{name}:{short}")
        code.set("engine", _engine_text(name, short))
    except ConfigurationError:
        its = family()
        engine = Engine.of(name, short, its)
        argument = f", elasticache_family={text(its)}" if its else ""
        code.set("engine", f"Engine.of({text(name)}, {text(short)}{argument})")
    return engine


def _engine_text(name: str, version: str) -> str:
    return text(f"{name}:{version}")


def _family(call: Calls, parameter_group: str) -> str:
    groups = call("elasticache", "describe_cache_parameter_groups", CacheParameterGroupName=parameter_group)
    return str(groups["CacheParameterGroups"][0]["CacheParameterGroupFamily"])


def _set_node_type(code: StoreCode, name: str, offered: NodeTypes, engine: Engine) -> None:
    is_known = offered.problem_with(NodeType(name), engine) is None
    code.set("node_type", text(name) if is_known else f"NodeType.of({text(name)})")


def _set_nodes(code: StoreCode, group: Description) -> None:
    shards = group["NodeGroups"]
    if group.get("ClusterEnabled"):
        code.set("shards", str(len(shards)))
    _set_replicas(code, [len(shard["NodeGroupMembers"]) for shard in shards])
    endpoint = group.get("ConfigurationEndpoint") or shards[0]["PrimaryEndpoint"]
    _set_port(code, endpoint["Port"])
    if group.get("ClusterMode") == "compatible":
        code.set("cluster_mode_compatible", "True")


def _set_replicas(code: StoreCode, nodes: Sequence[int]) -> None:
    code.set("replicas", str(max(nodes) - 1))
    if len(set(nodes)) > 1:
        code.after(
            f"# The shards have {min(nodes) - 1} to {max(nodes) - 1} replicas; a template has one number for all."
        )


def _set_port(code: StoreCode, port: int) -> None:
    if port != 6379:
        code.set("port", str(port))


def _set_elasticache_groups(code: StoreCode, node: Description, parameters: str) -> None:
    name = text(node["CacheSubnetGroupName"])
    code.set("subnet_group", code.imported("ElastiCacheSubnetGroup.from_subnet_group_name", "Subnets", name))
    _set_security_groups(code, [one["SecurityGroupId"] for one in node.get("SecurityGroups", [])])
    call = "ElastiCacheParameterGroup.from_parameter_group_name"
    code.set("parameter_group", code.imported(call, "Parameters", text(parameters)))


def _set_security_groups(code: StoreCode, ids: Sequence[str]) -> None:
    groups = [
        code.imported("ec2.SecurityGroup.from_security_group_id", f"SecurityGroup{number}", text(one))
        for number, one in enumerate(ids, 1)
    ]
    if groups:
        code.set("security_groups", f"[{', '.join(groups)}]")


def _set_access(code: StoreCode, group: Description, auth_token_secret: str | None) -> None:
    users, name = group.get("UserGroupIds", []), group["ReplicationGroupId"]
    if users:
        code.set("user_group", _user_group(code, users[0]))
    elif group.get("AuthTokenEnabled"):
        if auth_token_secret is None:
            raise NotAdoptableError(
                f"{name} has an AUTH token, which AWS does not return: store it in Secrets Manager, as JSON with the "
                "key password, and give the name or the ARN of the secret with --auth-token-secret"
            )
        is_arn = auth_token_secret.startswith("arn:")
        how = "secret_complete_arn" if is_arn else "secret_name_v2"
        secret = code.imported(f"secretsmanager.Secret.from_{how}", "AuthToken", text(auth_token_secret))
        code.set("authentication", f"Authentication.auth_token({secret})")
    else:
        code.set("unsafe_open_access", "True")
    if not group.get("TransitEncryptionEnabled"):
        code.set("unsafe_plaintext", "True")
    elif group.get("TransitEncryptionMode") == "preferred":
        code.set("transit_encryption_mode", text("preferred"))
    if not group.get("AtRestEncryptionEnabled"):
        code.set("unsafe_unencrypted_at_rest", "True")


def _user_group(code: StoreCode, name: str) -> str:
    return code.imported("ElastiCacheUserGroup.from_user_group_id", "Users", text(name))


def _set_key(code: StoreCode, key: str | None, store_arn: str) -> None:
    if not key:
        return
    if not key.startswith("arn:"):
        key = re.sub(r"^(arn:[^:]+):[^:]+:([^:]*:[^:]*):.*", rf"\1:kms:\2:key/{key}", store_arn)
    code.set("kms_key", code.imported("kms.Key.from_key_arn", "Key", text(key)))


def _set_addresses(code: StoreCode, store: Description) -> None:
    if store.get("NetworkType", "ipv4") != "ipv4":
        code.set("network_type", text(store["NetworkType"]))
        if store.get("IpDiscovery"):
            code.set("ip_discovery", text(store["IpDiscovery"]))


def _set_snapshots(code: StoreCode, store: Description) -> None:
    days, window = store.get("SnapshotRetentionLimit", 0), store.get("SnapshotWindow")
    has_window = days and window
    code.set("snapshots", f"Snapshots.daily({days}, SnapshotWindow({text(window)}))" if has_window else str(days))


def _set_topic(code: StoreCode, arn: str | None) -> None:
    if arn:
        code.set("notification_topic", code.imported("sns.Topic.from_topic_arn", "Topic", text(arn)))


def _set_logs(code: StoreCode, configurations: Sequence[Description]) -> None:
    logs: list[str] = []
    for one in configurations:
        details = one["DestinationDetails"]
        its_id = "".join(part.capitalize() for part in one["LogType"].split("-"))
        if one["DestinationType"] == "cloudwatch-logs":
            name = text(details["CloudWatchLogsDetails"]["LogGroup"])
            target = f"log_group={code.imported('logs.LogGroup.from_log_group_name', its_id, name)}"
        else:
            name = text(details["KinesisFirehoseDetails"]["DeliveryStream"])
            target = (
                f"delivery_stream={code.imported('firehose.DeliveryStream.from_delivery_stream_name', its_id, name)}"
            )
        method = one["LogType"].replace("-", "_")
        logs.append(f"LogDelivery.{method}({target}, format={text(one['LogFormat'])})")
    if logs:
        code.set("log_delivery", f"[{', '.join(logs)}]")


def _set_usage_limits(code: StoreCode, limits: Description) -> None:
    names = {"DataStorage": "data_storage_gb", "ECPUPerSecond": "ecpu_per_second"}
    bounds = [
        f"{parameter}=({limits[name].get('Minimum')}, {limits[name].get('Maximum')})"
        for name, parameter in names.items()
        if limits.get(name, {}).get("Minimum") or limits.get(name, {}).get("Maximum")
    ]
    if bounds:
        code.set("usage_limits", f"UsageLimits({', '.join(bounds)})")


def _adopt(code: StoreCode) -> None:
    # CloudFormation takes over only resources that it would keep.
    code.set("removal_policy", text("RETAIN"))
    code.set("adopt", "ExistingResource()")


def _keep_failover(code: StoreCode, group: Description) -> None:
    has_replicas = len(group["NodeGroups"][0]["NodeGroupMembers"]) > 1
    if has_replicas and group.get("AutomaticFailover") in ("disabled", "disabling"):
        code.after("store.resource.automatic_failover_enabled = False  # leave out to turn it on")
    if has_replicas and group.get("MultiAZ") != "enabled":
        code.after(
            "store.resource.multi_az_enabled = False  # leave out to turn it on, if the nodes are in several zones"
        )


def _add_tags(code: StoreCode, tags: Sequence[Description]) -> None:
    for tag in tags:
        if not tag["Key"].startswith("aws:"):
            code.after(f"cdk.Tags.of(store).add({text(tag['Key'])}, {text(tag.get('Value', ''))})")
