"""A cluster with three shards behind gates that check IAM tokens, and the variables of a program bound to it."""

from __future__ import annotations

import datetime as dt
import os
import secrets
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cdk_redis import AccessString
from cdk_redis_local import AclUser, CertificateAuthority, EngineSet, Workspace, find_engine
from cdk_redis_local._emulator.store import StoreKey, StoreShape
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._gates.token_check import TokenTarget, check_token
from cdk_redis_runtime._client import environment as env
from tests.runtime.support.battery import AWS_CREDENTIALS
from tests.runtime.support.environment import bound_environment
from tests.runtime.support.secrets_manager import SecretsManager

ACCESS = str(AccessString.read_write("app:*"))
USERS = {env.AUTHENTICATION_PASSWORD: "web", env.AUTHENTICATION_IAM: "reports"}
"""A user of each kind, with the library's access string for applications."""


@dataclass
class BoundCluster:
    """A running cluster; ``said`` has the messages of its gates."""

    engines: EngineSet
    password: str
    secrets_manager: SecretsManager
    said: list[str]
    home: Path

    def environment(self, authentication: str) -> dict[str, str]:
        """The variables of a program that is bound to the cluster, and no others of this process but ``PATH``."""
        bound = bound_environment(self.engines, USERS[authentication], AUTHENTICATION=authentication)
        if authentication == env.AUTHENTICATION_IAM:
            del bound[env.SECRET_ARN]
        return {
            **bound,
            "AWS_ACCESS_KEY_ID": AWS_CREDENTIALS.access_key,
            "AWS_SECRET_ACCESS_KEY": AWS_CREDENTIALS.secret_key,
            "AWS_SESSION_TOKEN": str(AWS_CREDENTIALS.token),
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": self.secrets_manager.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            # Every system trusts Amazon's certificate authorities, but not that of the tests.
            "SSL_CERT_FILE": self.engines.ca_file,
            "NODE_EXTRA_CA_CERTS": self.engines.ca_file,
            "HOME": str(self.home),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        }

    def keys(self, pattern: str) -> list[int]:
        """How many keys of each shard match a pattern."""
        return [len(list(node.admin.scan_iter(match=pattern, count=1000))) for node in self.engines.primaries]

    def reset(self) -> None:
        """Delete all keys, and forget what the gates said."""
        for node in self.engines.primaries:
            node.admin.flushall()
        self.said.clear()


@contextmanager
def start_bound_cluster(folder: Path) -> Generator[BoundCluster, None, None]:
    """Start the cluster, as the replication group ``orders``, and Secrets Manager with the password.

    Args:
        folder: For the certificate authority; also the home directory of the programs.
    """
    said: list[str] = []

    def authorize(token: str, user: str, target: TokenTarget) -> object:
        now = dt.datetime.now(dt.timezone.utc)
        return check_token(token, user=user, target=target, find_credentials=lambda *_key: AWS_CREDENTIALS, now=now)

    # Unlike every other of this machine, so that a test can look for it in all processes.
    password = secrets.token_hex(16)
    key = StoreKey(env.ELASTICACHE, ("111122223333", "eu-west-1"), "orders")
    users = [
        AclUser(USERS[env.AUTHENTICATION_PASSWORD], ACCESS, passwords=(password,)),
        AclUser(USERS[env.AUTHENTICATION_IAM], ACCESS, iam=True),
    ]
    workspace = Workspace()
    stores = Stores(workspace, CertificateAuthority(folder / "ca"), authorize=authorize, say=said.append)
    try:
        with SecretsManager(USERS[env.AUTHENTICATION_PASSWORD], password) as secrets_manager:
            engines = stores.create(key, StoreShape(find_engine(), True, 3, 0), users).engines
            yield BoundCluster(engines, password, secrets_manager, said, folder)
    finally:
        stores.delete(key)
        workspace.close()
