"""The base classes of the users of both services.

user = cache.add_iam_user("app", AccessString.read_write("app:*"))
cache.grant_connect(function, user=user)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._access.access_string import AccessString
from cdk_redis._access.authentication import Authentication
from cdk_redis._access.secrets import check_secret, create_secret
from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.checks import value_of
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.location import check_location
from cdk_redis._core.naming import MAX_USER_NAME, name_problem
from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from aws_cdk import aws_elasticache as elasticache
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_memorydb as memorydb
    from aws_cdk import aws_secretsmanager as secretsmanager

    from cdk_redis._access.rotation import PasswordRotation, RotatedPassword
    from cdk_redis._core.service import Service

_Value = TypeVar("_Value")
_ROTATION = "Rotation"


class User(cdk.Resource):
    """A user of a store, defined here or imported.

    Attributes:
        service: Service of the user: ElastiCache or MemoryDB.
        user_name: Name to sign in with: a plain string, known at synth.
        user_arn: ARN of the user. A policy that allows connections contains this ARN and the ARN of the store.
        secret: Secret with the keys ``username`` and ``password``. None for an IAM user.
    """

    service: Service
    user_name: str
    user_arn: str
    secret: secretsmanager.ISecret | None = None

    @property
    def can_rotate(self) -> bool:
        """Whether the user has a password that `add_rotation` can change."""
        return self._objection_to_rotation() is None

    @checked_arguments
    def add_rotation(
        self,
        function: lambda_.IFunction | None = None,
        *,
        every: cdk.Duration | None = None,
        previous_valid_for: cdk.Duration | None = None,
        log_retention: logs.RetentionDays | None = None,
        log_kms_key: kms.IKey | None = None,
    ) -> PasswordRotation:
        """Rotate the password of this user, or the AUTH token, without an interruption.

        Defines a Lambda function that Secrets Manager invokes: it makes a new password, which is valid beside the
        current one when clients read it from the secret. By default, the previous one stays valid until the next
        rotation. Clients of ``connect()`` read the secret again when the store refuses their password; others have to
        read it once between two rotations. An AUTH token is changed with the strategies ROTATE and SET.

        The first rotation is after the time of `every`; a deployment tests the function only. A deployment that changes
        the user later sets the current password and ends the validity of the previous one.

        Args:
            function: Your own rotation function with the four steps of Secrets Manager; it gets the same permissions.
                Default: - a new function outside any VPC, which only changes this password.
            every: Time between two rotations, in whole hours, from 4 hours to 1,000 days. Default: - 30 days.
            previous_valid_for: How long the previous password stays valid after the new one is the current one, 10
                seconds to 10 minutes. Give it if old passwords must not work any longer, and all clients read the
                secret again. Default: - until the next rotation.
            log_retention: How long the function's log group keeps entries. Default: - a month.
            log_kms_key: Key that encrypts the log group. Default: - a key that CloudWatch Logs owns.

        Returns:
            The function and its parts.

        Raises:
            ConfigurationError: If the user has no password that this app can change, or has a rotation already; or a
                value is out of its range.
        """
        from cdk_redis._access.rotation import PasswordRotation, RotationOptions, check_rotation

        if (objection := self._objection_to_rotation()) is not None:
            raise ConfigurationError(self.node.path, [problem("user", *objection)])
        options = RotationOptions(function, every, previous_valid_for, log_retention, log_kms_key)
        problems = Problems(self)
        check_rotation(problems, self, options)
        problems.raise_if_any()
        return PasswordRotation(self, _ROTATION, rotated=self._rotated(), options=options)

    def _objection_to_rotation(self) -> tuple[str, str, str] | None:
        """Return the kind of the user, why its password cannot be rotated and what to do; None if it can."""
        if self.secret is None:
            return "an IAM user", "only a user with a password can rotate it", "IAM tokens expire by themselves"
        if self.node.try_find_child(_ROTATION) is not None:
            return self.node.path, "it has a rotation already", "call add_rotation once"
        return None

    def _rotated(self) -> RotatedPassword:
        raise NotImplementedError


class ImportedUser(User):
    """A user that another app owns."""

    def __init__(
        self, scope: Construct, id: str, user_name: str, service: Service, secret: secretsmanager.ISecret | None
    ) -> None:
        super().__init__(scope, id)
        problems = Problems(self)
        given: object = user_name
        if not isinstance(given, str) or not given or given.split() != [given]:
            problems.add("user_name", given, "a name is text without white space")
        elif secret is None and not is_token(given) and given != given.lower():
            # IAM compares the id in the ARN exactly, and would deny the connection.
            reason = "the services keep the id of a user, which is also the name of an IAM user, in lower case"
            problems.add(
                "user_name", given, reason, f"write {given.lower()!r}, or give the `secret` of a password user"
            )
        check_secret(problems, "secret", secret)
        check_location(problems, "secret", secret, "a secret", scope=self, user="the user")
        problems.raise_if_any()
        self.service = service
        self.user_name = user_name
        self.user_arn = service.user_arn(self, user_name)
        self.secret = secret

    def _objection_to_rotation(self) -> tuple[str, str, str] | None:
        if self.secret is None:
            return super()._objection_to_rotation()
        return "an imported user", "the app that defines a user rotates its password", "call add_rotation there"


class DefinedUser(User):
    """Base class of `ElastiCacheUser` and `MemoryDbUser`.

    Attributes:
        access: What the user may do.
        authentication: How the user signs in.
        resource: The L1 construct.
    """

    access: AccessString
    authentication: Authentication
    resource: elasticache.CfnUser | memorydb.CfnUser

    @classmethod
    @checked_arguments
    def from_user_attributes(
        cls, scope: Construct, id: str, *, user_name: str, secret: secretsmanager.ISecret | None = None
    ) -> User:
        """Import a user that another app owns, for the `users` of a store, a user group or an access control list.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            user_name: Name to sign in with. An ElastiCache user must have the same id.
            secret: For a password user, its secret. Default: - it is an IAM user.

        Raises:
            ConfigurationError: If the name is not text, or the secret is not a secret.
        """
        return ImportedUser(scope, id, user_name, cls.service, secret)

    def _choose_secret(self, description: str) -> secretsmanager.ISecret | None:
        if self.authentication.kind == "iam":
            return None
        problems = Problems(self)
        check_location(problems, "secret", self.authentication.secret, "a secret", scope=self, user="the user")
        check_location(problems, "kms_key", self.authentication.kms_key, "a key", scope=self, user="the secret")
        problems.raise_if_any()
        return self.authentication.secret or create_secret(
            self,
            "Secret",
            user_name=self.user_name,
            description=description,
            kms_key=self.authentication.kms_key,
        )

    def _rotated(self) -> RotatedPassword:
        from cdk_redis._access.rotation import RotatedPassword
        from cdk_redis_runtime._client import environment

        assert self.secret is not None
        return RotatedPassword(
            secret=self.secret,
            variables={environment.SERVICE: self.service.name, environment.ROTATED_USER: self._service_id},
            actions=self.service.change_user_actions,
            arn=self.user_arn,
            owner=self.resource,
            path=self.node.path,
        )

    @property
    def _service_id(self) -> str:
        """What the service identifies the user by."""
        return self.user_name

    def _authentication_mode(self) -> dict[str, object]:
        # A plain dict: AuthenticationModeProperty renders {"type": "iam"}, which the services reject
        # (aws/aws-cdk issue 28780).
        if self.secret is None:
            return {"Type": "iam"}
        # A dynamic reference: CloudFormation reads the secret, and the template does not contain it.
        password = self.secret.secret_value_from_json("password").unsafe_unwrap()
        return {"Type": "password", "Passwords": [password]}


def read_required(problems: Problems, parameter: str, given: object, kind: type[_Value], otherwise: _Value) -> _Value:
    """Read a required parameter with `value_of`.

    Returns:
        The value. If it is missing or invalid, `otherwise`: the problem is added, so that no construct uses it.
    """
    if given is None:
        problems.add(parameter, None, "it is required")
    value = value_of(problems, parameter, given, kind)
    return otherwise if value is None else value


def read_access(problems: Problems, access: object) -> AccessString:
    """Read the parameter `access`; problems are added without passwords."""
    return read_required(problems, "access", access, AccessString, AccessString.off())


def read_authentication(problems: Problems, authentication: object) -> Authentication:
    """Read the parameter `authentication` of a user."""
    read = read_required(problems, "authentication", authentication, Authentication, Authentication.iam())
    if read.kind == "auth-token":
        hint = "only a replication group can have an AUTH token"
        problems.add("authentication", read.kind, "a user signs in with IAM or a password", hint)
    return read


def check_user_name(problems: Problems, parameter: str, name: object) -> None:
    """Add a problem if the services do not accept an optional name or id of a user."""
    if name is not None and (reason := name_problem(name, max_length=MAX_USER_NAME)) is not None:
        problems.add(parameter, name, reason, "leave it out to have a unique name generated")
