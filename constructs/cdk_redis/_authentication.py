"""How a user proves who it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_cdk import aws_secretsmanager as secretsmanager


@dataclass(frozen=True)
class Authentication:
    """The way one user signs in; made by `iam` or `password`.

    Attributes:
        kind: ``"iam"`` or ``"password"``.
        secret: For ``"password"``, the secret given by hand. None: - one is generated.
    """

    kind: str
    secret: secretsmanager.ISecret | None = None

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
