"""What the users of both services have in common: who may sign in, how, and what they may do there.

user = cache.add_iam_user("app", AccessString.read_write("app:*"))
cache.grant_connect(function, user=user)
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._access.authentication import Authentication
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.naming import MAX_USER_NAME, name_problem, unique_name

if TYPE_CHECKING:
    from aws_cdk import aws_elasticache as elasticache
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_memorydb as memorydb
    from aws_cdk import aws_secretsmanager as secretsmanager

    from cdk_redis._core.service import Service

# Within the 16 to 128 that the services take; letters and digits, since they forbid different punctuation.
PASSWORD_LENGTH = 64

# The order in which an app makes its users, which is the same at every synth.
_ORDER = itertools.count()


class User(cdk.Resource):
    """A user of a store, defined here or imported.

    Attributes:
        user_name: Name to sign in with: a plain string, known at synth.
        user_arn: ARN that a policy names, beside the store's, to let someone sign in as this user.
        secret: For a password user, the secret with the keys ``username`` and ``password``. None for an IAM user.
    """

    user_name: str
    user_arn: str
    secret: secretsmanager.ISecret | None = None
    can_rotate: bool = True
    _service: Service

    def add_rotation(self, function: lambda_.IFunction, *, every: cdk.Duration | None = None) -> None:
        """Let a function change the password of this user, again and again.

        AWS has no function of its own for this that CloudFormation could deploy: bring one, such as the template
        ``SecretsManagerElasticacheUserRotation`` that AWS publishes for ElastiCache. Secrets Manager may call it, and
        it may read and write the secret and change this user. It sets the new password beside the old one, waits
        until the user is active, and only then drops the old.

        Args:
            function: Secrets Manager's rotation function, in its four steps. Outside a VPC it reaches both services.
            every: Time between two rotations. Default: - 30 days.

        Raises:
            ConfigurationError: If the user has no password of its own.
        """
        if self.secret is None or not self.can_rotate:
            reason = "only a user with a password has something to rotate"
            hint = (
                "raise `generation` in Authentication.auth_token" if self.secret else "IAM's tokens change themselves"
            )
            raise ConfigurationError(self.node.path, [problem("function", function.node.path, reason, hint)])
        from aws_cdk import aws_iam as iam

        function.add_to_role_policy(
            iam.PolicyStatement(actions=list(self._service.change_user_actions), resources=[self.user_arn])
        )
        self.secret.add_rotation_schedule(
            "Rotation", rotation_lambda=function, automatically_after=every or cdk.Duration.days(30)
        )


class ImportedUser(User):
    def __init__(
        self, scope: Construct, id: str, user_name: str, service: Service, secret: secretsmanager.ISecret | None
    ) -> None:
        super().__init__(scope, id)
        self._service = service
        self.user_name = user_name
        self.user_arn = service.user_arn(self, user_name)
        self.secret = secret


class DefinedUser(User):
    """What `ElastiCacheUser` and `MemoryDbUser` have in common.

    Attributes:
        order: Grows from one user of an app to the next.
    """

    resource: elasticache.CfnUser | memorydb.CfnUser

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        authentication: Authentication,
        user_name: str | None,
    ) -> None:
        super().__init__(scope, id)
        _check_kind(self, authentication)
        self.order = next(_ORDER)
        self.user_name = self._checked_name(user_name)
        if authentication.kind == "password":
            self.secret = authentication.secret or self._generated_secret()

    def _checked_name(self, user_name: str | None) -> str:
        if user_name is None:
            return unique_name(self, max_length=MAX_USER_NAME)
        problems = Problems(self)
        if (reason := name_problem(user_name, max_length=MAX_USER_NAME)) is not None:
            problems.add("user_name", user_name, reason, "or leave it out and a unique one is generated")
        problems.raise_if_any()
        return user_name

    def _generated_secret(self) -> secretsmanager.ISecret:
        from aws_cdk import aws_secretsmanager as secretsmanager

        secret = secretsmanager.Secret(
            self,
            "Secret",
            description=f"Password of {self.user_name}",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"username": self.user_name}),
                generate_string_key="password",
                password_length=PASSWORD_LENGTH,
                exclude_punctuation=True,
            ),
        )
        # jsii declares the class and the interface so that type checkers do not see them agree.
        return cast("secretsmanager.ISecret", secret)

    def _authentication_mode(self) -> dict[str, object]:
        # A plain dict, not AuthenticationModeProperty: that one renders {"type": "iam"}, which the
        # services refuse (aws/aws-cdk issue 28780).
        if self.secret is None:
            return {"Type": "iam"}
        # A dynamic reference: CloudFormation reads the secret, the template never holds it.
        password = self.secret.secret_value_from_json("password").unsafe_unwrap()
        return {"Type": "password", "Passwords": [password]}


def _check_kind(user: User, authentication: Authentication) -> None:
    if authentication.kind not in ("iam", "password"):
        reason = "a user signs in with IAM or a password"
        hint = "an AUTH token is for a replication group as a whole"
        raise ConfigurationError(user.node.path, [problem("authentication", authentication.kind, reason, hint)])
