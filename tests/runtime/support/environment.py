"""The environment of a function that is bound to a store, with the password in a secret."""

from __future__ import annotations

from cdk_redis_local import EngineSet
from cdk_redis_runtime._client import environment as env
from tests.runtime.support.secrets_manager import ARN


def bound_environment(engines: EngineSet, user: str = "smoke", **more: str) -> dict[str, str]:
    """The variables that ``store.bind(function, user=...)`` writes, and the region that Lambda sets.

    Args:
        engines: The store.
        user: User to sign in as.
        more: Other variables, by their names in `cdk_redis_runtime._client.environment`.
    """
    host, port = engines.endpoint
    reader: dict[str, str] = {}
    if engines.replicas and not engines.cluster_mode:
        reader_host, reader_port = engines.reader_endpoint
        reader = {env.READER_HOST: reader_host, env.READER_PORT: str(reader_port)}
    return {
        env.SERVICE: "elasticache",
        env.STORE: "orders",
        env.HOST: host,
        env.PORT: str(port),
        **reader,
        env.TLS: str(engines.tls).lower(),
        env.CLUSTER_MODE: str(engines.cluster_mode).lower(),
        env.AUTHENTICATION: env.AUTHENTICATION_PASSWORD,
        env.USER: user,
        env.SECRET_ARN: ARN,
        "AWS_REGION": "eu-west-1",
        **{getattr(env, name): value for name, value in more.items()},
    }
