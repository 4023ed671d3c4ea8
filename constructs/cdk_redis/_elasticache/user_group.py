"""The users of replication groups and serverless caches: an ElastiCache user group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from constructs import Construct

from cdk_redis._access.access_string import AccessString
from cdk_redis._access.authentication import Authentication
from cdk_redis._access.members import MAX_GROUP_NAME, ImportedUserList, UserList
from cdk_redis._access.users import read_required
from cdk_redis._core.acknowledgements import acknowledge
from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.checks import check_name, value_of
from cdk_redis._core.errors import Problems
from cdk_redis._core.location import check_location
from cdk_redis._core.naming import unique_name
from cdk_redis._core.resource import define
from cdk_redis._core.service import ELASTICACHE
from cdk_redis._core.taken_names import check_not_taken
from cdk_redis._elasticache.user import DEFAULT_USER, ElastiCacheUser
from cdk_redis._values.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_elasticache as elasticache
    from aws_cdk import aws_kms as kms

    from cdk_redis._access.users import User


_KIND = "an ElastiCacheUser"


class IUserGroup(Protocol):
    """An ElastiCache user group, defined here or imported."""

    users: list[User]

    @property
    def user_group_id(self) -> str:
        """Id of the group; a token when it is defined in this app."""
        ...

    @property
    def engine(self) -> Engine | None:
        """Engine of the group; None for an import that does not name it."""
        ...

    def add(self, user: User) -> None:
        """Add a user to the group."""
        ...


class ElastiCacheUserGroup(UserList):
    """The users of replication groups and serverless caches.

    Defines one ``AWS::ElastiCache::UserGroup``. Each store defines its own unless you give it one. Define one yourself
    to share it between stores, which then have the same users::

        group = ElastiCacheUserGroup(self, "Group", engine="valkey:8.1")
        orders = ReplicationGroup(self, "Orders", network=network, user_group=group)
        ledger = ServerlessCache(self, "Ledger", network=network, user_group=group)
        app = orders.add_iam_user("app", AccessString.read_write("app:*"))
        ledger.grant_connect(function, user=app)

    Users are added and removed in place. The group depends on its users, and a store on its group.

    A group of Redis OSS must have a user named ``default``. Unless `users` contains one, the group defines one that
    is switched off and has a random password, because ElastiCache's own has full access and no password. A group of
    Valkey needs no such user.

    Attributes:
        users: The users of the group, without the disabled default user.
        engine: Engine of the group.
        resource: The L1 construct.
    """

    _service = ELASTICACHE
    _kind = _KIND

    @checked_arguments
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        engine: Engine | str,
        users: Sequence[User] = (),
        user_group_id: str | None = None,
        secret_kms_key: kms.IKey | None = None,
    ) -> None:
        """Define the group.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            engine: Engine of the stores that use the group. A group of Redis OSS has users of Redis OSS only, a group
                of Valkey can have users of both.
            users: The first users; `add` adds more.
            user_group_id: Id of the group, 1 to 40 lower-case letters, digits and single hyphens, unique in the
                account's Region. Changing it replaces the group. Default: - generated from the path of this construct.
            secret_kms_key: Key that encrypts the secret of the disabled default user. Default: - the key
                ``aws/secretsmanager``.

        Raises:
            ConfigurationError: If the engine or the id is invalid, or a user cannot be in the group.
        """
        super().__init__(scope, id)
        from aws_cdk import aws_elasticache as elasticache

        problems = Problems(self)
        engine = read_required(problems, "engine", engine, Engine, Engine.valkey("8.1"))
        check_name(problems, "user_group_id", user_group_id, max_length=MAX_GROUP_NAME)
        check_not_taken(problems, "user_group_id", user_group_id, scope=self, kind="user group")
        check_location(problems, "secret_kms_key", secret_kms_key, "a key", scope=self, user="the secret")
        problems.raise_if_any()

        self.engine: Engine | None = engine
        self.resource: elasticache.CfnUserGroup = define(
            elasticache.CfnUserGroup,
            self,
            "Resource",
            user_group_id=user_group_id or unique_name(self, max_length=MAX_GROUP_NAME),
            engine=engine.name,
            user_ids=self._references(),
        )
        self._add_all(users)
        if engine.name == "redis" and all(user.user_name != DEFAULT_USER for user in self.users):
            self._add_member(self._disabled_default_user(engine, secret_kms_key))

    @property
    def user_group_id(self) -> str:
        """Id of the group; a token."""
        return self.resource.ref

    @classmethod
    @checked_arguments
    def from_user_group_id(
        cls,
        scope: Construct,
        id: str,
        user_group_id: str,
        *,
        users: Sequence[User] = (),
        engine: Engine | str | None = None,
    ) -> IUserGroup:
        """Import a group that another app owns.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            user_group_id: Its id.
            users: The users of the group that this app uses, see `ElastiCacheUser.from_user_attributes`. The group
                must contain them: the import does not add users.
            engine: Its engine. Default: - unknown, and not compared with that of the stores.

        Raises:
            ConfigurationError: If the id or the engine is invalid, or if `users` contains anything but users.
        """
        return _ImportedUserGroup(scope, id, user_group_id, users, engine)

    def _objection_to(self, user: User) -> tuple[str, str] | None:
        engine = self.engine
        if isinstance(user, ElastiCacheUser) and engine and engine.name == "redis" != user.engine.name:
            reason = f"it is a user of {user.engine}, and a user group of Redis OSS has users of Redis OSS only"
            return reason, f"give it the engine {engine}"
        return super()._objection_to(user)

    def _disabled_default_user(self, engine: Engine, secret_kms_key: kms.IKey | None) -> ElastiCacheUser:
        user = ElastiCacheUser(
            self,
            "DefaultUser",
            engine=engine,
            access=AccessString.off(),
            authentication=Authentication.password(kms_key=secret_kms_key),
            user_name=DEFAULT_USER,
        )
        acknowledge(user, {"SecretsManagerRotationEnabled": "the user is disabled: nobody signs in with the password"})
        return user


class _ImportedUserGroup(ImportedUserList):
    _service = ELASTICACHE
    _kind = _KIND

    def __init__(
        self, scope: Construct, id: str, user_group_id: str, users: Sequence[User], engine: Engine | str | None
    ) -> None:
        super().__init__(scope, id, "user_group_id", user_group_id, users)
        problems = Problems(self)
        self.engine = value_of(problems, "engine", engine, Engine)
        problems.raise_if_any()

    @property
    def user_group_id(self) -> str:
        return self._name
