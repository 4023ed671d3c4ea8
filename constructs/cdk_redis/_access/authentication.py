"""How a user signs in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, cast

from cdk_redis._access.secrets import check_secret, check_secret_key
from cdk_redis._core.checks import check_texts
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_secretsmanager as secretsmanager

_KINDS = ("iam", "password", "auth-token")
_MAX_GENERATION = 1_000_000


@dataclass(frozen=True)
class Authentication:
    """How one user signs in (`iam`, `password`), or how all clients sign in (`auth_token`).

    Parameters for an authentication also accept its text, see `from_text`.

    Attributes:
        kind: ``"iam"``, ``"password"`` or ``"auth-token"``.
        secret: The existing secret with the password or the AUTH token. None: - one is generated.
        version_id: Version of the existing secret that contains the AUTH token.
        generation: Number of the generated AUTH token, from 1.
        kms_key: Key that encrypts the generated secret. None: - that of the store, or the key ``aws/secretsmanager``.
    """

    TEXT_EXAMPLE: ClassVar[str] = "iam"

    kind: str
    secret: secretsmanager.ISecret | None = None
    version_id: str | None = None
    generation: int = 1
    kms_key: kms.IKey | None = None

    def __post_init__(self) -> None:
        """Check the attributes.

        Raises:
            ConfigurationError: If one is wrong, or if they contradict each other.
        """
        problems = Problems("Authentication")
        if self.kind not in _KINDS:
            problems.add("kind", self.kind, f"the kinds are {', '.join(_KINDS)}")
        check_secret(problems, "secret", self.secret)
        check_secret_key(problems, self.secret, self.kms_key, self.kind)
        if self.secret is not None and self.kind == "iam":
            problems.add("secret", type(self.secret), "an IAM user has no password", "leave it out")
        generation = cast("object", self.generation)
        if generation is None or is_token(generation):
            # Part of the id of the secret, which cannot contain a token.
            problems.add("generation", generation, "a generation is a number that is known at synth")
        problems.check_range("generation", self.generation, 1, _MAX_GENERATION, "a generation is {low} to {high}")
        check_texts(problems, version_id=self.version_id)
        if self.secret is None and self.version_id is not None:
            hint = "raise `generation`, or give a `secret`"
            problems.add("version_id", self.version_id, "a generated secret has one version only", hint)
        if self.secret is not None and self.generation != 1:
            hint = "name its next `version_id`"
            problems.add("generation", self.generation, "an existing secret has versions, not generations", hint)
        problems.raise_if_any()

    @classmethod
    def iam(cls) -> Authentication:
        """A short-lived token, signed with the AWS credentials of the caller: there is no password to store or rotate.

        Requires Valkey 7.2, Redis OSS 7.0, or newer.
        """
        return cls("iam")

    @classmethod
    def password(
        cls, secret: secretsmanager.ISecret | None = None, *, kms_key: kms.IKey | None = None
    ) -> Authentication:
        """A password in Secrets Manager.

        Args:
            secret: An existing secret. Its value is JSON with the key ``password``, 16 to 128 characters long.
                Default: - a secret with a random password of 64 letters and digits is generated.
            kms_key: Key that encrypts the generated secret, in the same Region. What reads the secret is allowed to
                decrypt with it. Default: - `secret_kms_key` of the store or user group, or else the key
                ``aws/secretsmanager``.

        Raises:
            ConfigurationError: If it is not a secret, or a key is given with a secret.
        """
        return cls("password", secret, kms_key=kms_key)

    @classmethod
    def auth_token(
        cls,
        secret: secretsmanager.ISecret | None = None,
        *,
        version_id: str | None = None,
        generation: int = 1,
        kms_key: kms.IKey | None = None,
    ) -> Authentication:
        """One password for all clients, with all permissions: for engines and clients without users.

        ``store.auth_token.add_rotation()`` changes the token at regular times. Without it, the token changes only with
        the template.

        A replication group has an AUTH token or users. Moving from an AUTH token to users later **replaces** the store
        in CloudFormation, and so does adding a token to a store without one.

        Args:
            secret: An existing secret. Its value is JSON with the key ``password``: 16 to 128 letters, digits and
                ``!&#$^<>-``. Default: - a secret with a random token of 64 letters and digits is generated.
            version_id: Version of the existing secret that contains the token. Naming the next version changes the
                token in place; for a while, ElastiCache accepts the old and the new one.
            generation: Number of the generated token, 1 to 1,000,000. Raising it generates a new secret with a new
                token and deletes the old secret.
            kms_key: Key that encrypts the generated secret, see `password`.

        Raises:
            ConfigurationError: If `version_id` is given without `secret`, or `generation` or `kms_key` with it.
        """
        return cls("auth-token", secret, version_id, generation, kms_key)

    @classmethod
    def from_text(cls, text: str) -> Authentication:
        """Read ``"iam"``, ``"password"`` or ``"auth-token"``; secrets are generated.

        Args:
            text: One of the three, in lower case.

        Raises:
            ConfigurationError: For all other text, tokens included.
        """
        if text not in _KINDS:
            # Not the text itself: a password may have been given by mistake.
            reason = f"an authentication is {', '.join(map(repr, _KINDS))}"
            hint = "for an existing password, use Authentication.password(secret)"
            raise ConfigurationError("Authentication.from_text", [problem("text", type(text), reason, hint)])
        return cls(text)


def with_key(authentication: Authentication, kms_key: kms.IKey | None) -> Authentication:
    """Return the authentication with the key of its store, unless it has a key, an existing secret or no secret."""
    if kms_key is None or authentication.kind == "iam" or authentication.secret or authentication.kms_key:
        return authentication
    return replace(authentication, kms_key=kms_key)
