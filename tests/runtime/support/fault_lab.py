"""Makes the faults of the matrix, and the settings with which the smoke test runs on them."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import socket
import ssl
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cdk_redis_local import OPEN_DEFAULT, AclUser, CertificateAuthority, EngineSet
from cdk_redis_local._engines.node import Node, wait_until
from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.iam_token import IamTokenProvider
from tests.runtime.support.battery import ACCESS, AWS_CREDENTIALS, smoke_user
from tests.runtime.support.fault_proxy import FaultProxy, handshakes_only


@dataclasses.dataclass
class Lab:
    """The engines and tools to make a fault with."""

    cluster: EngineSet
    single: EngineSet
    directory: Path
    undo: contextlib.ExitStack
    find: Callable[[str], Any]
    """Returns a fixture by its name."""

    @property
    def spares(self) -> dict[str, EngineSet]:
        """A cluster for each fault that cannot be undone."""
        return self.find("spares")

    def start(self, **options: Any) -> EngineSet:
        return self.find("start")(**options)

    def proxy(self, port: int | None = None, **options: Any) -> FaultProxy:
        return self.undo.enter_context(FaultProxy(port or self.single.primaries[0].port, **options))

    def tls_proxy(self, certificate: Any = None, context: ssl.SSLContext | None = None, **options: Any) -> FaultProxy:
        """A TLS proxy in front of a node of the store without cluster mode, with another certificate or context.

        Default: - the primary.
        """
        if context is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            (certificate or self.issue("localhost")).configure_cert(context)
        engine_context = ssl.create_default_context(cafile=self.single.ca_file)
        return self.proxy(server_context=context, engine_context=engine_context, **options)

    def issue(self, name: str, **options: Any) -> Any:
        return self.single.authority._authority.issue_cert(name, **options)


Run = dict[str, Any]
"""Keyword arguments of `Battery`: the engines, and what differs in connection and declaration.

