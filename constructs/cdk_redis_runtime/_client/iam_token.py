"""IAM authentication: a token is signed for each new connection, locally, without a network call.

The token is a presigned URL without its scheme, and is sent as the password. It is valid for 15 minutes. Finding the
AWS credentials and signing take about a millisecond, so no token is kept. Any client of redis-py can use the provider:

    from cdk_redis_runtime import IamTokenProvider
    client = redis.Redis(
        host="master.orders.example.com", ssl=True,
        credential_provider=IamTokenProvider.for_elasticache("orders", user="app", region="eu-west-1"),
    )

AWS source: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html and
https://docs.aws.amazon.com/memorydb/latest/devguide/auth-iam.html
"""

from __future__ import annotations

import os
from typing import Any, Protocol

from cdk_redis_runtime._client.credentials import (
    BOTOCORE_HINT,
    NO_AWS_CREDENTIALS_HINT,
    BlockingProvider,
    CredentialsUnavailableError,
    SharedRead,
)
from cdk_redis_runtime._client.environment import ELASTICACHE, MEMORYDB
from cdk_redis_runtime._client.reading import SettingsError

TOKEN_LIFETIME_SECONDS = 900
"""What both services require in ``X-Amz-Expires``."""

CONNECTION_SECONDS = 12 * 60 * 60
"""Age at which both services close a connection that signed in with a token."""


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


class IamTokenProvider(BlockingProvider):
    """Signs an ElastiCache or MemoryDB token whenever redis-py or ``redis.asyncio`` opens a connection.

    Threads, event loops and forked processes can share it. AWS closes each connection after 12 hours; the clients of
    ``connect()`` replace their connections before that, others raise a ``redis.exceptions.ConnectionError`` then, or
    retry.

    Attributes:
        connection_seconds: Age at which AWS closes a connection.
    """

    connection_seconds: float = CONNECTION_SECONDS

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
        self._shared_find = SharedRead(self._find_aws_credentials, self._forget_session)

    @classmethod
    def for_elasticache(
        cls,
        replication_group_id: str,
        *,
        user: str,
        region: str | None = None,
        credentials: AwsCredentials | None = None,
    ) -> IamTokenProvider:
        """Sign tokens for an ElastiCache replication group.

        Args:
            replication_group_id: Its id; neither its endpoint nor its ARN.
            user: User id, which for IAM users is the user name, too.
            region: AWS Region of the store. Default: - ``AWS_REGION`` or ``AWS_DEFAULT_REGION``.
            credentials: AWS credentials to sign with. Default: - botocore's usual chain.

        Raises:
            SettingsError: The id is not one, or there is no Region.
        """
        _require_name("replication_group_id", replication_group_id)
        return cls(
            service=ELASTICACHE,
            store=replication_group_id,
            user=user,
            region=region or _own_region(),
            credentials=credentials,
        )

    @classmethod
    def for_serverless(
        cls,
        cache_name: str,
        *,
        user: str,
        region: str | None = None,
        credentials: AwsCredentials | None = None,
    ) -> IamTokenProvider:
        """Sign tokens for an ElastiCache serverless cache.

        Args:
            cache_name: Its name; neither its endpoint nor its ARN.
            user: User id, which for IAM users is the user name, too.
            region: AWS Region of the store. Default: - ``AWS_REGION`` or ``AWS_DEFAULT_REGION``.
            credentials: AWS credentials to sign with. Default: - botocore's usual chain.

        Raises:
            SettingsError: The name is not one, or there is no Region.
        """
        _require_name("cache_name", cache_name)
        return cls(
            service=ELASTICACHE,
            store=cache_name,
            user=user,
            region=region or _own_region(),
            serverless=True,
            credentials=credentials,
        )

    @classmethod
    def for_memorydb(
        cls,
        cluster_name: str,
        *,
        user: str,
        region: str | None = None,
        credentials: AwsCredentials | None = None,
    ) -> IamTokenProvider:
        """Sign tokens for a MemoryDB cluster.

        Args:
            cluster_name: Its name; neither its endpoint nor its ARN.
            user: User name.
            region: AWS Region of the store. Default: - ``AWS_REGION`` or ``AWS_DEFAULT_REGION``.
            credentials: AWS credentials to sign with. Default: - botocore's usual chain.

        Raises:
            SettingsError: The name is not one, or there is no Region.
        """
        _require_name("cluster_name", cluster_name)
        return cls(
            service=MEMORYDB, store=cluster_name, user=user, region=region or _own_region(), credentials=credentials
        )

    def get_credentials(self) -> tuple[str, str]:
        """Sign a token.

        Returns:
            The user and the token.

        Raises:
            NoAwsCredentialsError: If there are none, or they cannot be loaded.
        """
        aws_credentials = self._given_credentials or self._shared_find()
        # botocore takes a tenth of a second to import, and only this kind of authentication needs it.
        try:
            from botocore.auth import SigV4QueryAuth
            from botocore.awsrequest import AWSRequest
        except ImportError as error:
            raise _without_botocore(error) from None

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

    def _forget_session(self) -> None:
        # Its locks may have been held in the process that forked this one.
        self._session = self._refreshable = None

    def _find_aws_credentials(self) -> AwsCredentials:
        try:
            import botocore.session
            from botocore import exceptions as aws_errors
            from botocore.credentials import RefreshableCredentials, create_credential_resolver
        except ImportError as error:
            raise _without_botocore(error) from None
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


def _without_botocore(error: ImportError) -> NoAwsCredentialsError:
    return NoAwsCredentialsError(
        f"signing an IAM token needs botocore, which is not installed ({error}); {BOTOCORE_HINT}"
    )


def _require_name(parameter: str, name: str) -> None:
    # AWS answers a token for an endpoint with WRONGPASS, as it does every other mistake.
    if not name or not all(part.isalnum() for part in name.split("-")) or not name.isascii():
        raise SettingsError(
            [f"{parameter}: got {name!r}, allowed are letters, digits and hyphens: not an endpoint and not an ARN"],
            "the argument",
        )


def _own_region() -> str:
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if region := os.environ.get(variable):
            return region
    raise SettingsError(["region is not given, and neither AWS_REGION nor AWS_DEFAULT_REGION is set"], "the argument")
