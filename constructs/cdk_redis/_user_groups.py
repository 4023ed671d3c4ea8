"""Which users a store knows: an ElastiCache user group, a MemoryDB access control list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import aws_cdk as cdk
import jsii
from constructs import Construct

from ._access_string import AccessString
from ._authentication import Authentication
from ._errors import ConfigurationError, Problems, problem
from ._naming import unique_name
from ._resource import define
from ._users import DefinedUser, ElastiCacheUser, MemoryDbUser, User
from ._validation import check_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_elasticache as elasticache
    from aws_cdk import aws_memorydb as memorydb

    from ._engine import Engine

# Both services take 40 characters.
_MAX_GROUP_NAME = 40
# The list that MemoryDB brings along: everyone may do everything, without signing in.
OPEN_ACCESS = "open-access"


class _Members:
    """The users of one group, changed one after the other."""

    def __init__(self) -> None:
        self.users: list[DefinedUser] = []

    def add(self, user: DefinedUser) -> None:
        # The services change one user of a group at a time and fail when asked for two
        # ("InvalidUserState", aws/aws-cdk issue 16266): let each wait for one that was made before it. Always in
        # the order of their making: in the order of their adding, two groups that share users could make two users
        # wait for each other. A user of another stack needs no waiting for, and two stacks could wait so as well.
        stack = cdk.Stack.of(user)
        neighbours = [other for other in self.users if cdk.Stack.of(other) is stack]
        earlier = [other for other in neighbours if other.order < user.order]
        later = [other for other in neighbours if other.order > user.order]
        if earlier:
            user.node.add_dependency(max(earlier, key=_order))
        if later:
            min(later, key=_order).node.add_dependency(user)
        self.users.append(user)

    def names(self) -> list[str]:
        # References, not repeated strings: they make the group wait for its users.
        return cdk.Lazy.uncached_list(_UserReferences(self.users))


def _order(user: DefinedUser) -> int:
    return user.order


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
        self.resource: elasticache.CfnUserGroup = define(
            elasticache.CfnUserGroup,
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


class IAcl(Protocol):
    """A MemoryDB access control list, defined here or imported."""

    users: list[User]

    @property
    def acl_name(self) -> str:
        """Name of the list; a token when it is defined in this app."""
        ...

    def add(self, user: MemoryDbUser) -> None:
        """Put a user into the list."""
        ...


class Acl(cdk.Resource):
    """The users that MemoryDB clusters know: an access control list.

    Defines one ``AWS::MemoryDB::ACL``. Each cluster makes its own unless it is given one; make one by hand to share
    it between clusters, whose users are then the same::

        acl = Acl(self, "Acl")
        orders = MemoryDbCluster(self, "Orders", network=network, acl=acl)
        ledger = MemoryDbCluster(self, "Ledger", network=network, acl=acl)
        app = orders.add_iam_user("app", AccessString.read_write("app:*"))
        ledger.grant_connect(function, user=app)

    Users are added and removed in place. The list waits for its users, and a cluster for its list.

    Attributes:
        users: The users of the list.
        resource: The L1 construct.
    """

    def __init__(
        self, scope: Construct, id: str, *, users: Sequence[MemoryDbUser] = (), acl_name: str | None = None
    ) -> None:
        """Define the list.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            users: Users to begin with; more are put in with `add`.
            acl_name: Name of the list, 1 to 40 lower-case letters, digits and single hyphens, unique in the account's
                Region. Changing it replaces the list. Default: - generated from the path of this construct.

        Raises:
            ConfigurationError: If the name is not legal, or a user is given twice.
        """
        super().__init__(scope, id)
        from aws_cdk import aws_memorydb as memorydb

        problems = Problems(self)
        check_name(problems, "acl_name", acl_name, max_length=_MAX_GROUP_NAME)
        if acl_name == OPEN_ACCESS:
            mend = "a cluster gets it by `unsafe_open_access`"
            problems.add("acl_name", acl_name, "this list is the service's own", mend)
        problems.raise_if_any()
        self._members = _Members()
        self.users: list[User] = []
        self.resource: memorydb.CfnACL = define(
            memorydb.CfnACL,
            self,
            "Resource",
            acl_name=acl_name or unique_name(self, max_length=_MAX_GROUP_NAME),
            user_names=self._members.names(),
        )
        for user in users:
            self.add(user)

    @property
    def acl_name(self) -> str:
        """Name of the list; a token."""
        return self.resource.ref

    def add(self, user: MemoryDbUser) -> None:
        """Put a user into the list.

        Args:
            user: The user, of this stack or of one that is deployed before it.

        Raises:
            ConfigurationError: If the list has it already.
        """
        if user in self.users:
            raise ConfigurationError(self.node.path, [problem("user", user.node.path, "the list has it already")])
        self._members.add(user)
        self.users.append(user)

    @classmethod
    def from_acl_name(cls, scope: Construct, id: str, acl_name: str, *, users: Sequence[User] = ()) -> IAcl:
        """Import a list that another app owns.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            acl_name: Its name.
            users: Those of its users that this app lets connect, see `MemoryDbUser.from_user_attributes`. They are
                in the list already; nothing is added to it.

        Raises:
            ConfigurationError: If no list can have that name.
        """
        return _ImportedAcl(scope, id, acl_name, users)


class _ImportedAcl(cdk.Resource):
    def __init__(self, scope: Construct, id: str, acl_name: str, users: Sequence[User]) -> None:
        super().__init__(scope, id)
        problems = Problems(self)
        check_name(problems, "acl_name", acl_name, max_length=_MAX_GROUP_NAME)
        problems.raise_if_any()
        self.acl_name = acl_name
        self.users = list(users)

    def add(self, user: MemoryDbUser) -> None:
        mend = "add it where the list is defined, import it with `from_user_attributes`, and name it in `users`"
        raise ConfigurationError(self.node.path, [problem("user", user.node.path, "the list is imported", mend)])
