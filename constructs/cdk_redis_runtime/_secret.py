"""Password authentication: the password is read from Secrets Manager once."""

from __future__ import annotations

import json
import threading
from typing import Any, cast

from redis.credentials import CredentialProvider

# From isolated subnets without an interface endpoint a call would hang until the function's timeout.
_CONNECT_SECONDS = 2
_READ_SECONDS = 3
_ATTEMPTS = 2


class SecretUnavailableError(Exception):
    """The password could not be read; the message says why, and holds nothing of the secret."""


class SecretProvider(CredentialProvider):
    """Hands redis-py the password kept in a Secrets Manager secret."""

    def __init__(self, *, secret_arn: str, user: str, region: str, client: Any = None) -> None:
        """Say which secret; nothing is read yet.

        Args:
            secret_arn: ARN of a secret whose value is JSON with a ``password`` and, optionally, a ``username``.
            user: User to sign in as.
            region: AWS Region of the secret.
            client: A boto3 ``secretsmanager`` client. Default: - one with short timeouts.
        """
        self._secret_arn = secret_arn
        self._user = user
        self._region = region
        self._client = client
        self._password: str | None = None
        self._lock = threading.Lock()

    def get_credentials(self) -> tuple[str, str]:
        """Give the user and the password.

        Raises:
            SecretUnavailableError: If the secret cannot be read, or is of another user.
        """
        with self._lock:
            if self._password is None:
                self._password = _password_in(self._read(), self._user)
            return self._user, self._password

    def _read(self) -> str:
        # boto3 takes a fifth of a second to import, and only this kind of authentication needs it.
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        timeouts = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
        )
        try:
            client = self._client or boto3.client("secretsmanager", region_name=self._region, config=timeouts)
            return str(client.get_secret_value(SecretId=self._secret_arn)["SecretString"])
        except ClientError as error:
            code = str(cast("Any", error).response.get("Error", {}).get("Code", "unknown"))
            raise SecretUnavailableError(
                f"Secrets Manager refused to give the password ({code}); "
                "allow secretsmanager:GetSecretValue on the secret, and kms:Decrypt on its key"
            ) from None
        except BotoCoreError as error:
            raise SecretUnavailableError(
                f"Secrets Manager was not reached for the password ({type(error).__name__}); isolated subnets need "
                "an interface endpoint for it that this function's security group may reach"
            ) from None


def _password_in(text: str, user: str) -> str:
    # The messages name what is missing, never what is there; and no cause is chained, for it would quote the secret.
    try:
        secret: Any = json.loads(text)
    except ValueError:
        raise SecretUnavailableError("the secret is not JSON; it must hold a username and a password") from None
    fields = cast("dict[str, Any]", secret) if isinstance(secret, dict) else {}
    if not isinstance(fields.get("password"), str) or not fields["password"]:
        raise SecretUnavailableError("the secret holds no password")
    if fields.get("username", user) != user:
        raise SecretUnavailableError(f"the secret is not that of user {user!r}")
    return str(fields["password"])
