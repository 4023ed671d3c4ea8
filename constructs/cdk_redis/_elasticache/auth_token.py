"""The AUTH token of a replication group: one password for all clients, with all permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._access.authentication import Authentication
from cdk_redis._access.secrets import create_secret
from cdk_redis._access.users import User, read_required
from cdk_redis._core.acknowledgements import acknowledge
from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.errors import Problems
from cdk_redis._core.location import check_location
from cdk_redis._core.naming import description_of
from cdk_redis._core.service import ELASTICACHE
from cdk_redis._elasticache.user import DEFAULT_USER

if TYPE_CHECKING:
    from aws_cdk import aws_secretsmanager as secretsmanager

    from cdk_redis._access.rotation import RotatedPassword
    from cdk_redis._store.interface import IStore

_UNPINNED = "@cdk-redis:unpinnedAuthToken"

_BY_GENERATION = "without `add_rotation`, a new `generation` of the authentication changes it"


class AuthToken(User):
    """The AUTH token of a replication group, as its only user, whose name is ``default``.

    `ReplicationGroup` defines it if `authentication` is `Authentication.auth_token`.

    Attributes:
        token: The token, as a dynamic reference to the secret, which CloudFormation resolves.
        store: Its replication group; None if this app does not define it.
    """

    service = ELASTICACHE

    @checked_arguments
    def __init__(self, scope: Construct, id: str, *, authentication: Authentication | str) -> None:
        """Define a secret with a generated token, or use an existing secret.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            authentication: `Authentication.auth_token`, or ``"auth-token"``.

        Raises:
            ConfigurationError: If `authentication` is of another kind.
        """
        super().__init__(scope, id)
        problems = Problems(self)
        authentication = read_required(
            problems, "authentication", authentication, Authentication, Authentication.auth_token()
        )
        if authentication.kind != "auth-token":
            problems.add("authentication", authentication.kind, "an AUTH token needs Authentication.auth_token")
        check_location(problems, "secret", authentication.secret, "a secret", scope=self)
        check_location(problems, "kms_key", authentication.kms_key, "a key", scope=self, user="the secret")
        problems.raise_if_any()
        self.store: IStore | None = None
        self._version_id = authentication.version_id
        self.user_name = DEFAULT_USER
        self.user_arn = ELASTICACHE.user_arn(self, DEFAULT_USER)
        secret = authentication.secret or self._generated_secret(authentication)
        self.secret: secretsmanager.ISecret | None = secret
        if authentication.secret is not None and authentication.version_id is None:
            cdk.Annotations.of(self).add_warning_v2(
                _UNPINNED,
                "the secret of the AUTH token has no version_id: each deployment that changes the store sets the token "
                "to the current value of the secret; set version_id, so that the token changes only with it",
            )
        self.token = cdk.SecretValue.secrets_manager(
            secret.secret_arn, json_field="password", version_id=authentication.version_id
        ).unsafe_unwrap()

    @classmethod
    @checked_arguments
    def from_secret(cls, scope: Construct, id: str, secret: secretsmanager.ISecret) -> AuthToken:
        """Import the AUTH token of a store that another app owns.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            secret: The secret that contains the token, as JSON with the key ``password``.
        """
        # The importing app deploys no resource that reads the token: the version is not used, and avoids the warning.
        return cls(scope, id, authentication=Authentication("auth-token", secret, version_id="imported"))

    def _objection_to_rotation(self) -> tuple[str, str, str] | None:
        if self.store is None:
            reason = "its replication group is not defined in this app"
            return "an AUTH token", reason, "call add_rotation in the app that defines the group"
        if self._version_id is not None:
            reason = "its version_id sets the token in each deployment that changes the store"
            return "an AUTH token with a version_id", reason, "leave out version_id"
        return super()._objection_to_rotation()

    def _rotated(self) -> RotatedPassword:
        from cdk_redis._access.rotation import RotatedPassword
        from cdk_redis_runtime._client import environment

        assert self.store is not None
        assert self.secret is not None
        # The rotation sets the token to the current value of the secret, too.
        cdk.Annotations.of(self).acknowledge_warning(_UNPINNED, "the token is rotated")
        return RotatedPassword(
            secret=self.secret,
            variables={environment.SERVICE: self.service.name, environment.ROTATED_GROUP: self.store.store_name},
            actions=("elasticache:ModifyReplicationGroup", "elasticache:DescribeReplicationGroups"),
            arn=self.store.store_arn,
            owner=cast("Construct", self.store.node.default_child),
            path=self.node.path,
        )

    def _generated_secret(self, authentication: Authentication) -> secretsmanager.ISecret:
        generation = authentication.generation
        # One secret for each generation: only a change of the template, or a rotation, changes the token.
        secret = create_secret(
            self,
            "Secret" if generation == 1 else f"Secret{generation}",
            user_name=DEFAULT_USER,
            description=description_of(f"AUTH token of {self.node.path}"),
            kms_key=authentication.kms_key,
        )
        acknowledge(cast("Construct", secret), {"SecretsManagerRotationEnabled": _BY_GENERATION})
        return secret
