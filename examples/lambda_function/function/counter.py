"""Counts its calls in the cache."""

from __future__ import annotations

import os
from typing import Any

import botocore.session
import redis
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from redis.cluster import RedisCluster


class IamToken(redis.CredentialProvider):
    """Signs a token for each new connection: it lasts 15 minutes, and signing costs nothing."""

    def get_credentials(self) -> tuple[str, str]:
        """Name of the user and the token, which stands in the password's place."""
        user, credentials = os.environ["STORE_USER"], botocore.session.get_session().get_credentials()
        query = {"Action": "connect", "User": user}
        request = AWSRequest("GET", f"http://{os.environ['STORE']}/", params=query)
        SigV4QueryAuth(credentials, "elasticache", os.environ["AWS_REGION"], expires=900).add_auth(request)
        return user, str(request.url).removeprefix("http://")


# One client for all calls that this instance of the function will see; it connects at the first.
_client: RedisCluster | None = None


def client() -> RedisCluster:
    """The client, over TLS with the certificate verified."""
    global _client
    if _client is None:
        _client = RedisCluster(
            host=os.environ["HOST"], port=int(os.environ["PORT"]), ssl=True, credential_provider=IamToken()
        )
    return _client


def handler(_event: dict[str, Any], _context: object) -> dict[str, int]:
    """Count one more call."""
    return {"calls": client().incr("counter:calls")}
