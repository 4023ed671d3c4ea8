"""The base classes of an ElastiCache user group and a MemoryDB access control list."""

from __future__ import annotations

import bisect
import functools
from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from constructs import Construct

from cdk_redis._access.users import DefinedUser, ImportedUser, User
from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.checks import check_name, list_of
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.service import MEMORYDB
from cdk_redis._core.tokens import is_token
from cdk_redis._core.weak_reference import require_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import IConstruct

    from cdk_redis._core.service import Service

# Both services have this limit.
MAX_GROUP_NAME = 40
# Both services have a user with this name and id, whose access string is "on ~* +@all" and who has no password.
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html
SERVICES_USER = "default"
_QUOTA = "@cdk-redis:userQuota"
# "Users per user group", of both services. Read on 2026-11-21:
# https://docs.aws.amazon.com/memorydb/latest/devguide/quota-limits.html
_DEFAULT_USERS = 100


class UserList(cdk.Resource):
    """Base class of `ElastiCacheUserGroup` and `Acl`: a list of users, which the services change one at a time.

    Attributes:
        users: The users, in the order in which they were added.
    """

    _service: Service
    # The class of the users, for messages: "an ElastiCacheUser".
    _kind: str

    @checked_arguments
    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.users: list[User] = []
        # All users of the resource: `users`, and users that the construct itself defines.
        self._members: list[User] = []
        self._chains: dict[cdk.Stack, list[DefinedUser]] = {}

    @checked_arguments
    def add(self, user: User) -> None:
        """Add a user.

        Args:
            user: The user: imported, or defined in this stack or in a stack that is deployed earlier.

        Raises:
            ConfigurationError: If it is a user of another service or engine, or the list has a user with that name.
        """
        if (objection := self._objection_to(user)) is not None:
            raise ConfigurationError(self.node.path, [problem("user", user.node.path, *objection)])
        self._add_member(user)
        self.users.append(user)

    def _add_all(self, users: object) -> None:
        problems = Problems(self)
        for user in list_of(problems, "users", users, User):
            if (objection := self._objection_to(user)) is not None:
                problems.add("users", user.node.path, *objection)
            else:
                self._add_member(user)
                self.users.append(user)
        problems.raise_if_any()

    def _objection_to(self, user: User) -> tuple[str, str] | None:
        """Return why the user cannot be added and how to fix it, or None if it can be added."""
        if (
            isinstance(user, ImportedUser)
            and user.user_name == SERVICES_USER
            and user.service.name == self._service.name
        ):
            reason = "the service's user of this name signs in without a password and has full access"
            return reason, "leave it out; for open access, give the store `unsafe_open_access`"
        return objection_to(user, self._members, self._service, self._kind) or _objection_to_place(self, user)

    def _add_member(self, user: User) -> None:
        if isinstance(user, DefinedUser):
            require_order(self, "user", user)
        self._members.append(user)
        if len(self._members) == _DEFAULT_USERS + 1:
            text = f"more than {_DEFAULT_USERS} users exceed the default quota of a list; AWS raises it on request"
            cdk.Annotations.of(self).add_info_v2(_QUOTA, text)
        if not isinstance(user, DefinedUser):
            return
        # The services change one user of a list at a time, and fail if CloudFormation changes two at once
        # ("InvalidUserState", aws/aws-cdk issue 16266): each user depends on the one before it. The order is that of
        # the construct tree, the same for all lists: lists that share users cannot make two of them depend on each
        # other. Stacks are deployed one after the other, so that users of other stacks need no dependency.
        chain = self._chains.setdefault(cdk.Stack.of(user), [])
        place = bisect.bisect(chain, _tree_order(user), key=_tree_order)
        # Of the resources only: what belongs to a user, such as a rotation function that several share, may come later.
        if place > 0:
            user.resource.node.add_dependency(chain[place - 1].resource)
        if place < len(chain):
            chain[place].resource.node.add_dependency(user.resource)
        chain.insert(place, user)

    def _references(self) -> list[str]:
        # References, so that the list depends on its users.
        return cdk.Lazy.uncached_list(_References(self._members))


class ImportedUserList(cdk.Resource):
    """A user group or an access control list that another app owns."""

    _service: Service
    _kind: str

    def __init__(self, scope: Construct, id: str, parameter: str, name: str, users: object) -> None:
        super().__init__(scope, id)
        problems = Problems(self)
        check_name(problems, parameter, name, max_length=MAX_GROUP_NAME)
        self.users: list[User] = list_of(problems, "users", users, User)
        check_users(problems, self.users, self._service)
        problems.raise_if_any()
        self._name = name

    def add(self, user: User) -> None:
        """Raise an error: only the app that owns the list can add users.

        Raises:
            ConfigurationError: Always.
        """
        given = user.node.path if isinstance(user, User) else type(user)
        hint = "add it in the app that owns the list, and name it in `users` of the import"
        raise ConfigurationError(self.node.path, [problem("user", given, "the list is imported", hint)])


def objection_to(user: User, others: Sequence[User], service: Service, kind: str) -> tuple[str, str] | None:
    """Return why a user cannot be in a list with others and how to fix it, or None if it can be."""
    if not isinstance(user, (DefinedUser, ImportedUser)) or user.service.name != service.name:
        return f"it is not {kind}, defined or imported", ""
    if user in others:
        return "it has been added already", ""
    for other in others:
        if other.user_name == user.user_name:
            reason = f"{other.node.path} has the same user name, {user.user_name!r}"
            return reason, "the users of one list need different names"
    return None


def check_users(problems: Problems, users: Sequence[User], service: Service) -> None:
    """Check the users of an import: of its service, and with different names.

    Args:
        problems: Where to add problems.
        users: The users.
        service: Service of the import.
    """
    kind = "a MemoryDbUser" if service.name == MEMORYDB.name else "an ElastiCacheUser"
    for index, user in enumerate(users):
        if (objection := objection_to(user, users[:index], service, kind)) is not None:
            problems.add("users", user.node.path, *objection)


def _objection_to_place(scope: IConstruct, user: User) -> tuple[str, str] | None:
    """Return why a user of another account or Region cannot be added, or None."""
    ours, theirs = cdk.Stack.of(scope), cdk.Stack.of(user)
    for what, own, other in (("account", ours.account, theirs.account), ("Region", ours.region, theirs.region)):
        if own != other and not is_token(own) and not is_token(other):
            return f"it is a user in {other}, and the list is in {own}", f"define one in that {what}"
    return None


def _compare(user: DefinedUser, other: DefinedUser) -> int:
    """Negative if the user comes before the other one in the construct tree, whose order is that of definition."""
    scopes, others = user.node.scopes, other.node.scopes
    for scope, child, its_child in zip(scopes, scopes[1:], others[1:], strict=False):
        if child is not its_child:
            siblings = scope.node.children
            return siblings.index(child) - siblings.index(its_child)
    return len(scopes) - len(others)


_tree_order = functools.cmp_to_key(_compare)


@jsii.implements(cdk.IListProducer)
class _References:
    """Resolves to the users at synth, including those added after the list was defined."""

    def __init__(self, users: list[User]) -> None:
        self._users = users

    def produce(self, context: cdk.IResolveContext) -> list[str]:  # noqa: ARG002 - the interface's signature
        return [user.resource.ref if isinstance(user, DefinedUser) else user.user_name for user in self._users]
