"""Base class of replication groups, secondaries and serverless caches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from cdk_redis._core.errors import ConfigurationError, problem
from cdk_redis._core.weak_reference import require_order
from cdk_redis._elasticache.user import ElastiCacheUser
from cdk_redis._elasticache.user_group import ElastiCacheUserGroup
from cdk_redis._store.store import Store
from cdk_redis._values.endpoint import Endpoint
from cdk_redis._values.engine import Engine

if TYPE_CHECKING:
    from aws_cdk import aws_elasticache as elasticache
    from aws_cdk import aws_kms as kms

    from cdk_redis._access.access_string import AccessString
    from cdk_redis._access.authentication import Authentication
    from cdk_redis._access.users import User
    from cdk_redis._elasticache.user_group import IUserGroup

DEFAULT_ENGINE = Engine.valkey("8.1")
DEFAULT_NODE_TYPE = "cache.t4g.small"
# Limit of replication groups and of serverless caches.
MAX_NAME = 40


class ElastiCacheStore(Store):
    """A store of ElastiCache.

    Attributes:
        user_group: Its user group; None for a store without users.
        kms_key: Key that encrypts its data at rest, given or created; None for a key that AWS owns.
    """

    user_group: IUserGroup | None = None
    kms_key: kms.IKey | None
    _why_no_users: tuple[str, str] = ("a store with open access has no users", "leave out `unsafe_open_access`")

    def _use_user_group(self, user_group: IUserGroup) -> None:
        if isinstance(user_group, ElastiCacheUserGroup):
            require_order(self, "user_group", user_group)
        self.user_group = user_group
        # The same list object: stores that share a group share its users.
        self.users = user_group.users

    def _create_user(self, scope: Construct, id: str, access: AccessString, authentication: Authentication) -> User:
        if self.user_group is None:
            raise ConfigurationError(self.node.path, [problem("name", id, *self._why_no_users)])
        user = ElastiCacheUser(scope, id, engine=self.topology.engine, access=access, authentication=authentication)
        self.user_group.add(user)
        return user


def endpoint_of(resource: elasticache.CfnReplicationGroup, kind: str) -> Endpoint:
    """An endpoint of a replication group.

    Args:
        resource: The L1 construct.
        kind: ``"primary"``, ``"reader"`` or ``"configuration"``.
    """
    return Endpoint.from_attributes(
        getattr(resource, f"attr_{kind}_end_point_address"), getattr(resource, f"attr_{kind}_end_point_port")
    )
