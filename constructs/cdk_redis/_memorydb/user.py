"""Users of MemoryDB clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from cdk_redis._access.members import SERVICES_USER
from cdk_redis._access.users import DefinedUser, check_user_name, read_access, read_authentication
from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.errors import Problems
from cdk_redis._core.naming import MAX_USER_NAME, unique_name
from cdk_redis._core.resource import define
from cdk_redis._core.service import MEMORYDB

if TYPE_CHECKING:
    from cdk_redis._access.access_string import AccessString
    from cdk_redis._access.authentication import Authentication


class MemoryDbUser(DefinedUser):
    """A user of MemoryDB clusters.

    Defines one ``AWS::MemoryDB::User``. `MemoryDbCluster.add_iam_user` and `MemoryDbCluster.add_password_user` define
    one and add it to the cluster's access control list. Create one yourself to share it between lists::

        reader = MemoryDbUser(self, "Reader", access="on ~* +@read", authentication="iam")
        acl = Acl(self, "Acl", users=[reader])

    Attributes:
        access: What the user may do.
        authentication: How the user signs in.
        resource: The L1 construct.
    """

    service = MEMORYDB

    @checked_arguments
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        access: AccessString | str,
        authentication: Authentication | str,
        user_name: str | None = None,
    ) -> None:
        """Define the user.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            access: What it may do, such as ``AccessString.read_only("*")`` or ``"on ~* +@read"``.
            authentication: How it signs in: `Authentication.iam` or ``"iam"``, `Authentication.password` or
                ``"password"``.
            user_name: Name to sign in with, 1 to 40 lower-case letters, digits and single hyphens, unique in the
                account's Region. Changing it replaces the user. Default: - generated from the path of this construct.

        Raises:
            ConfigurationError: If a value or the name is invalid.
        """
        super().__init__(scope, id)
        problems = Problems(self)
        access = read_access(problems, access)
        authentication = read_authentication(problems, authentication)
        check_user_name(problems, "user_name", user_name)
        if user_name == SERVICES_USER:
            problems.add("user_name", user_name, "MemoryDB has a user with this name", "choose another name")
        problems.raise_if_any()

        self.access = access
        self.authentication = authentication
        self.user_name = user_name or unique_name(self, max_length=MAX_USER_NAME)
        self.user_arn = MEMORYDB.user_arn(self, self.user_name)
        self.secret = self._choose_secret(f"Password of {self.user_name}")
        from aws_cdk import aws_memorydb as memorydb

        self.resource = define(
            memorydb.CfnUser,
            self,
            "Resource",
            user_name=self.user_name,
            access_string=str(access),
            authentication_mode=self._authentication_mode(),
        )
