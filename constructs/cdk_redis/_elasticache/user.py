"""Users of ElastiCache replication groups and serverless caches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from cdk_redis._access.engine_rules import check_rules
from cdk_redis._access.users import DefinedUser, check_user_name, read_access, read_authentication, read_required
from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.errors import Problems
from cdk_redis._core.naming import MAX_USER_NAME, unique_name
from cdk_redis._core.resource import define
from cdk_redis._core.service import ELASTICACHE
from cdk_redis._values.engine import Engine

if TYPE_CHECKING:
    from cdk_redis._access.access_string import AccessString
    from cdk_redis._access.authentication import Authentication

# Clients that send no user name sign in as this user. ElastiCache has a user with this id, which has full access.
DEFAULT_USER = "default"


class ElastiCacheUser(DefinedUser):
    """A user of ElastiCache replication groups and serverless caches.

    Defines one ``AWS::ElastiCache::User``. `ReplicationGroup.add_iam_user` and
    `ReplicationGroup.add_password_user` define one and add it to the store's user group. Define one yourself to share
    it between user groups::

        reader = ElastiCacheUser(self, "Reader", engine="valkey:8.1", access="on ~* +@read", authentication="iam")
        group = ElastiCacheUserGroup(self, "Group", engine="valkey:8.1", users=[reader])

    Attributes:
        user_id: Id of the user.
        engine: Engine of the user.
        access: What the user may do.
        authentication: How the user signs in.
        resource: The L1 construct.
    """

    service = ELASTICACHE

    @checked_arguments
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        engine: Engine | str,
        access: AccessString | str,
        authentication: Authentication | str,
        user_name: str | None = None,
        user_id: str | None = None,
    ) -> None:
        """Define the user.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            engine: Engine of the stores that it signs in to. Users of Valkey can be in user groups of Valkey only,
                users of Redis OSS in user groups of both.
            access: What it may do, such as ``AccessString.read_only("*")`` or ``"on ~* +@read"``.
            authentication: How it signs in: `Authentication.iam` or ``"iam"``, `Authentication.password` or
                ``"password"``.
            user_name: Name to sign in with, 1 to 40 lower-case letters, digits and single hyphens. The users of a user
                group have different names. Changing it replaces the user. Default: - `user_id`.
            user_id: Id of the user, 1 to 40 lower-case letters, digits and single hyphens, unique in the account's
                Region. An IAM user must have the same id and name. Changing it replaces the user. Default: - the name;
                without a name, or if it is ``default``, which is an id that ElastiCache uses, an id is generated from
                the path of this construct.

        Raises:
            ConfigurationError: If a value or a name is invalid, or the engine has no users or no IAM users.
        """
        super().__init__(scope, id)
        problems = Problems(self)
        access = read_access(problems, access)
        authentication = read_authentication(problems, authentication)
        engine = _read_engine(problems, engine, authentication)
        check_rules(problems, "access", access, engine)
        check_user_name(problems, "user_name", user_name)
        check_user_name(problems, "user_id", user_id)
        self.user_id = self._choose_id(user_name, user_id)
        self.user_name = user_name or self.user_id
        self._check_id(problems, authentication)
        problems.raise_if_any()

        self.engine = engine
        self.access = access
        self.authentication = authentication
        self.user_arn = ELASTICACHE.user_arn(self, self.user_id)
        self.secret = self._choose_secret(f"Password of {self.user_id}")
        from aws_cdk import aws_elasticache as elasticache

        self.resource = define(
            elasticache.CfnUser,
            self,
            "Resource",
            user_id=self.user_id,
            user_name=self.user_name,
            engine=engine.name,
            access_string=str(access),
            authentication_mode=self._authentication_mode(),
        )

    @property
    def _service_id(self) -> str:
        return self.user_id

    def _choose_id(self, user_name: str | None, user_id: str | None) -> str:
        if user_id is None and user_name in (None, DEFAULT_USER):
            return unique_name(self, max_length=MAX_USER_NAME)
        return user_id or user_name or ""

    def _check_id(self, problems: Problems, authentication: Authentication) -> None:
        if self.user_id == DEFAULT_USER:
            hint = "leave it out to have a unique id generated"
            problems.add("user_id", self.user_id, "ElastiCache has a user with this id", hint)
        elif authentication.kind == "iam" and self.user_name != self.user_id:
            # The token names the user by its name, the policy by its id: ElastiCache rejects the user.
            reason = f"an IAM user has the same name and id, and the id is {self.user_id!r}"
            problems.add("user_name", self.user_name, reason, "leave out one of the two, or use a password")


def _read_engine(problems: Problems, given: Engine | str, authentication: Authentication) -> Engine:
    engine = read_required(problems, "engine", given, Engine, Engine.valkey("8.1"))
    if not engine.supports_user_groups:
        problems.add("engine", str(engine), "users need Redis OSS 6.0 or newer, or Valkey")
    elif authentication.kind == "iam" and not engine.supports_iam:
        reason = f"{engine} has no IAM users, which need Redis OSS 7.0 or newer, or Valkey 7.2 or newer"
        problems.add("authentication", "iam", reason, "use a password")
    return engine
