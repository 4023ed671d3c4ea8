"""The users of one group or list: an ElastiCache user group, a MemoryDB access control list."""

from __future__ import annotations

import aws_cdk as cdk
import jsii

from cdk_redis._access.users import DefinedUser

# Both services take 40 characters.
MAX_GROUP_NAME = 40


class Members:
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
