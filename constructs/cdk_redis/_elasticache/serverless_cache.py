"""An ElastiCache serverless cache: Valkey or Redis OSS in cluster mode, without nodes to manage.

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

from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.checks import check_texts, value_of
from cdk_redis._core.errors import Problems
from cdk_redis._core.naming import description_of, name_by_properties
from cdk_redis._core.resource import define
from cdk_redis._core.service import SERVERLESS
from cdk_redis._core.tokens import is_token
from cdk_redis._elasticache.adoption import SERVERLESS_CACHE
from cdk_redis._elasticache.alarms import serverless_rows
from cdk_redis._elasticache.checks import check_user_group
from cdk_redis._elasticache.store import MAX_NAME, ElastiCacheStore
from cdk_redis._elasticache.usage_limits import UsageLimits
from cdk_redis._elasticache.user_group import ElastiCacheUserGroup
from cdk_redis._network.network import RedisNetwork, network_of
from cdk_redis._store.adoption import check_adopted_name, keep_as_deployed
from cdk_redis._store.alarms_of_preset import use_alarms_of_preset
from cdk_redis._store.checks import check_dual_stack, check_keys
from cdk_redis._store.encryption_key import choose_key
from cdk_redis._store.final_snapshot import DEFAULT_POLICY, apply_removal_policy
from cdk_redis._store.imported_store import ImportedStore
from cdk_redis._store.resources import check_import, check_same_place, check_security_groups, check_store_name
from cdk_redis._store.restored_data import check_restored_data
from cdk_redis._store.warnings import warn_of_name, warn_of_unsafe
from cdk_redis._values.endpoint import Endpoint
from cdk_redis._values.engine import Engine
from cdk_redis._values.network_type import NetworkType
from cdk_redis._values.restore import Restore
from cdk_redis._values.snapshots import Snapshots
from cdk_redis._values.topology import Topology

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_elasticache as elasticache
    from aws_cdk import aws_kms as kms

    from cdk_redis._access.users import User
    from cdk_redis._elasticache.user_group import IUserGroup
    from cdk_redis._store.alarm_table import AlarmRow
    from cdk_redis._store.interface import IStore
    from cdk_redis._values.existing_resource import ExistingResource
    from cdk_redis._values.preset import Preset

# A change of any of these replaces the cache, which then needs a new name.
_REPLACING = ("kms_key_id", "network_type", "snapshot_arns_to_restore", "subnet_ids")
_DEFAULT_ENGINE = Engine.valkey("8")
# The service's ports: the first reads and writes, the second reads from replicas.
_PORT, _READER_PORT = 6379, 6380
_MAX_DESCRIPTION = 255
# The service creates a network interface in each of two or three zones.
_MAX_SUBNETS = 3
_NAMED_BY_HAND = "@cdk-redis:namedCache"


class ServerlessCache(ElastiCacheStore):
    """An ElastiCache serverless cache.

    Defines one ``AWS::ElastiCache::ServerlessCache`` with a security group and a user group; you can give existing ones
    instead. TLS, encryption at rest, several zones and snapshots are on. Only the users that you add can connect.
    Clients connect in cluster mode; the service decides the number of shards and replicas.

    A change of `engine` (to another engine or a newer major version), `usage_limits`, `snapshots`, `security_groups`,
    users or `description` updates the cache in place. A change of `network`, `kms_key`, `create_kms_key`,
    `network_type`, `restore` or `serverless_cache_name` **replaces** it: CloudFormation creates an empty one under a
    new generated name, and deletes the old one after a final snapshot.

    Attributes:
        resource: The L1 construct, for properties that this construct does not have.
        serverless_cache_name: Name of the cache; the same as `store_name`.
        serverless_cache_arn: ARN of the cache; the same as `store_arn`.
        user_group: Its user group; None for a cache with open access.
        kms_key: Key that encrypts its data at rest, given or created; None for a key that AWS owns.
    """

    service = SERVERLESS

    @checked_arguments
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        network: RedisNetwork | None = None,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        engine: Engine | str | None = None,
        usage_limits: UsageLimits | None = None,
        kms_key: kms.IKey | None = None,
        create_kms_key: bool = False,
        secret_kms_key: kms.IKey | None = None,
        user_group: IUserGroup | None = None,
        snapshots: Snapshots | str | int | None = None,
        restore: Restore | str | None = None,
        network_type: NetworkType | str = NetworkType.IPV4,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        serverless_cache_name: str | None = None,
        description: str | None = None,
        removal_policy: cdk.RemovalPolicy | str = DEFAULT_POLICY,
        adopt: ExistingResource | None = None,
        preset: Preset | None = None,  # noqa: ARG002 - `checked_arguments` reads it
        unsafe_open_access: bool = False,
    ) -> None:
        """Define the cache.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            network: The network whose subnets it is placed in, one for each of up to three zones, and which gives it
                its security group. Set `network` or `vpc`.
            vpc: An existing VPC to place the cache in, in place of `network`. A `RedisNetwork` is defined for it, with
                the id "Network". Changing it replaces the cache.
            vpc_subnets: Subnets of `vpc`; public ones are rejected. Default: - the isolated subnets if it has any, else
                the private ones with egress.
            engine: Engine and major version, such as ``"valkey:8"``: Valkey 7, 8 or 9, or Redis OSS 7. AWS rejects a
                downgrade. Default: - ``"valkey:8"``.
            usage_limits: Limits of its data and of its processing units. Default: - no limits: the cache scales up to
                the account's quotas, and AWS charges for the usage.
            kms_key: Key that encrypts the data at rest, in the cache's Region. Changing it replaces the cache.
                Default: - a key owned by the service.
            create_kms_key: Whether to create a key for the data, with yearly rotation; it is retained when the cache is
                deleted. Changing it replaces the cache.
            secret_kms_key: Key that encrypts the secrets generated for users of the store, the disabled default
                user of Redis OSS included.
                Changing it encrypts the secrets again, without new passwords. Default: - the key
                ``aws/secretsmanager``.
            user_group: An existing user group; users that you add to the cache become its members.
                Default: - the cache creates one.
            snapshots: Daily snapshots; a number is the days that each is kept. A serverless cache has a time instead of
                a window: ``Snapshots.daily(at="03:00")``. Default: - kept for 7 days, taken at a time that AWS chooses.
            restore: Data that the cache is created with: the ARN of a snapshot, or files in S3. Changing it replaces
                the cache. Default: - the cache is empty.
            network_type: IP versions of the cache; the subnets must support them. Changing it replaces the cache.
            security_groups: Existing security groups, to which the rules for connecting are added.
                Default: - a new one that allows connections from the network's client security group and from grantees.
            serverless_cache_name: Name of the cache: 1 to 40 lower-case letters, digits and single hyphens.
                CloudFormation cannot replace a cache with a name that you set. Default: - generated from the path of
                this construct and the properties whose change replaces the cache.
            description: Text shown in the console, up to 255 characters. Default: - the path of this construct.
            removal_policy: What happens to the cache when it leaves the stack or is replaced: it is deleted after a
                final snapshot (SNAPSHOT), kept (RETAIN), or deleted with all data (DESTROY).
            adopt: The store that exists and that this construct takes over, with its data, see `ExistingResource`.
                Adding, changing or removing it later replaces the cache. Default: - a new cache is created.
            preset: Values for parameters that are left out, such as ``Preset.prod()``. Default: - the preset of the
                nearest scope that has one, see `Preset.use_in`; without one, the defaults of these parameters.
            unsafe_open_access: Whether anyone on the network can connect without signing in. Such a cache has no users.

        Raises:
            ConfigurationError: With every parameter that AWS would reject, and with each that would replace the cache
                that exists.
        """
        super().__init__(scope, id, port=_PORT, last_port=_READER_PORT)
        from aws_cdk import aws_elasticache as elasticache

        problems = Problems(self)
        check_texts(problems, max_length=_MAX_DESCRIPTION, description=description)
        engine = value_of(problems, "engine", engine, Engine) or _DEFAULT_ENGINE
        snapshots = value_of(problems, "snapshots", snapshots, Snapshots) or Snapshots.daily()
        restore = value_of(problems, "restore", restore, Restore)
        usage_limits = value_of(problems, "usage_limits", usage_limits, UsageLimits)
        removal_policy = value_of(problems, "removal_policy", removal_policy, cdk.RemovalPolicy) or DEFAULT_POLICY
        network_type = value_of(problems, "network_type", network_type, NetworkType) or NetworkType.IPV4
        network = network_of(self, problems, network, vpc, vpc_subnets)
        problems.note(engine.check_serverless())
        check_keys(problems, self, kms_key, create_kms_key, secret_kms_key)
        check_user_group(problems, user_group, unsafe_open_access, engine)
        check_dual_stack(problems, network_type, None, network, None)
        check_security_groups(problems, self, security_groups, network)
        check_same_place(problems, self, user_group=user_group)
        check_store_name(problems, "serverless_cache_name", serverless_cache_name, scope=self, kind="serverless cache")
        check_adopted_name(problems, "serverless_cache_name", serverless_cache_name, adopt)
        check_restored_data(problems, self, restore)
        _check_snapshots(problems, snapshots)
        _check_restore(problems, restore)
        problems.raise_if_any()

        self.network = network
        self._usage_limits = usage_limits
        self._secret_kms_key = secret_kms_key
        self.open_access = unsafe_open_access
        self.topology = Topology(engine, cluster_mode=True, shards=None, replicas=None)
        self.kms_key = choose_key(self, kms_key, create_kms_key=create_kms_key)
        if not unsafe_open_access:
            self._use_user_group(
                user_group or ElastiCacheUserGroup(self, "UserGroup", engine=engine, secret_kms_key=secret_kms_key)
            )
        self._use_security_groups(
            security_groups
            or [network.create_store_security_group(self, "SecurityGroup", port=_PORT, last_port=_READER_PORT)]
        )
        self.resource: elasticache.CfnServerlessCache = define(
            elasticache.CfnServerlessCache,
            self,
            "Resource",
            serverless_cache_name=serverless_cache_name or "",
            description=description or description_of(self.node.path),
            engine=engine.name,
            major_engine_version=engine.version,
            cache_usage_limits=_usage_limits(usage_limits),
            subnet_ids=_one_subnet_a_zone(network),
            security_group_ids=[group.security_group_id for group in self.security_groups],
            network_type=None if network_type is NetworkType.IPV4 else network_type.value,
            user_group_id=self.user_group.user_group_id if self.user_group else None,
            kms_key_id=self.kms_key.key_arn if self.kms_key else None,
            snapshot_retention_limit=snapshots.retention_days,
            daily_snapshot_time=snapshots.at,
            snapshot_arns_to_restore=_arns_to_restore(restore),
        )
        if serverless_cache_name is None:
            # References to subnets stay the same when their VPC is replaced.
            self.resource.serverless_cache_name = name_by_properties(
                self.resource, _REPLACING, network.vpc.vpc_id, max_length=MAX_NAME
            )
        apply_removal_policy(self, self.resource, self.resource.serverless_cache_name, removal_policy, vpc=network.vpc)
        keep_as_deployed(self, self.resource, adopt, SERVERLESS_CACHE)
        self.serverless_cache_name = self.store_name = self.resource.ref
        self.serverless_cache_arn = self.store_arn = self.service.store_arn(self, self.store_name)
        self.endpoint = Endpoint.from_attributes(self.resource.attr_endpoint_address, self.resource.attr_endpoint_port)
        self.reader_endpoint = Endpoint.from_attributes(
            self.resource.attr_reader_endpoint_address, self.resource.attr_reader_endpoint_port
        )
        use_alarms_of_preset(self)
        warn_of_unsafe(self)
        if serverless_cache_name is not None and adopt is None:
            warn_of_name(self, "serverless_cache_name", _NAMED_BY_HAND)

    def _alarm_rows(self) -> Sequence[AlarmRow]:
        return serverless_rows(self._usage_limits)

    @classmethod
    @checked_arguments
    def from_serverless_cache_attributes(
        cls,
        scope: Construct,
        id: str,
        *,
        serverless_cache_name: str,
        endpoint: Endpoint,
        security_groups: Sequence[ec2.ISecurityGroup],
        reader_endpoint: Endpoint | None = None,
        engine: Engine | str | None = None,
        users: Sequence[User] = (),
        network: RedisNetwork | None = None,
        unsafe_open_access: bool = False,
    ) -> IStore:
        """Import a serverless cache that another app owns, to connect to it and to smoke-test it.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            serverless_cache_name: Its name.
            endpoint: Its endpoint.
            security_groups: Its security groups, to which rules are added.
            reader_endpoint: Its reader endpoint. Default: - the same host name, with port 6380.
            engine: Its engine and major version. Default: - ``"valkey:8"``.
            users: Its users, see `ElastiCacheUser.from_user_attributes`.
            network: The network whose subnets it is placed in; a smoke test needs it.
            unsafe_open_access: Whether anyone on the network can connect without signing in.

        Raises:
            ConfigurationError: If the engine is invalid.
        """
        problems = Problems(f"{scope.node.path}/{id}")
        engine = value_of(problems, "engine", engine, Engine) or _DEFAULT_ENGINE
        parameter = "serverless_cache_name"
        check_import(
            problems, scope, parameter, serverless_cache_name, network=network, security_groups=security_groups
        )
        problems.raise_if_any()
        return ImportedStore(
            scope,
            id,
            service=cls.service,
            store_name=serverless_cache_name,
            endpoint=endpoint,
            reader_endpoint=reader_endpoint or Endpoint(endpoint.address, _READER_PORT),
            topology=Topology(engine, cluster_mode=True, shards=None, replicas=None),
            security_groups=security_groups,
            users=users,
            network=network,
            alarm_rows=serverless_rows(None),
            last_port=_READER_PORT,
            open_access=unsafe_open_access,
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
    # A snapshot of a replication group and one of a serverless cache can have the same name.
    reason = "a serverless cache is restored by the ARN of a snapshot, not by its name"
    problems.add("restore", name, reason, 'write Restore.from_snapshot("arn:aws:elasticache:...")')


def _check_snapshots(problems: Problems, snapshots: Snapshots) -> None:
    if snapshots.window is not None:
        reason = "a serverless cache takes its snapshots at a time, not in a window"
        problems.add("snapshots", str(snapshots.window), reason, 'write Snapshots.daily(at="03:00")')
