"""An ElastiCache serverless cache: Valkey or Redis OSS without nodes to choose, in cluster mode, behind one endpoint.

network = RedisNetwork(self, "Network")
cache = ServerlessCache(self, "Cache", network=network, usage_limits=UsageLimits.at_most(data_storage_gb=10))
app = cache.add_iam_user("app", AccessString.read_write("app:*"))
cache.grant_connect(function, user=app)
SmokeTest(self, "SmokeTest", target=cache)
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.checks import check_name
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.naming import unique_name
from cdk_redis._core.resource import define
from cdk_redis._core.service import SERVERLESS
from cdk_redis._core.tokens import is_token
from cdk_redis._elasticache.user import ElastiCacheUser
from cdk_redis._elasticache.user_group import ElastiCacheUserGroup
from cdk_redis._store.checks import check_dual_stack, check_key
from cdk_redis._store.encryption_key import choose_key
from cdk_redis._store.final_snapshot import apply_removal_policy
from cdk_redis._store.imported_store import ImportedStore
from cdk_redis._store.store import Store
from cdk_redis._values.endpoint import Endpoint
from cdk_redis._values.engine import Engine
from cdk_redis._values.network_type import NetworkType
from cdk_redis._values.snapshots import Snapshots
from cdk_redis._values.topology import Topology

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_elasticache as elasticache
    from aws_cdk import aws_kms as kms

    from cdk_redis._access.access_string import AccessString
    from cdk_redis._access.authentication import Authentication
    from cdk_redis._access.users import User
    from cdk_redis._elasticache.usage_limits import UsageLimits
    from cdk_redis._network.network import RedisNetwork
    from cdk_redis._values.restore import Restore

# The service listens on these, and nowhere else: for everyone, and for those that read from replicas.
_PORT, _READER_PORT = 6379, 6380
_MAX_NAME = 40
_MAX_DESCRIPTION = 255
# The service puts one network interface into each of two or three zones.
_MAX_SUBNETS = 3
_NAMED_BY_HAND = "@cdk-redis:namedCache"
_OPENED = "@cdk-redis:openAccess"


class ServerlessCache(Store):
    """An ElastiCache serverless cache.

    Defines one ``AWS::ElastiCache::ServerlessCache`` with its own security group and user group. TLS, encryption at
    rest, several zones and snapshots are on. Nobody signs in but the users that are added. Clients connect in cluster
    mode; how many shards and replicas there are is the service's affair.

    Changing `engine` (to another engine or a newer major version), `usage_limits`, `snapshots`, `security_groups`,
    users or `description` is an update in place. Changing `network`, `kms_key`, `network_type`, `restore` or
    `serverless_cache_name` **replaces** the cache: the old one is deleted after a final snapshot, and the new one is
    empty. Its generated name changes with them, so that the new one can stand beside the old.

    Attributes:
        resource: The L1 construct, for what this one does not offer.
        user_group: Its user group; None for a cache with open access.
        kms_key: The key that encrypts its data at rest; None for a key owned by the service.
    """

    service = SERVERLESS

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        network: RedisNetwork,
        engine: Engine | None = None,
        usage_limits: UsageLimits | None = None,
        kms_key: kms.IKey | None = None,
        create_kms_key: bool = False,
        snapshots: Snapshots | None = None,
        restore: Restore | None = None,
        network_type: NetworkType = NetworkType.IPV4,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        serverless_cache_name: str | None = None,
        description: str | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.SNAPSHOT,
        unsafe_open_access: bool = False,
    ) -> None:
        """Define the cache.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            network: Where it stands: the first subnet in each of up to three zones, and the security group that it
                gets.
            engine: Engine and major version: Valkey 7, 8 or 9, or Redis OSS 7; moving back to an older one is refused
                by AWS. Default: - ``Engine.valkey("8")``.
            usage_limits: Bounds of its data and of its processing. Default: - none: it grows as it is used, up to the
                account's quotas, and so does the bill.
            kms_key: Key that encrypts the data at rest, in the cache's Region. Changing it replaces the cache.
                Default: - a key owned by the service.
            create_kms_key: Whether to make a key for it, which is renewed every year and outlives the cache.
            snapshots: Daily snapshots, at a time rather than in a window: ``Snapshots.daily(at="03:00")``.
                Default: - kept for 7 days, taken at an hour that AWS chooses.
            restore: What it begins with: files in S3, or the snapshot whose ARN is given as its name. Changing it
                replaces the cache. Default: - nothing.
            network_type: Kinds of IP addresses that it has; the subnets must have them too. Changing it replaces the
                cache.
            security_groups: Existing security groups, to which the rules for connecting are added.
                Default: - one made by the network, that lets in its client security group and those granted.
            serverless_cache_name: Name of the cache: 1 to 40 lower-case letters, digits and single hyphens.
                CloudFormation cannot replace a cache named by hand. Default: - generated from the path of this
                construct and from what forces a replacement.
            description: Text shown in the console, up to 255 characters. Default: - the path of this construct.
            removal_policy: What happens to the cache when it leaves the stack or is replaced: a final snapshot and
                deletion (SNAPSHOT), it stays (RETAIN), or it is lost (DESTROY).
            unsafe_open_access: Whether anyone on the network gets in without signing in. Such a cache takes no users.

        Raises:
            ConfigurationError: With every parameter that AWS would refuse.
        """
        super().__init__(scope, id, port=_PORT, last_port=_READER_PORT)
        engine = engine or Engine.valkey("8")
        snapshots = snapshots or Snapshots.daily()
        problems = Problems(self)
        problems.note(engine.check_serverless())
        check_name(problems, "serverless_cache_name", serverless_cache_name, max_length=_MAX_NAME)
        check_key(problems, self, kms_key, create_kms_key)
        _check_snapshots(problems, snapshots)
        _check_restore(problems, restore)
        check_dual_stack(problems, network_type, None, network, None)
        _check_description(problems, description)
        problems.raise_if_any()

        self.network = network
        self.open_access = unsafe_open_access
        self.topology = Topology(engine, cluster_mode=True, shards=None, replicas=None)
        self.kms_key = choose_key(self, kms_key, create_kms_key=create_kms_key)
        self.user_group: ElastiCacheUserGroup | None = (
            None if unsafe_open_access else ElastiCacheUserGroup(self, "UserGroup", engine=engine)
        )
        if self.user_group is not None:
            self.users = self.user_group.users
        self._use_security_groups(
            security_groups
            or [network.create_store_security_group(self, "SecurityGroup", port=_PORT, last_port=_READER_PORT)]
        )
        self.resource = self._create(
            network=network,
            usage_limits=usage_limits,
            snapshots=snapshots,
            restore=restore,
            network_type=network_type,
            serverless_cache_name=serverless_cache_name,
            description=description,
        )
        apply_removal_policy(self, self.resource, self.resource.serverless_cache_name, removal_policy)
        self._warn(named_by_hand=serverless_cache_name is not None)
        self.store_name = self.resource.ref
        self.store_arn = self.service.store_arn(self, self.store_name)
        self.endpoint = Endpoint.from_attributes(self.resource.attr_endpoint_address, self.resource.attr_endpoint_port)
        self.reader_endpoint = Endpoint.from_attributes(
            self.resource.attr_reader_endpoint_address, self.resource.attr_reader_endpoint_port
        )

    def _create(
        self,
        *,
        network: RedisNetwork,
        usage_limits: UsageLimits | None,
        snapshots: Snapshots,
        restore: Restore | None,
        network_type: NetworkType,
        serverless_cache_name: str | None,
        description: str | None,
    ) -> elasticache.CfnServerlessCache:
        from aws_cdk import aws_elasticache as elasticache

        subnet_ids = _one_subnet_a_zone(network)
        key_arn = self.kms_key.key_arn if self.kms_key else None
        arns = _arns_to_restore(restore)
        addresses = None if network_type is NetworkType.IPV4 else network_type.value
        return define(
            elasticache.CfnServerlessCache,
            self,
            "Resource",
            serverless_cache_name=serverless_cache_name
            # Subnets keep their references when their VPC changes.
            or self._generated_name(network.vpc.vpc_id, subnet_ids, key_arn, arns, addresses),
            description=description or self.node.path[:_MAX_DESCRIPTION],
            engine=self.topology.engine.name,
            major_engine_version=self.topology.engine.version,
            cache_usage_limits=_usage_limits(usage_limits),
            subnet_ids=subnet_ids,
            security_group_ids=[group.security_group_id for group in self.security_groups],
            network_type=addresses,
            user_group_id=self.user_group.user_group_id if self.user_group else None,
            kms_key_id=key_arn,
            snapshot_retention_limit=snapshots.retention_days,
            daily_snapshot_time=snapshots.at,
            snapshot_arns_to_restore=arns,
        )

    def _generated_name(self, *forces_replacement: object) -> str:
        return unique_name(self, max_length=_MAX_NAME, replaced_by=list(forces_replacement))

    def _warn(self, *, named_by_hand: bool) -> None:
        if named_by_hand:
            cdk.Annotations.of(self).add_warning_v2(
                _NAMED_BY_HAND,
                "serverless_cache_name was given by hand: a change that replaces the cache will fail, because the new "
                "one cannot have the name of the old; leave it out unless something outside depends on it",
            )
        if self.open_access:
            cdk.Annotations.of(self).add_warning_v2(
                _OPENED, "unsafe_open_access: anyone who reaches the network reads and writes everything"
            )

    def _create_user(self, scope: Construct, id: str, access: AccessString, authentication: Authentication) -> User:
        if self.user_group is None:
            hint = "leave `unsafe_open_access` out"
            raise ConfigurationError(
                self.node.path, [problem("name", id, "a cache with open access has no users", hint)]
            )
        user = ElastiCacheUser(scope, id, engine=self.topology.engine, access=access, authentication=authentication)
        self.user_group.add(user)
        return user

    @classmethod
    def from_serverless_cache_attributes(
        cls,
        scope: Construct,
        id: str,
        *,
        serverless_cache_name: str,
        endpoint: Endpoint,
        security_groups: Sequence[ec2.ISecurityGroup],
        reader_endpoint: Endpoint | None = None,
        engine: Engine | None = None,
        users: Sequence[User] = (),
        network: RedisNetwork | None = None,
    ) -> Store:
        """Import a serverless cache that another app owns, to connect to it and to smoke-test it.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            serverless_cache_name: Its name.
            endpoint: Its endpoint.
            security_groups: Its security groups, to which rules are added.
            reader_endpoint: Its reader endpoint. Default: - the same host, on the next port.
            engine: Its engine and major version. Default: - ``Engine.valkey("8")``.
            users: Its users, see `ElastiCacheUser.from_user_attributes`.
            network: The network that it stands in; a smoke test needs it.
        """
        return ImportedStore(
            scope,
            id,
            service=cls.service,
            store_name=serverless_cache_name,
            endpoint=endpoint,
            reader_endpoint=reader_endpoint or Endpoint(endpoint.address, _READER_PORT),
            topology=Topology(engine or Engine.valkey("8"), cluster_mode=True, shards=None, replicas=None),
            security_groups=security_groups,
            users=users,
            network=network,
            last_port=_READER_PORT,
        )


def _one_subnet_a_zone(network: RedisNetwork) -> list[str]:
    stack = cdk.Stack.of(network)
    by_zone: dict[str, str] = {}
    for subnet in network.subnets:
        by_zone.setdefault(json.dumps(stack.resolve(subnet.availability_zone)), subnet.subnet_id)
    return list(by_zone.values())[:_MAX_SUBNETS]


def _usage_limits(limits: UsageLimits | None) -> elasticache.CfnServerlessCache.CacheUsageLimitsProperty | None:
    if limits is None:
        return None
    from aws_cdk.aws_elasticache import CfnServerlessCache

    storage, units = limits.data_storage_gb, limits.ecpu_per_second
    return CfnServerlessCache.CacheUsageLimitsProperty(
        data_storage=storage
        and CfnServerlessCache.DataStorageProperty(unit="GB", minimum=storage[0], maximum=storage[1]),
        ecpu_per_second=units and CfnServerlessCache.ECPUPerSecondProperty(minimum=units[0], maximum=units[1]),
    )


def _arns_to_restore(restore: Restore | None) -> list[str] | None:
    if restore is None:
        return None
    return list(restore.object_arns) or [str(restore.snapshot_name)]


def _check_restore(problems: Problems, restore: Restore | None) -> None:
    name = restore.snapshot_name if restore else None
    if name is None or is_token(name) or name.startswith("arn:"):
        return
    # Snapshots of serverless caches and of replication groups have names that do not tell them apart.
    reason = "a serverless cache is restored by a snapshot's ARN, which says what it is a snapshot of"
    problems.add("restore", name, reason, 'write Restore.from_snapshot("arn:aws:elasticache:...")')


def _check_snapshots(problems: Problems, snapshots: Snapshots) -> None:
    if snapshots.window is not None:
        reason = "a serverless cache takes its snapshots at a time, not in a window"
        problems.add("snapshots", str(snapshots.window), reason, 'write Snapshots.daily(at="03:00")')


def _check_description(problems: Problems, description: str | None) -> None:
    if description is not None and not is_token(description) and len(description) > _MAX_DESCRIPTION:
        problems.add("description", f"{len(description)} characters", f"it has up to {_MAX_DESCRIPTION} characters")
