"""Faults before a client can send a command."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Mapping
from typing import Any

import trustme

from cdk_redis_local import EngineSet
from cdk_redis_runtime._client.connect import credential_provider
from tests.runtime.support.battery import connection_to
from tests.runtime.support.fault_lab import Lab, Run
from tests.runtime.support.fault_proxy import handshakes_only


def without_intermediate(lab: Lab) -> Run:
    """A server with a certificate of a trusted authority, which does not send the intermediate certificate."""
    root = trustme.CA()
    leaf = root.create_child_ca().issue_cert("localhost")
    chain, key, trust = (lab.directory / name for name in ("chain.pem", "key.pem", "root.pem"))
    leaf.cert_chain_pems[0].write_to_path(str(chain))
    leaf.private_key_pem.write_to_path(str(key))
    root.cert_pem.write_to_path(str(trust))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    return {"engines": lab.single, "port": lab.tls_proxy(context=context).port, "reader": None, "trust": str(trust)}


def client_certificate_required(version: ssl.TLSVersion) -> Callable[[Lab], Run]:
    def make(lab: Lab) -> Run:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = version
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(lab.single.ca_file)
        lab.issue("localhost").configure_cert(context)
        port = lab.undo.enter_context(handshakes_only(context))
        return {"engines": lab.single, "port": port, "reader": None}

    return make


def too_many_clients(tls: bool) -> Callable[[Lab], Run]:
    def make(lab: Lab) -> Run:
        engines = lab.single if tls else lab.start(tls=False, users=lab.single.users)
        [primary] = engines.primaries
        if tls:
            # Connected clients stay connected, so that the administrator can undo it.
            lab.undo.callback(primary.admin.config_set, "maxclients", 10_000)
        primary.admin.config_set("maxclients", 1)
        return {"engines": engines, "reader": None}

    return make


def hello_unknown(lab: Lab) -> Run:
    """An old engine, which quotes the arguments of unknown commands, including the password."""

    def alter(request: bytes, answer: bytes) -> bytes:
        if b"HELLO" not in request:
            return answer
        arguments = " ".join(f"'{word}'" for word in re.findall(r"\$\d+\r\n(.*)\r\n", request.decode())[1:])
        return f"-ERR unknown command 'HELLO', with args beginning with: {arguments} \r\n".encode()

    return {"engines": lab.single, "port": lab.tls_proxy(alter=alter).port, "reader": None}


def hello_cut_off(lab: Lab) -> Run:
    proxy = lab.tls_proxy(alter=lambda request, answer: None if b"HELLO" in request else answer)
    return {"engines": lab.single, "port": proxy.port, "reader": None}


def endpoint_leads_to_a_replica(lab: Lab) -> Run:
    return {"engines": lab.single, "port": lab.single.replica_nodes[0].port, "reader": None}


def another_server(lab: Lab) -> Run:
    """An HTTPS server with a valid certificate."""
    page = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    return {"engines": lab.single, "port": lab.tls_proxy(alter=lambda *_: page).port, "reader": None}


def no_aws_credentials(**changes: Any) -> Callable[[Lab], Run]:
    """A machine without AWS credentials."""

    def make(lab: Lab) -> Run:
        _sign_out_of_aws(lab)
        return {"engines": lab.cluster, "credentials": credential_provider(_changed(lab.cluster, changes)), **changes}

    return make


def _changed(engines: EngineSet, changes: Mapping[str, Any]) -> Any:
    import dataclasses

    return dataclasses.replace(connection_to(engines), **changes)


def _sign_out_of_aws(lab: Lab) -> None:
    environment = lab.find("monkeypatch")
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        environment.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        environment.setenv(name, str(lab.directory / "nobody"))
    environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
