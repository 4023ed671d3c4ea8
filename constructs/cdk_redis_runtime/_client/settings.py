"""Settings of a store, read from environment variables or a record, and checked before connecting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.reading import Reader, SettingsError, record_reader


@dataclass(frozen=True)
class Address:
    """A host and a port.

    Attributes:
        host: DNS name or IP address, IPv6 without brackets; the certificate must be for it.
        port: TCP port, 1 to 65535.
    """

    host: str
    port: int

    def __str__(self) -> str:
        """``host:port``, or ``[address]:port`` for an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Connection:
    """How to connect to a store.

    Attributes:
        service: ``elasticache`` or ``memorydb``.
        store: Replication group id, serverless cache name or cluster name; IAM tokens are signed for it.
        host: Configuration endpoint, or primary endpoint without cluster mode.
        port: Port of the endpoint.
        reader: Reader endpoint of a store with replicas and without cluster mode.
        tls: Whether the store requires TLS.
        cluster_mode: Whether keys are spread over shards.
        authentication: ``iam``, ``password`` or ``none``.
        user: User to sign in as; None if authentication is ``none``.
        secret_arn: Secret with the password, if authentication is ``password``.
        region: AWS Region of the store and of its secret.
        serverless: Whether it is an ElastiCache serverless cache, for which IAM tokens are signed differently.
        plaintext: Whether a store with TLS accepts clients without it, too.
        security_groups: Ids of the security groups of the caller, for messages; empty if unknown.
        store_security_groups: Ids of the store's security groups, for messages; empty if unknown.
    """

    service: str
    store: str
    host: str
    port: int
    reader: Address | None = None
    tls: bool = True
    cluster_mode: bool = True
    authentication: str = env.AUTHENTICATION_IAM
    user: str | None = None
    secret_arn: str | None = None
    region: str | None = None
    serverless: bool = False
    plaintext: bool = False
    security_groups: tuple[str, ...] = ()
    store_security_groups: tuple[str, ...] = ()

    @property
    def endpoint(self) -> Address:
        """Host and port together."""
        return Address(self.host, self.port)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], name: str | None = None) -> Connection:
        """Read the variables named in `cdk_redis_runtime._client.environment`.

        A connection record in ``CDK_REDIS_RECORD`` is read if no other variable of the binding is set.

        Args:
            environment: ``os.environ``, or the like.
            name: Name of the binding: ``ledger`` for ``CDK_REDIS_LEDGER_*``. Default: - ``CDK_REDIS_*``.

        Raises:
            SettingsError: With every variable that is missing or wrong.
        """
        if name is not None and (reason := env.why_not_a_binding_name(name)):
            raise SettingsError([f"name: got {name!r}, but {reason}"])
        read = Reader(environment, lambda key: env.variable(key, name) if key in env.BINDING_VARIABLES else key)
        if not any(read.has(variable) for variable in env.BINDING_VARIABLES if variable != env.RECORD):
            if read.has(env.RECORD):
                return cls.read(record_reader(read.text(env.RECORD), env.variable(env.RECORD, name)), env.REGION)
            if names := env.binding_names(environment):
                read.note(f"the names of the bindings are {', '.join(names)}: call connect({names[0]!r})")
        # boto3 reads AWS_DEFAULT_REGION and Lambda sets both; a workstation has one of them.
        return cls.read(read, env.REGION, "AWS_REGION", "AWS_DEFAULT_REGION")

    @classmethod
    def read(cls, read: Reader, *regions: str) -> Connection:
        """Take the settings from a reader.

        Args:
            read: What to read them with.
            regions: Variables with the AWS Region; the first that is set counts.

        Raises:
            SettingsError: With every variable that is missing or wrong.
        """
        authentication = read.choice(
            env.AUTHENTICATION, env.AUTHENTICATION_IAM, env.AUTHENTICATION_PASSWORD, env.AUTHENTICATION_NONE
        )
        signs_in = authentication in (env.AUTHENTICATION_IAM, env.AUTHENTICATION_PASSWORD)
        connection = cls(
            service=read.choice(env.SERVICE, env.ELASTICACHE, env.MEMORYDB),
            store=read.text(env.STORE),
            host=read.text(env.HOST),
            port=read.number(env.PORT, 1, 65535),
            reader=_reader_endpoint(read),
            tls=read.boolean(env.TLS),
            cluster_mode=read.boolean(env.CLUSTER_MODE),
            authentication=authentication,
            user=read.text(env.USER) if signs_in else None,
            secret_arn=read.text(env.SECRET_ARN) if authentication == env.AUTHENTICATION_PASSWORD else None,
            region=read.text(*regions) if signs_in else None,
            serverless=read.has(env.SERVERLESS) and read.boolean(env.SERVERLESS),
            plaintext=read.has(env.PLAINTEXT) and read.boolean(env.PLAINTEXT),
            security_groups=read.names(env.SECURITY_GROUPS),
            store_security_groups=read.names(env.STORE_SECURITY_GROUPS),
        )
        read.raise_if_any()
        return connection


def _reader_endpoint(read: Reader) -> Address | None:
    if not (read.has(env.READER_HOST) or read.has(env.READER_PORT)):
        return None
    return Address(read.text(env.READER_HOST), read.number(env.READER_PORT, 1, 65535))
