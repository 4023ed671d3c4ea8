"""The users of MemoryDB clusters: an access control list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from constructs import Construct

from cdk_redis._access.members import MAX_GROUP_NAME, ImportedUserList, UserList
from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.checks import check_name
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.naming import unique_name
from cdk_redis._core.resource import define
from cdk_redis._core.service import MEMORYDB
from cdk_redis._core.taken_names import check_not_taken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_memorydb as memorydb

    from cdk_redis._access.users import User

# The ACL that every account has: clients connect without signing in and have all permissions.
OPEN_ACCESS = "open-access"
_KIND = "a MemoryDbUser"


class IAcl(Protocol):
    """A MemoryDB access control list, defined here or imported."""

    users: list[User]

    @property
    def acl_name(self) -> str:
        """Name of the list; a token when it is defined in this app."""
        ...

    def add(self, user: User) -> None:
        """Add a user to the list."""
        ...


class Acl(UserList):
    """The users of MemoryDB clusters: an access control list.

    Defines one ``AWS::MemoryDB::ACL``. A cluster creates its own unless you give it one. Create one yourself
    to share it between clusters, which then have the same users::

        acl = Acl(self, "Acl")
        orders = MemoryDbCluster(self, "Orders", network=network, acl=acl)
        ledger = MemoryDbCluster(self, "Ledger", network=network, acl=acl)
        app = orders.add_iam_user("app", AccessString.read_write("app:*"))
        ledger.grant_connect(function, user=app)

    Users are added and removed in place. The list depends on its users, and a cluster on its list.

    Attributes:
        users: The users of the list.
        resource: The L1 construct.
    """

    _service = MEMORYDB
    _kind = _KIND

    @checked_arguments
    def __init__(self, scope: Construct, id: str, *, users: Sequence[User] = (), acl_name: str | None = None) -> None:
        """Define the list.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            users: Users of the list; `add` adds more.
            acl_name: Name of the list, 1 to 40 lower-case letters, digits and single hyphens, unique in the account's
                Region. Changing it replaces the list. Default: - generated from the path of this construct.

        Raises:
            ConfigurationError: If the name is invalid, or a user cannot be in the list.
        """
        super().__init__(scope, id)
        from aws_cdk import aws_memorydb as memorydb

        problems = Problems(self)
        check_name(problems, "acl_name", acl_name, max_length=MAX_GROUP_NAME)
        check_not_taken(problems, "acl_name", acl_name, scope=self, kind="ACL")
        if acl_name == OPEN_ACCESS:
            hint = "for open access, give the cluster `unsafe_open_access`"
            problems.add("acl_name", acl_name, "MemoryDB has a list of this name", hint)
        problems.raise_if_any()

        self.resource: memorydb.CfnACL = define(
            memorydb.CfnACL,
            self,
            "Resource",
            acl_name=acl_name or unique_name(self, max_length=MAX_GROUP_NAME),
            user_names=self._references(),
        )
        self._add_all(users)

    @property
    def acl_name(self) -> str:
        """Name of the list; a token."""
        return self.resource.ref

    @classmethod
    @checked_arguments
    def from_acl_name(cls, scope: Construct, id: str, acl_name: str, *, users: Sequence[User] = ()) -> IAcl:
        """Import a list that another app owns.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            acl_name: Name of the list.
            users: Users of the list that this app grants access to, see `MemoryDbUser.from_user_attributes`. They must
                be in the list already: the import does not add them.

        Raises:
            ConfigurationError: If the name is invalid, if `users` contains anything but users, or if the list is
                ``open-access``, which has no users that an app can use.
        """
        if acl_name == OPEN_ACCESS and users:
            reason = "clients of this list do not sign in, and no user can be added to it"
            raise ConfigurationError(
                f"{scope.node.path}/{id}", [problem("acl_name", acl_name, reason, "leave out `users`")]
            )
        return _ImportedAcl(scope, id, "acl_name", acl_name, users)


class _ImportedAcl(ImportedUserList):
    _service = MEMORYDB
    _kind = _KIND

    @property
    def acl_name(self) -> str:
        return self._name
