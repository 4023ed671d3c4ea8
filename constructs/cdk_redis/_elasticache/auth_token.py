"""The AUTH token of a replication group: one password for everybody, with every right."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._access.authentication import Authentication
from cdk_redis._access.users import PASSWORD_LENGTH, User
from cdk_redis._core.service import ELASTICACHE

if TYPE_CHECKING:
    from aws_cdk import aws_secretsmanager as secretsmanager

# The user that a client is which gives a password and no name.
DEFAULT_USER = "default"
_UNPINNED = "@cdk-redis:unpinnedAuthToken"


class AuthToken(User):
    """What stands for the users of a replication group with an AUTH token: the one user named ``default``.

    `ReplicationGroup` makes it when `authentication` is `Authentication.auth_token`.

    Attributes:
        token: The token, as a dynamic reference that CloudFormation resolves.
    """

    can_rotate = False

    def __init__(self, scope: Construct, id: str, *, authentication: Authentication) -> None:
        """Define the token's secret, or take the one that was given.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            authentication: Made by `Authentication.auth_token`.
        """
        super().__init__(scope, id)
        self.user_name = DEFAULT_USER
        self.user_arn = ELASTICACHE.user_arn(self, DEFAULT_USER)
        secret = authentication.secret or self._generated_secret(authentication.generation)
        self.secret = secret
        if authentication.secret is not None and authentication.version_id is None:
            cdk.Annotations.of(self).add_warning_v2(
                _UNPINNED,
                "the AUTH token's secret has no version_id: whichever deployment changes the store next takes the "
                "value that the secret has then; name a version, so that the token changes when you say so",
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
        # Nothing is deployed that reads the token, so that it does not matter which version it is.
        return cls(scope, id, authentication=Authentication("auth-token", secret, version_id="imported"))

    def _generated_secret(self, generation: int) -> secretsmanager.ISecret:
        from aws_cdk import aws_secretsmanager as secretsmanager

        # A new secret for each generation, which never has but one version: the token that the template refers to
        # changes with the template, and not by itself.
        secret = secretsmanager.Secret(
            self,
            "Secret" if generation == 1 else f"Secret{generation}",
            description=f"AUTH token of {self.node.path}",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"username": DEFAULT_USER}),
                generate_string_key="password",
                password_length=PASSWORD_LENGTH,
                # ElastiCache takes some punctuation when a token is made and other when it is changed.
                exclude_punctuation=True,
            ),
        )
        return cast("secretsmanager.ISecret", secret)
