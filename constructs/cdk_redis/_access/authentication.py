"""How a user proves who it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cdk_redis._core.errors import Problems

if TYPE_CHECKING:
    from aws_cdk import aws_secretsmanager as secretsmanager


@dataclass(frozen=True)
class Authentication:
    """The way one user signs in, made by `iam` or `password`; or everybody does, made by `auth_token`.

    Attributes:
        kind: ``"iam"``, ``"password"`` or ``"auth-token"``.
        secret: For a password or an AUTH token, the secret given by hand. None: - one is generated.
        version_id: For an AUTH token, the version of the secret that holds it.
        generation: For an AUTH token that is generated, how often it was made anew.
    """

    kind: str
    secret: secretsmanager.ISecret | None = None
    version_id: str | None = None
    generation: int = 1

    @classmethod
    def iam(cls) -> Authentication:
        """A short-lived token signed with the caller's own AWS credentials: nothing to store or rotate.

        Needs Valkey 7.2, or Redis OSS 7.0, or newer.
        """
        return cls("iam")

    @classmethod
    def password(cls, secret: secretsmanager.ISecret | None = None) -> Authentication:
        """A password kept in Secrets Manager.

        Args:
            secret: A secret whose value is JSON with the key ``password``, 16 to 128 characters long.
                Default: - a secret with a random password of 64 letters and digits is generated.
        """
        return cls("password", secret)

    @classmethod
    def auth_token(
        cls, secret: secretsmanager.ISecret | None = None, *, version_id: str | None = None, generation: int = 1
    ) -> Authentication:
        """One password for everybody, with every right: for engines and clients that know no users.

        For a replication group as a whole, in place of users. Moving from an AUTH token to users later **replaces**
        the store in CloudFormation, as does adding a token to a store that has none.

        Args:
            secret: A secret whose value is JSON with the key ``password``: 16 to 128 letters, digits and ``!&#$^<>-``.
                Default: - a secret with a random token of 64 letters and digits is generated.
            version_id: The version of the secret that holds the token. Naming the next one changes the token, in
                place: for a while ElastiCache accepts both.
            generation: Raising it makes a new secret with a new token and takes the old secret away.

        Raises:
            ConfigurationError: If they do not go together.
        """
        problems = Problems("Authentication.auth_token")
        problems.check_range("generation", generation, 1, 1_000_000, "generations count from {low}")
        if secret is None and version_id is not None:
            problems.add("version_id", version_id, "a secret that is generated has one version", "raise `generation`")
        if secret is not None and generation != 1:
            problems.add("generation", generation, "the secret is given", "name its next `version_id`")
        problems.raise_if_any()
        return cls("auth-token", secret, version_id, generation)
