"""Users of MemoryDB clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from cdk_redis._access.access_string import AccessString
from cdk_redis._access.authentication import Authentication
from cdk_redis._access.users import DefinedUser, ImportedUser, User
from cdk_redis._core.resource import define
from cdk_redis._core.service import MEMORYDB

if TYPE_CHECKING:
    from aws_cdk import aws_memorydb as memorydb
    from aws_cdk import aws_secretsmanager as secretsmanager


class MemoryDbUser(DefinedUser):
    """A user of MemoryDB clusters.

    Defines one ``AWS::MemoryDB::User``. `MemoryDbCluster.add_iam_user` and
    `MemoryDbCluster.add_password_user` make it and put it into the ACL; make one by hand to share it::

        reader = MemoryDbUser(self, "Reader", access=AccessString.read_only("*"), authentication=Authentication.iam())
        acl = Acl(self, "Acl", users=[reader])
        ledger = MemoryDbCluster(self, "Ledger", network=network, acl=acl)

    Attributes:
        resource: The L1 construct.
        access: What it may do.
        authentication: How it signs in.
    """

    _service = MEMORYDB

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        access: AccessString,
        authentication: Authentication,
        user_name: str | None = None,
    ) -> None:
        """Define the user.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            access: What it may do.
            authentication: How it signs in.
            user_name: Name to sign in with, 1 to 40 characters, unique in the account's Region. Changing it
                replaces the user. Default: - generated from the path of this construct.

        Raises:
            ConfigurationError: If the name is not legal.
        """
        super().__init__(scope, id, authentication=authentication, user_name=user_name)
        self.access = access
        self.authentication = authentication
        self.resource = self._create(access)
        self.user_arn = MEMORYDB.user_arn(self, self.user_name)

    @classmethod
    def from_user_attributes(
        cls, scope: Construct, id: str, *, user_name: str, secret: secretsmanager.ISecret | None = None
    ) -> User:
        """Import a user that another app owns, to name it in the `users` of an imported store.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            user_name: Name that it signs in with.
            secret: For a password user, its secret. Default: - it is an IAM user.
        """
        return ImportedUser(scope, id, user_name, MEMORYDB, secret)

    def _create(self, access: AccessString) -> memorydb.CfnUser:
        from aws_cdk import aws_memorydb as memorydb

        return define(
            memorydb.CfnUser,
            self,
            "Resource",
            user_name=self.user_name,
            access_string=str(access),
            authentication_mode=self._authentication_mode(),
        )
