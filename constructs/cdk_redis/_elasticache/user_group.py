"""Which users a replication group or a serverless cache knows: an ElastiCache user group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._access.access_string import AccessString
from cdk_redis._access.authentication import Authentication
from cdk_redis._access.members import MAX_GROUP_NAME, Members
from cdk_redis._core.naming import unique_name
from cdk_redis._core.resource import define
from cdk_redis._elasticache.user import ElastiCacheUser

if TYPE_CHECKING:
    from aws_cdk import aws_elasticache as elasticache

    from cdk_redis._values.engine import Engine


class ElastiCacheUserGroup(cdk.Resource):
    """The users that a replication group knows.

    Defines one ``AWS::ElastiCache::UserGroup``. A Redis OSS group must have a user named ``default``: one that is
    switched off and has a password nobody knows is made for it, because the service's own has full access and
    none. A Valkey group needs no such user.

    Attributes:
        users: The users of the group, the disabled default user left out.
        user_group_id: Id of the group; a token.
        resource: The L1 construct.
    """

    def __init__(self, scope: Construct, id: str, *, engine: Engine) -> None:
        """Define the group, with no users.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            engine: Engine of the replication groups that use it; its users must have the same.
        """
        super().__init__(scope, id)
        from aws_cdk import aws_elasticache as elasticache

        self._members = Members()
        self.users: list[ElastiCacheUser] = []
        self.resource: elasticache.CfnUserGroup = define(
            elasticache.CfnUserGroup,
            self,
            "Resource",
            user_group_id=unique_name(self, max_length=MAX_GROUP_NAME),
            engine=engine.name,
            user_ids=self._members.names(),
        )
        self.user_group_id: str = self.resource.ref
        if engine.name == "redis":
            self._members.add(self._disabled_default_user(engine))

    def add(self, user: ElastiCacheUser) -> None:
        """Put a user into the group; each user of a group has a name of its own."""
        self._members.add(user)
        self.users.append(user)

    def _disabled_default_user(self, engine: Engine) -> ElastiCacheUser:
        return ElastiCacheUser(
            self,
            "DefaultUser",
            engine=engine,
            access=AccessString.off(),
            authentication=Authentication.password(),
            login_name="default",
        )
