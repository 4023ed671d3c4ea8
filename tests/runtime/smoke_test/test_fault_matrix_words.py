"""Rows of the fault matrix for messages with a finding, the likely cause and a remedy."""

from __future__ import annotations

import datetime as dt
import ssl

import pytest

from cdk_redis_runtime._client import environment as env
from tests.runtime.support import faults_of_connecting as make
from tests.runtime.support.battery import Battery
from tests.runtime.support.fault_lab import Lab
from tests.runtime.support.fault_rows import (
    EVERYTHING,
    SIGNED_OUT,
    UNTRUSTED,
    Fault,
    assert_found,
    because_of,
)

CLOCK = "this machine's clock says 20??-??-?? ??:?? UTC"
HELLO = (
    "redis-py begins each connection with HELLO, which needs Redis 6.0 or newer: the engine is older, or a proxy in "
    "between does not forward it; connect to the store directly"
)
MAXCLIENTS = (
    "has reached its limit of clients (maxclients): look for clients that do not close their connections (metric "
    "CurrConnections)"
)
NO_CREDENTIALS = (
    "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, sign in with aws sso login, or give the program's "
    "function, task or instance a role"
)
READONLY = (
    "the node is a replica and refuses writes (READONLY): a failover is not over, or the name leads to a former "
    "primary; connect by the primary or configuration endpoint, not by a node's name"
)
NEVER = "which ElastiCache and MemoryDB never do"


def _not_yet_valid(lab: Lab) -> dict[str, object]:
    tomorrow = dt.datetime.now(dt.timezone.utc) + dt.timedelta(days=1)
    certificate = lab.issue("localhost", not_before=tomorrow, not_after=tomorrow + dt.timedelta(days=1))
    return {"engines": lab.single, "port": lab.tls_proxy(certificate).port, "reader": None}


FAULTS = [
    Fault(
        "chain-without-its-intermediate",
        make.without_intermediate,
        {
            "tls": "{endpoint}: CERTIFICATE_VERIFY_FAILED (unable to get local issuer certificate): no trusted "
            "authority is known for the certificate: the server does not send the intermediate certificate of its "
            "chain, another server answers, or SSL_CERT_FILE names a file without its authority; openssl s_client "
            "-showcerts shows what it sends"
        },
        UNTRUSTED,
    ),
    Fault(
        "certificate-not-valid-yet",
        _not_yet_valid,
        {
            "tls": "{endpoint}: CERTIFICATE_VERIFY_FAILED (certificate is not yet valid): the certificate is not valid "
            f"yet: {CLOCK}; set the clock, or wait until the certificate begins"
        },
        UNTRUSTED,
    ),
    Fault(
        "client-certificate-required",
        make.client_certificate_required(ssl.TLSVersion.TLSv1_3),
        {
            "tls": "{endpoint}: requires a client certificate (TLSV13_ALERT_CERTIFICATE_REQUIRED), "
            f"{NEVER}: another server or a proxy answers; connect to the store directly, or set tls-auth-clients no on "
            "the server"
        },
        UNTRUSTED,
    ),
    Fault(
        "client-certificate-required-over-tls-1.2",
        make.client_certificate_required(ssl.TLSVersion.TLSv1_2),
        {
            "tls": "{endpoint}: refuses the TLS handshake (SSLV3_ALERT_HANDSHAKE_FAILURE): it has no cipher suite in "
            f"common with this machine, or requires a client certificate, {NEVER}; see the "
            "server's log"
        },
        UNTRUSTED,
    ),
    Fault(
        "too-many-clients",
        make.too_many_clients(tls=True),
        {
            "tls": "{endpoint}: closed the connection during the TLS handshake: the engine is restarting, or "
            + MAXCLIENTS
        },
        UNTRUSTED,
    ),
    Fault(
        "too-many-clients-without-tls",
        make.too_many_clients(tls=False),
        {"auth": "{endpoint}: refuses the connection: the engine " + MAXCLIENTS},
        {
            **because_of("auth", EVERYTHING - {"dns", "auth", "tls", "plaintext-refused"}),
            **dict.fromkeys(("tls", "plaintext-refused"), "the store is declared without TLS"),
            "replica-read": "the store is declared without replicas",
            "durability": "the store is declared without replicas: a write is lost with its node",
        },
    ),
    Fault(
        "hello-refused",
        make.hello_unknown,
        {"auth": "{endpoint}: HELLO was refused: " + HELLO},
        SIGNED_OUT,
    ),
    Fault(
        "hello-cut-off",
        make.hello_cut_off,
        {
            "auth": "{endpoint}: closed the connection at HELLO: the engine is restarting, or does not support it; "
            + HELLO
        },
        SIGNED_OUT,
    ),
    Fault(
        "without-tls-to-a-store-that-requires-it",
        lambda lab: {"engines": lab.single, "tls": False},
        {
            "auth": "{endpoint}: accepts only TLS, but was contacted without: declare encryption in transit, or remove "
            "--no-tls"
        },
        {
            **because_of("auth", EVERYTHING - {"dns", "auth", "tls", "plaintext-refused"}),
            **dict.fromkeys(("tls", "plaintext-refused"), "the store is declared without TLS"),
        },
    ),
    Fault(
        "another-server",
        make.another_server,
        {
            "tls": "{endpoint}: answers 'HTTP/1.1 400 Bad Request', which is not an engine's answer: another server "
            "listens there; check host and port"
        },
        UNTRUSTED,
    ),
    Fault(
        "endpoint-leads-to-a-replica",
        make.endpoint_leads_to_a_replica,
        {
            "topology": "{endpoint}: it is the primary endpoint, but INFO reports role replica: a failover is not "
            "over, or the name leads to a former primary; connect by the primary or configuration endpoint, not by "
            "a node's name",
            **dict.fromkeys(("write-read", "durability"), "shard of {endpoint}: " + READONLY),
            **dict.fromkeys(("data-types", "transaction"), READONLY),
            "replica-read": "without the reader endpoint the replicas cannot be read: give --reader, or declare "
            "the store without replicas",
        },
    ),
    Fault(
        "no-reader-endpoint",
        lambda lab: {"engines": lab.single, "reader": None},
        {
            "replica-read": "without the reader endpoint the replicas cannot be read: give --reader, or declare "
            "the store without replicas"
        },
    ),
    Fault(
        "no-aws-credentials-for-the-secret",
        make.no_aws_credentials(),
        {
            "auth": "{endpoint}: Secrets Manager could not be called for the password: AWS credentials or settings are "
            "missing (NoCredentialsError: Unable to locate credentials); " + NO_CREDENTIALS
        },
        SIGNED_OUT,
    ),
    Fault(
        "no-aws-credentials-for-a-token",
        make.no_aws_credentials(authentication=env.AUTHENTICATION_IAM),
        {"auth": "{endpoint}: no AWS credentials were found to sign an IAM token with; " + NO_CREDENTIALS},
        SIGNED_OUT,
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_message_has_cause_and_remedy(fault: Fault, lab: Lab, battery: Battery) -> None:
    assert_found(fault, lab, battery)
