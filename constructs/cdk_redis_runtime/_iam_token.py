"""IAM authentication: a token signed for each new connection, locally, without a network call.

The token is a presigned URL without its scheme, sent as the password. It opens connections for 15 minutes; signing
takes less than a millisecond, so none is kept.

AWS source: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html and
https://docs.aws.amazon.com/memorydb/latest/devguide/auth-iam.html
"""

from __future__ import annotations

from typing import Any, Protocol

from redis.credentials import CredentialProvider

TOKEN_LIFETIME_SECONDS = 900
"""What both services require in ``X-Amz-Expires``."""


class AwsCredentials(Protocol):
    """AWS credentials, as botocore hands them out."""

    access_key: str
    secret_key: str
    token: str | None


class NoAwsCredentialsError(Exception):
    """There are no AWS credentials to sign a token with."""


class IamTokenProvider(CredentialProvider):
    """Signs an ElastiCache or MemoryDB token whenever redis-py opens a connection."""

    def __init__(
        self,
        *,
        service: str,
        store: str,
        user: str,
        region: str,
        serverless: bool = False,
        credentials: AwsCredentials | None = None,
    ) -> None:
        """Say what to sign for; nothing is signed yet.

        Args:
            service: ``elasticache`` or ``memorydb``, the services' signing names.
            store: Replication group id, serverless cache name or MemoryDB cluster name, not a DNS name. Lower-cased,
                as the services keep it; any other spelling is answered with WRONGPASS.
            user: User id (ElastiCache) or user name (MemoryDB).
            region: AWS Region of the store.
            serverless: Whether the store is an ElastiCache serverless cache.
            credentials: AWS credentials to sign with. Default: - botocore's usual chain, read anew for each token.
        """
        self._service = service
        self._store = store.lower()
        self._user = user
        self._region = region
        self._serverless = serverless
        self._given_credentials = credentials
        self._session: Any = None

    def get_credentials(self) -> tuple[str, str]:
        """Sign a token.

        Returns:
            The user and the token.

        Raises:
            NoAwsCredentialsError: If the environment holds none.
        """
        # botocore takes a tenth of a second to import, and only this kind of authentication needs it.
        from botocore.auth import SigV4QueryAuth
        from botocore.awsrequest import AWSRequest

        parameters = {"Action": "connect", "User": self._user}
        if self._serverless:
            parameters["ResourceType"] = "ServerlessCache"
        request: Any = AWSRequest(method="GET", url=f"https://{self._store}/", params=parameters)
        signer: Any = SigV4QueryAuth(
            self._credentials(),
            self._service,
            self._region,
            expires=TOKEN_LIFETIME_SECONDS,
        )
        signer.add_auth(request)
        return self._user, str(request.url).removeprefix("https://")

    def _credentials(self) -> AwsCredentials:
        if self._given_credentials is not None:
            return self._given_credentials
        if self._session is None:
            import botocore.session

            self._session = botocore.session.get_session()
        credentials: Any = self._session.get_credentials()
        if credentials is None:
            raise NoAwsCredentialsError("no AWS credentials were found to sign an IAM token with")
        # Temporary credentials are renewed between connections; a frozen copy cannot change while it signs.
        return credentials.get_frozen_credentials()
