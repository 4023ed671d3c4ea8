"""Which users a store knows: an ElastiCache user group, a MemoryDB access control list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from constructs import Construct

from ._access_string import AccessString
from ._authentication import Authentication
from ._naming import unique_name
from ._users import DefinedUser, ElastiCacheUser, MemoryDbUser

if TYPE_CHECKING:
    from aws_cdk import aws_elasticache as elasticache
    from aws_cdk import aws_memorydb as memorydb

    from ._engine import Engine

# Both services take 40 characters.
_MAX_GROUP_NAME = 40


class _Members:
    """The users of one group, added one after the other."""

    def __init__(self) -> None:
        self.users: list[DefinedUser] = []

    def add(self, user: DefinedUser) -> None:
        # The services change one user of a group at a time and fail when asked for two
        # ("InvalidUserState", aws/aws-cdk issue 16266): let each wait for the one before.
        if self.users:
            user.node.add_dependency(self.users[-1])
        self.users.append(user)

    def names(self) -> list[str]:
        # References, not repeated strings: they make the group wait for its users.
        return cdk.Lazy.uncached_list(_UserReferences(self.users))


@jsii.implements(cdk.IListProducer)
class _UserReferences:
    """Resolves to the users present at synth, whenever they were added."""

    def __init__(self, users: list[DefinedUser]) -> None:
        self._users = users

    def produce(self, context: cdk.IResolveContext) -> list[str]:  # noqa: ARG002 - the interface's signature
        return [user.resource.ref for user in self._users]


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

        self._members = _Members()
        self.users: list[ElastiCacheUser] = []
        self.resource: elasticache.CfnUserGroup = elasticache.CfnUserGroup(
            self,
            "Resource",
            user_group_id=unique_name(self, max_length=_MAX_GROUP_NAME),
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


class Acl(cdk.Resource):
    """The users that a MemoryDB cluster knows.

    Defines one ``AWS::MemoryDB::ACL``.

    Attributes:
        users: The users of the list.
        acl_name: Name of the list; a token.
        resource: The L1 construct.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        """Define the list, with no users.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
        """
        super().__init__(scope, id)
        from aws_cdk import aws_memorydb as memorydb

        self._members = _Members()
        self.users: list[MemoryDbUser] = []
        self.resource: memorydb.CfnACL = memorydb.CfnACL(
            self,
            "Resource",
            acl_name=unique_name(self, max_length=_MAX_GROUP_NAME),
            user_names=self._members.names(),
        )
        self.acl_name: str = self.resource.ref

    def add(self, user: MemoryDbUser) -> None:
        """Put a user into the list."""
        self._members.add(user)
        self.users.append(user)
