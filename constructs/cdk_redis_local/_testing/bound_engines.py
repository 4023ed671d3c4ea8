"""`BoundEngines`: real engines for unit tests, and the variables with which ``connect()`` reaches them."""

from __future__ import annotations

import datetime as dt
import logging
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType

from botocore.credentials import Credentials

from cdk_redis_local._cloud import ACCOUNT, ca_bundle, new_root_credentials
from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._core.workspace import Workspace
from cdk_redis_local._emulator.environment import for_tools
from cdk_redis_local._emulator.store import StoreKey, StoreShape
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines.acl import CLOSED_DEFAULT, AclUser
from cdk_redis_local._engines.certificates import CertificateAuthority
from cdk_redis_local._engines.engines import EngineSet
from cdk_redis_local._gates.signatures import SignatureRefusedError
from cdk_redis_local._gates.token_check import TokenTarget, check_token
from cdk_redis_local._testing.secret_service import SecretService
from cdk_redis_runtime._client import environment as env

_REGION = "us-east-1"
_USER = "app"
_log = logging.getLogger("cdk_redis_local")


class BoundEngines:
    """Stores in this process, without an AWS, to which ``connect()`` signs in over TLS, as to a deployed one."""

    def __init__(self, set_variable: Callable[[str, str], object]) -> None:
        """Prepare a certificate authority and AWS credentials.

        Args:
            set_variable: Called with name and value of each environment variable.
        """
        self._set_variable = set_variable
        self._workspace = Workspace()
        try:
            authority = CertificateAuthority(self._workspace.directory("ca"))
            self._stores = Stores(self._workspace, authority, authorize=_authorize, say=_log.info)
            self._keys: dict[str | None, StoreKey] = {}
            self._secrets: SecretService | None = None
            trusted = ca_bundle(self._workspace.path / "trusted.pem", authority.ca_file)
        except BaseException:
            self._workspace.close()
            raise
        for name, value in {
            **new_root_credentials(),
            "AWS_REGION": _REGION,
            "AWS_DEFAULT_REGION": _REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SSL_CERT_FILE": str(trusted),
        }.items():
            set_variable(name, value)

    def __enter__(self) -> BoundEngines:
        """Return the engines."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all engines."""
        for key in self._keys.values():
            self._stores.delete(key)
        if self._secrets:
            self._secrets.close()
        self._workspace.close()

    def start(
        self,
        access_string: str = "on ~* &* +@all",
        *,
        name: str | None = None,
        authentication: str = env.AUTHENTICATION_IAM,
        users: Iterable[AclUser] = (),
        shards: int = 1,
        replicas: int = 0,
        cluster_mode: bool = False,
        service: str = env.ELASTICACHE,
        parameters: Mapping[str, str] | None = None,
    ) -> EngineSet:
        """Start a store, and set the variables of ``connect()`` for it.

        Args:
            access_string: What ``connect()`` may do; it signs in as the user ``app``.
            name: Name of the binding: ``ledger`` for ``connect("ledger")``. Default: - ``connect()``.
            authentication: How it signs in: ``iam``, with a token; ``password``, which it reads from a secret, as from
                Secrets Manager; or ``none``, as the user ``default``. Default: ``iam``.
            users: More users, with their access strings.
            shards: Number of shards; must be 1 without cluster mode.
            replicas: Number of replicas of each shard.
            cluster_mode: Whether the nodes form a cluster.
            service: ``elasticache``, or ``memorydb``, whose users may not run the commands that it reserves.
            parameters: Engine settings, as in a parameter group.

        Returns:
            The nodes: ``nodes[0].admin`` is a client with all permissions, ``fail_over(0)`` kills a primary.

        Raises:
            LocalCloudError: A store with this name runs, the engine refuses a user, or a value is wrong.
        """
        if name in self._keys:
            raise LocalCloudError(f"the binding {name or 'without a name'} has a store already: give another `name`")
        if name is not None and (reason := env.why_not_a_binding_name(name)):
            raise LocalCloudError(f"name: got {name!r}, but {reason}")
        if service not in (env.ELASTICACHE, env.MEMORYDB):
            raise LocalCloudError(f"service: got {service!r}, but it is {env.ELASTICACHE} or {env.MEMORYDB}")
        if authentication not in (env.AUTHENTICATION_IAM, env.AUTHENTICATION_PASSWORD, env.AUTHENTICATION_NONE):
            raise LocalCloudError(f"authentication: got {authentication!r}, but it is iam, password or none")
        key = StoreKey(service, (ACCOUNT, _REGION), f"{name or 'store'}-{secrets.token_hex(4)}")
        shape = StoreShape(self._stores.programs[0], cluster_mode, shards, replicas, parameters=parameters or {})
        own, sign_in = self._user(key.name, access_string, authentication)
        store = self._stores.create(key, shape, [*own, *users])
        self._keys[name] = key
        variables = {
            env.SERVICE: service,
            env.STORE: key.name,
            env.HOST: "localhost",
            env.PORT: str(store.endpoint),
            env.TLS: "true",
            env.CLUSTER_MODE: str(cluster_mode).lower(),
            env.AUTHENTICATION: authentication,
            env.REGION: _REGION,
            **sign_in,
        }
        if replicas and not cluster_mode:
            variables |= {env.READER_HOST: "localhost", env.READER_PORT: str(store.reader_endpoint)}
        for variable, value in variables.items():
            self._set_variable(env.variable(variable, name), value)
        return store.engines

    def _user(self, store: str, access_string: str, authentication: str) -> tuple[list[AclUser], dict[str, str]]:
        """The user that ``connect()`` signs in as, and the variables about it."""
        if authentication == env.AUTHENTICATION_NONE:
            return [AclUser("default", access_string, no_password=True)], {}
        if authentication == env.AUTHENTICATION_IAM:
            return [CLOSED_DEFAULT, AclUser(_USER, access_string, iam=True)], {env.USER: _USER}
        password = secrets.token_urlsafe(24)
        arn = self._secret_service().put(store, _USER, password)
        user = AclUser(_USER, access_string, passwords=(password,))
        return [CLOSED_DEFAULT, user], {env.USER: _USER, env.SECRET_ARN: arn}

    def _secret_service(self) -> SecretService:
        if self._secrets is None:
            self._secrets = SecretService(_find_credentials, _REGION)
            self._set_variable("AWS_ENDPOINT_URL_SECRETS_MANAGER", self._secrets.endpoint_url)
            for name in ("NO_PROXY", "no_proxy"):
                self._set_variable(name, for_tools(os.environ)[name])
        return self._secrets


def _authorize(token: str, user: str, target: TokenTarget) -> None:
    check_token(
        token, user=user, target=target, find_credentials=_find_credentials, now=dt.datetime.now(dt.timezone.utc)
    )


def _find_credentials(access_key_id: str, session_token: str | None) -> Credentials:
    # Those of this moment: a test may set others, for other services.
    own = Credentials(
        os.environ.get("AWS_ACCESS_KEY_ID", ""),
        os.environ.get("AWS_SECRET_ACCESS_KEY", ""),
        os.environ.get("AWS_SESSION_TOKEN") or None,
    )
    if (access_key_id, session_token) != (own.access_key, own.token):
        raise SignatureRefusedError("the token is not signed with the AWS credentials in the environment")
    return own
