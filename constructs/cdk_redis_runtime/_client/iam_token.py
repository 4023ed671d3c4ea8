"""IAM authentication: a token is signed for each new connection, locally, without a network call.

The token is a presigned URL without its scheme, and is sent as the password. It is valid for 15 minutes. Finding the
AWS credentials and signing take about a millisecond, so no token is kept.

AWS source: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html and
https://docs.aws.amazon.com/memorydb/latest/devguide/auth-iam.html
"""

from __future__ import annotations

from typing import Any, Protocol

from redis.credentials import CredentialProvider

from cdk_redis_runtime._client.credentials import NO_AWS_CREDENTIALS_HINT, CredentialsUnavailableError, SharedRead

TOKEN_LIFETIME_SECONDS = 900
"""What both services require in ``X-Amz-Expires``."""


class AwsCredentials(Protocol):
    """AWS credentials, as botocore returns them."""

    @property
    def access_key(self) -> str:
        """Access key id."""
        ...

    @property
    def secret_key(self) -> str:
        """Secret access key."""
        ...

    @property
    def token(self) -> str | None:
        """Session token of temporary credentials."""
        ...


class NoAwsCredentialsError(CredentialsUnavailableError):
    """There are no AWS credentials to sign a token with, or they could not be loaded; the message has the reason."""


class IamTokenProvider(CredentialProvider):
    """Signs an ElastiCache or MemoryDB token whenever redis-py opens a connection.

    Threads and forked processes can share it.
    """

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
        """Keep the settings; nothing is signed yet.

        Args:
            service: ``elasticache`` or ``memorydb``: the services' signing names.
            store: Replication group id, serverless cache name or MemoryDB cluster name, not a DNS name. Signed in
                lower case, as the services store it; they answer any other spelling with WRONGPASS.
            user: User id (ElastiCache) or user name (MemoryDB).
            region: AWS Region of the store.
            serverless: Whether the store is an ElastiCache serverless cache.
            credentials: AWS credentials to sign with. Default: - botocore's usual chain, searched for each token, so
                that changes in the environment or in a file count. botocore renews credentials that expire.
        """
        self._service = service
        self._store = store.lower()
        self._user = user
        self._region = region
        self._serverless = serverless
        self._given_credentials = credentials
        self._session: Any = None
        self._refreshable: Any = None
        self._shared_find = SharedRead(self._find_aws_credentials)

    def get_credentials(self) -> tuple[str, str]:
        """Sign a token.

        Returns:
            The user and the token.

        Raises:
            NoAwsCredentialsError: If there are none, or they cannot be loaded.
        """
        aws_credentials = self._given_credentials or self._shared_find()
        # botocore takes a tenth of a second to import, and only this kind of authentication needs it.
        from botocore.auth import SigV4QueryAuth
        from botocore.awsrequest import AWSRequest

        parameters = {"Action": "connect", "User": self._user}
        if self._serverless:
            parameters["ResourceType"] = "ServerlessCache"
        request: Any = AWSRequest(method="GET", url=f"https://{self._store}/", params=parameters)
        signer: Any = SigV4QueryAuth(
            aws_credentials,
            self._service,
            self._region,
            expires=TOKEN_LIFETIME_SECONDS,
        )
        signer.add_auth(request)
        return self._user, str(request.url).removeprefix("https://")

    def _find_aws_credentials(self) -> AwsCredentials:
        try:
            import botocore.session
            from botocore import exceptions as aws_errors
            from botocore.credentials import RefreshableCredentials, create_credential_resolver
        except ImportError as error:
            raise NoAwsCredentialsError(
                f"signing an IAM token needs botocore, which is not installed ({error}): pip install boto3"
            ) from None
        try:
            # Searching the chain again takes half a millisecond for keys from the environment, and a network call for
            # those that expire.
            credentials: Any = self._refreshable
            if credentials is None:
                self._session = self._session or botocore.session.Session()
                credentials = create_credential_resolver(self._session).load_credentials()
            if credentials is None:
                raise NoAwsCredentialsError(
                    f"no AWS credentials were found to sign an IAM token with; {NO_AWS_CREDENTIALS_HINT}"
                )
            if isinstance(credentials, RefreshableCredentials):
                self._refreshable = credentials
            # A frozen copy cannot change while it is used to sign.
            return credentials.get_frozen_credentials()
        except (aws_errors.BotoCoreError, aws_errors.ClientError) as error:
            raise NoAwsCredentialsError(
                f"the AWS credentials to sign an IAM token with could not be loaded ({type(error).__name__}: {error})"
            ) from None