``named`` replaces names in braces in the expected messages, in addition to those that every row can use.
"""


def server_down(lab: Lab) -> Run:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return {"engines": lab.single, "port": closed.getsockname()[1], "reader": None}


def node_down(lab: Lab) -> Run:
    engines = lab.spares["node-down"]
    primary, replica = engines.primaries[1], engines.replica_nodes[1]
    engines.stop_node(engines.nodes.index(replica))
    return {"engines": engines, "named": {"primary": at(primary), "replica": at(replica)}}


def at(node: Node) -> str:
    return f"localhost:{node.port}"


def shard_down(lab: Lab) -> Run:
    engines = lab.spares["shard-down"]
    primary, replica = [node for node in engines.nodes if node.shard == 1]
    for node in (primary, replica):
        engines.stop_node(engines.nodes.index(node))
    return {"engines": engines, "named": {"primary": at(primary), "replica": at(replica)}}


def slots_missing(**changes: Any) -> Callable[[Lab], Run]:
    def make(lab: Lab) -> Run:
        engines = lab.spares["slots-missing"]
        engines.delete_slots(1)
        return {"engines": engines, **changes}

    return make


def _replicate_from(lab: Lab, port: int) -> None:
    [replica] = lab.single.replica_nodes
    lab.undo.callback(_link_is_up, lab, replica)
    lab.undo.callback(replica.admin.execute_command, "REPLICAOF", "127.0.0.1", lab.single.primaries[0].port)
    replica.admin.execute_command("REPLICAOF", "127.0.0.1", port)


def _link_is_up(_lab: Lab, replica: Any) -> None:
    wait_until(lambda: replica.admin.info("replication")["master_link_status"] == "up", "a full sync")


def replica_not_syncing(lab: Lab) -> Run:
    _replicate_from(lab, 1)
    return {"engines": lab.single, "named": {"replica": at(lab.single.replica_nodes[0])}}


def replica_lagging(lab: Lab) -> Run:
    proxy = lab.proxy()
    _replicate_from(lab, proxy.port)
    _link_is_up(lab, lab.single.replica_nodes[0])
    [primary] = lab.single.primaries
    wait_until(lambda: primary.admin.info("replication")["slave0"]["state"] == "online", "a replica")
    proxy.down_delay = 30.0
    return {"engines": lab.single, "named": {"replica": at(lab.single.replica_nodes[0])}}


def wrong_authority(lab: Lab) -> Run:
    return {"engines": lab.cluster, "trust": str(CertificateAuthority(lab.directory / "other").ca_file)}


def expired_certificate(lab: Lab) -> Run:
    expired = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=1)
    return {"engines": lab.single, "port": lab.tls_proxy(lab.issue("localhost", not_after=expired)).port}


def other_name(lab: Lab) -> Run:
    return {"engines": lab.single, "port": lab.tls_proxy(lab.issue("orders.cache.example.com")).port}


def old_tls(lab: Lab) -> Run:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Below the security level that OpenSSL keeps by default.
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    lab.issue("localhost").configure_cert(context)
    return {"engines": lab.single, "port": lab.undo.enter_context(handshakes_only(context))}


def plaintext_server(lab: Lab) -> Run:
    return {"engines": lab.start(tls=False), "tls": True}


def plaintext_and_tls(lab: Lab) -> Run:
    [primary] = lab.single.primaries
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lab.undo.callback(primary.admin.config_set, "port", 0)
    primary.admin.config_set("port", port)
    return {"engines": lab.single, "port": lab.proxy(plaintext_port=port).port}


def no_authentication(lab: Lab) -> Run:
    lab.cluster.set_users([*lab.cluster.users, OPEN_DEFAULT])
    return {"engines": lab.cluster}


def any_password(lab: Lab) -> Run:
    lab.cluster.set_users([AclUser("smoke", ACCESS, no_password=True)])
    return {"engines": lab.cluster}


def with_access(access: str) -> Callable[[Lab], Run]:
    def make(lab: Lab) -> Run:
        lab.cluster.set_users([smoke_user(access)])
        return {"engines": lab.cluster}

    return make


def with_parameters(parameters: Mapping[str, str]) -> Callable[[Lab], Run]:
    def make(lab: Lab) -> Run:
        lab.undo.callback(lab.single.set_parameters, {"maxmemory": "0", "maxmemory-policy": "noeviction"})
        lab.single.set_parameters(parameters)
        return {"engines": lab.single}

    return make


def dripping(lab: Lab) -> Run:
    return {"engines": lab.single, "port": lab.tls_proxy(drip=1.0).port}


def slow(lab: Lab) -> Run:
    return {"engines": lab.single, "port": lab.proxy(up_delay=0.2).port}


def behind(server: Callable[[], contextlib.AbstractContextManager[int]], **changes: Any) -> Callable[[Lab], Run]:
    def make(lab: Lab) -> Run:
        return {"engines": lab.single, "port": lab.undo.enter_context(server()), "reader": None, **changes}

    return make


def with_token(store: str, age: dt.timedelta = dt.timedelta(0)) -> Callable[[Lab], Run]:
    def make(lab: Lab) -> Run:
        signed = dt.datetime.now(dt.timezone.utc) - age
        lab.find("monkeypatch").setattr("botocore.auth.get_current_datetime", lambda *_args, **_options: signed)
        service, region, user = env.MEMORYDB, "eu-west-1", "smoke"
        credentials = IamTokenProvider(
            service=service, store=store, user=user, region=region, credentials=AWS_CREDENTIALS
        )
        how = {"service": service, "store": store, "authentication": env.AUTHENTICATION_IAM}
        return {"engines": lab.find("iam_store"), "credentials": credentials, **how}

    return make


def declared(**changes: Any) -> Callable[[Lab], Run]:
    return lambda lab: {"engines": lab.cluster, **changes}
