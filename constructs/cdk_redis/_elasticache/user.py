"""Users of ElastiCache replication groups and serverless caches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from cdk_redis._access.access_string import AccessString
from cdk_redis._access.authentication import Authentication
from cdk_redis._access.users import DefinedUser, ImportedUser, User
from cdk_redis._core.errors import Problems
from cdk_redis._core.resource import define
from cdk_redis._core.service import ELASTICACHE

if TYPE_CHECKING:
    from aws_cdk import aws_elasticache as elasticache
    from aws_cdk import aws_secretsmanager as secretsmanager

    from cdk_redis._values.engine import Engine


class ElastiCacheUser(DefinedUser):
    """A user of ElastiCache replication groups.

    Defines one ``AWS::ElastiCache::User``. `ReplicationGroup.add_iam_user` and
    `ReplicationGroup.add_password_user` make it and put it into the group; make one by hand to share it.
    """

    _service = ELASTICACHE

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        engine: Engine,
        access: AccessString,
        authentication: Authentication,
        user_name: str | None = None,
        login_name: str | None = None,
    ) -> None:
        """Define the user.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            engine: Engine of the stores it signs in to; a user and its group must agree in it.
            access: What it may do.
            authentication: How it signs in.
            user_name: Id of the user, 1 to 40 characters, unique in the account's Region, and the name to sign in
                with. Changing it replaces the user. Default: - generated from the path of this construct.
            login_name: Name to sign in with where it differs from the id, which only password users may have:
                ``"default"`` is the one use of it here. Default: - `user_name`.

        Raises:
            ConfigurationError: If the name is not legal, or the engine has no users or no IAM.
        """
        super().__init__(scope, id, authentication=authentication, user_name=user_name)
        _check_engine(self, engine, authentication)
        self.resource = self._create(engine, access, login_name)
        self.user_arn = ELASTICACHE.user_arn(self, self.user_name)

    @classmethod
    def from_user_attributes(
        cls, scope: Construct, id: str, *, user_name: str, secret: secretsmanager.ISecret | None = None
    ) -> User:
        """Import a user that another app owns, to name it in the `users` of an imported store.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            user_name: Name that it signs in with, which is its id.
            secret: For a password user, its secret. Default: - it is an IAM user.
        """
        return ImportedUser(scope, id, user_name, ELASTICACHE, secret)

    def _create(self, engine: Engine, access: AccessString, login_name: str | None) -> elasticache.CfnUser:
        from aws_cdk import aws_elasticache as elasticache

        return define(
            elasticache.CfnUser,
            self,
            "Resource",
            user_id=self.user_name,
            user_name=login_name or self.user_name,
            engine=engine.name,
            access_string=str(access),
            authentication_mode=self._authentication_mode(),
        )


def _check_engine(user: User, engine: Engine, authentication: Authentication) -> None:
    problems = Problems(user)
    if not engine.supports_user_groups:
        problems.add("engine", str(engine), "users need Redis OSS 6.0 or newer, or Valkey")
    elif authentication.kind == "iam" and not engine.supports_iam:
        problems.add(
            "authentication", "iam", f"{engine} has no IAM users (Redis OSS 7.0, Valkey 7.2)", "use a password user"
        )
    problems.raise_if_any()
