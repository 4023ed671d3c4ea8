"""The AUTH token of a replication group: one password for all clients, with all permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._access.authentication import Authentication
from cdk_redis._access.secrets import create_secret
from cdk_redis._access.users import User, read_required
from cdk_redis._core.errors import Problems
from cdk_redis._core.service import ELASTICACHE
from cdk_redis._elasticache.user import DEFAULT_USER

if TYPE_CHECKING:
    from aws_cdk import aws_secretsmanager as secretsmanager

_UNPINNED = "@cdk-redis:unpinnedAuthToken"


class AuthToken(User):
    """The only user of a replication group with an AUTH token: the user named ``default``.

    `ReplicationGroup` defines it if `authentication` is `Authentication.auth_token`.

    Attributes:
        token: The token, as a dynamic reference that CloudFormation resolves.
    """

    service = ELASTICACHE

    def __init__(self, scope: Construct, id: str, *, authentication: Authentication | str) -> None:
        """Generate the secret with the token, or use the given one.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            authentication: `Authentication.auth_token`, or ``"auth-token"``.

        Raises:
            ConfigurationError: If it is something else.
        """
        super().__init__(scope, id)
        problems = Problems(self)
        authentication = read_required(
            problems, "authentication", authentication, Authentication, Authentication.auth_token()
        )
        if authentication.kind != "auth-token":
            problems.add("authentication", authentication.kind, "an AUTH token is made by Authentication.auth_token")
        problems.raise_if_any()
        self.user_name = DEFAULT_USER
        self.user_arn = ELASTICACHE.user_arn(self, DEFAULT_USER)
        secret = authentication.secret or self._generated_secret(authentication.generation)
        self.secret: secretsmanager.ISecret | None = secret
        if authentication.secret is not None and authentication.version_id is None:
            cdk.Annotations.of(self).add_warning_v2(
                _UNPINNED,
                "the secret of the AUTH token has no version_id: the next deployment that changes the store sets the "
                "token to the value that the secret has then; name a version, so that the token changes with it only",
            )
        self.token = cdk.SecretValue.secrets_manager(
            secret.secret_arn, json_field="password", version_id=authentication.version_id
        ).unsafe_unwrap()

    @classmethod
    def from_secret(cls, scope: Construct, id: str, secret: secretsmanager.ISecret) -> AuthToken:
        """The AUTH token of a store that another app owns.

        Args:
            scope: Construct it is defined in.
            id: Id within the scope.
            secret: The secret that holds it, as JSON with the key ``password``.
        """
        # Any version will do, because the importing app deploys nothing that reads the token.
        return cls(scope, id, authentication=Authentication("auth-token", secret, version_id="imported"))

    @property
    def can_rotate(self) -> bool:
        """False: the token changes with the template, see `Authentication.auth_token`."""
        return False

    def _generated_secret(self, generation: int) -> secretsmanager.ISecret:
        # A secret per generation, with one version: the token can only change with the template that refers to it.
        return create_secret(
            self,
            "Secret" if generation == 1 else f"Secret{generation}",
            user_name=DEFAULT_USER,
            description=f"AUTH token of {self.node.path}",
        )
