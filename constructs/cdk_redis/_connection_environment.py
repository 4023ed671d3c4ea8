"""The environment that tells a function where a store is and how to sign in: the same for all who connect."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cdk_redis_runtime import _environment as environment

if TYPE_CHECKING:
    from ._store import Store
    from ._users import User


def connection_environment(
    store: Store, user: User | None, read: Callable[[str, str], str] = lambda _, value: value
) -> dict[str, str]:
    """Everything that ``cdk_redis_runtime.connect`` needs to know; nothing secret is in it.

    Args:
        store: Where to connect.
        user: Whom to sign in as; None where the store has open access.
        read: Called with the name and the value of each attribute of the store, gives what stands for it in the
            reader's template. Default: - the value itself.
    """
    topology, reader = store.topology, store.reader_endpoint
    variables = {
        environment.SERVICE: store.service.name,
        environment.STORE: read("Name", store.store_name),
        environment.HOST: read("Host", store.endpoint.address),
        environment.PORT: read("Port", store.endpoint.port_text),
        environment.TLS: str(topology.tls).lower(),
        environment.CLUSTER_MODE: str(topology.cluster_mode).lower(),
    }
    if store.service.serverless:
        variables[environment.SERVERLESS] = "true"
    # In cluster mode the cluster itself says where its replicas are.
    if reader is not None and topology.replicas and not topology.cluster_mode:
        variables[environment.READER_HOST] = read("ReaderHost", reader.address)
        variables[environment.READER_PORT] = read("ReaderPort", reader.port_text)
    if user is None:
        return {**variables, environment.AUTHENTICATION: environment.AUTHENTICATION_NONE}
    variables[environment.USER] = user.user_name
    if user.secret is None:
        return {**variables, environment.AUTHENTICATION: environment.AUTHENTICATION_IAM}
    return {
        **variables,
        environment.AUTHENTICATION: environment.AUTHENTICATION_PASSWORD,
        environment.SECRET_ARN: read("SecretArn", user.secret.secret_arn),
    }
