"""Which users MemoryDB clusters know: an access control list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._access.members import MAX_GROUP_NAME, Members
from cdk_redis._access.users import User
from cdk_redis._core.checks import check_name
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.naming import unique_name
from cdk_redis._core.resource import define
from cdk_redis._memorydb.user import MemoryDbUser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_memorydb as memorydb

# The list that MemoryDB brings along: everyone may do everything, without signing in.
OPEN_ACCESS = "open-access"


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
        check_name(problems, "acl_name", acl_name, max_length=MAX_GROUP_NAME)
        if acl_name == OPEN_ACCESS:
            hint = "a cluster gets it by `unsafe_open_access`"
            problems.add("acl_name", acl_name, "this list is the service's own", hint)
        problems.raise_if_any()
        self._members = Members()
        self.users: list[User] = []
        self.resource: memorydb.CfnACL = define(
            memorydb.CfnACL,
            self,
            "Resource",
            acl_name=acl_name or unique_name(self, max_length=MAX_GROUP_NAME),
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
        check_name(problems, "acl_name", acl_name, max_length=MAX_GROUP_NAME)
        problems.raise_if_any()
        self.acl_name = acl_name
        self.users = list(users)

    def add(self, user: MemoryDbUser) -> None:
        hint = "add it where the list is defined, import it with `from_user_attributes`, and name it in `users`"
        raise ConfigurationError(self.node.path, [problem("user", user.node.path, "the list is imported", hint)])
