"""Password authentication: the password is read from Secrets Manager, and read again when a store refuses it."""

from __future__ import annotations

import json
import time
from typing import Any, cast

from cdk_redis_runtime._client.credentials import (
    BOTOCORE_HINT,
    NO_AWS_CREDENTIALS_HINT,
    CredentialsUnavailableError,
    RenewableProvider,
    SharedRead,
)

# In isolated subnets without an interface endpoint a call would hang until the function's timeout.
_CONNECT_SECONDS = 2
_READ_SECONDS = 3
_ATTEMPTS = 2

MIN_SECONDS_BETWEEN_READS = 5.0
"""Seconds between two reads of a password that stays wrong, however many connections are refused."""


class SecretUnavailableError(CredentialsUnavailableError):
    """The password could not be read; the message has the reason, and nothing of the secret."""


class SecretProvider(RenewableProvider):
    """Gives redis-py the password in a Secrets Manager secret. Threads and forked processes can share it."""

    def __init__(self, *, secret_arn: str, user: str, region: str, client: Any = None) -> None:
        """Keep the settings; nothing is read yet.

        Args:
            secret_arn: ARN of a secret whose value is JSON with a ``password`` and, optionally, a ``username``.
            user: User to sign in as.
            region: AWS Region of the secret.
            client: A ``secretsmanager`` client of boto3 or botocore. Default: - one with short timeouts, made for each
                read with the AWS credentials that botocore finds then.
        """
        self._secret_arn = secret_arn
        self._user = user
        self._region = region
        self._client = client
        self._password: str | None = None
        self._next_read = 0.0
        self._shared_read = SharedRead(self._read)

    def get_credentials(self) -> tuple[str, str]:
        """Return the user and the password; the secret is read at the first call.

        Raises:
            SecretUnavailableError: If the secret cannot be read, or belongs to another user.
        """
        if self._password is None:
            self._password = self._shared_read()
        return self._user, self._password

    def renew(self, refused: tuple[str, ...]) -> bool:
        """Read the secret again, unless it was read less than `MIN_SECONDS_BETWEEN_READS` ago.

        Args:
            refused: The user and the password that a store refused.

        Returns:
            Whether `get_credentials` returns another password now.

        Raises:
            SecretUnavailableError: As in `get_credentials`; the old password is kept.
        """
        if self._password == refused[-1] and time.monotonic() >= self._next_read:
            self._password = self._shared_read()
        return self._password != refused[-1]

    def _read(self) -> str:
        try:
            return _password_in(self._secret_string(), self._user)
        finally:
            self._next_read = time.monotonic() + MIN_SECONDS_BETWEEN_READS

    def _secret_string(self) -> str:
        # botocore takes a tenth of a second to import, and only this kind of authentication needs it.
        try:
            import botocore.session
            from botocore import exceptions as aws_errors
            from botocore.config import Config
        except ImportError as error:
            raise SecretUnavailableError(
                f"reading the password from Secrets Manager needs botocore, which is not installed ({error}); "
                f"{BOTOCORE_HINT}"
            ) from None
        timeouts = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
        )
        try:
            # A session keeps the AWS credentials of its first use, and is not safe for threads.
            client: Any = self._client or botocore.session.Session().create_client(
                "secretsmanager", region_name=self._region, config=timeouts
            )
            answer: dict[str, Any] = client.get_secret_value(SecretId=self._secret_arn)
        except aws_errors.ClientError as error:
            code = str(cast("Any", error).response.get("Error", {}).get("Code", "unknown"))
            raise SecretUnavailableError(
                f"Secrets Manager refused to give the password ({code}); "
                "allow secretsmanager:GetSecretValue on the secret, and kms:Decrypt on its key"
            ) from None
        except (aws_errors.ConnectionError, aws_errors.HTTPClientError) as error:
            raise SecretUnavailableError(
                f"Secrets Manager could not be reached to read the password ({type(error).__name__}); isolated subnets "
                "need an interface endpoint for it that this function's security group can reach"
            ) from None
        except aws_errors.BotoCoreError as error:
            raise SecretUnavailableError(
                "Secrets Manager could not be called for the password: AWS credentials or settings are missing "
                f"({type(error).__name__}: {error}); {NO_AWS_CREDENTIALS_HINT}"
            ) from None
        if not isinstance(answer.get("SecretString"), str):
            raise SecretUnavailableError("the secret is binary; it must be JSON with a username and a password")
        return str(answer["SecretString"])


def _password_in(text: str, user: str) -> str:
    # The messages name what is missing, never the content; no cause is chained, because it would quote the secret.
    try:
        secret: Any = json.loads(text)
    except ValueError:
        raise SecretUnavailableError("the secret is not JSON; it must hold a username and a password") from None
    fields = cast("dict[str, Any]", secret) if isinstance(secret, dict) else {}
    if not isinstance(fields.get("password"), str) or not fields["password"]:
        raise SecretUnavailableError("the secret holds no password")
    if fields.get("username", user) != user:
        raise SecretUnavailableError(f"the secret does not belong to user {user!r}")
    return str(fields["password"])
