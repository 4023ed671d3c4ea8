"""Rows of the fault matrix whose words have to lead to the cure: what was seen, why most likely, what to do."""

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
    "redis-py begins each connection with HELLO, which engines since Redis 6.0 know: the engine is older, or a proxy "
    "between does not pass it on; connect to the store itself"
)
MAXCLIENTS = (
    "has as many clients as it may (maxclients): look for clients that open connections and keep them (metric "
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
NOT_ITS_CERTIFICATE = "which ElastiCache and MemoryDB never do"


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
            "chain, another server answers, or SSL_CERT_FILE names a file without its authority; what it sends is "
            "shown by openssl s_client -showcerts"
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
        "client-certificate-demanded",
        make.client_certificate_demanded(ssl.TLSVersion.TLSv1_3),
        {
            "tls": "{endpoint}: demands a certificate of the client (TLSV13_ALERT_CERTIFICATE_REQUIRED), "
            f"{NOT_ITS_CERTIFICATE}: another server answers, or a proxy; connect to the store itself, or let the "
            "server do without (tls-auth-clients no)"
        },
        UNTRUSTED,
    ),
    Fault(
        "client-certificate-demanded-over-tls-1.2",
        make.client_certificate_demanded(ssl.TLSVersion.TLSv1_2),
        {
            "tls": "{endpoint}: refuses the TLS handshake (SSLV3_ALERT_HANDSHAKE_FAILURE): it has no cipher suite in "
            f"common with this machine, or demands a certificate of the client, {NOT_ITS_CERTIFICATE}; see the "
            "server's log"
        },
        UNTRUSTED,
    ),
    Fault(
        "too-many-clients",
        make.too_many_clients(tls=True),
        {"tls": "{endpoint}: hung up during the TLS handshake: the engine is restarting, or " + MAXCLIENTS},
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
            "durability": "the store is declared without replicas: a write is as durable as its node",
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
        {"auth": "{endpoint}: hung up at HELLO: the engine is restarting, or does not take it; " + HELLO},
        SIGNED_OUT,
    ),
    Fault(
        "without-tls-to-a-store-that-speaks-it",
        lambda lab: {"engines": lab.single, "tls": False},
        {
            "auth": "{endpoint}: speaks TLS only, and was spoken to without: declare encryption in transit, or leave "
            "--no-tls out"
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
            "tls": "{endpoint}: answers 'HTTP/1.1 400 Bad Request', as no engine does: another server listens there; "
            "look at host and port"
        },
        UNTRUSTED,
    ),
    Fault(
        "endpoint-leads-to-a-replica",
        make.endpoint_leads_to_a_replica,
        {
            "topology": "{endpoint}: is announced as a primary, and says that it is none: a failover is not over, or "
            "the name leads to a former primary; connect by the primary or configuration endpoint, not by a node's "
            "name",
            **dict.fromkeys(("write-read", "durability"), "shard of {endpoint}: " + READONLY),
            **dict.fromkeys(("data-types", "transaction"), READONLY),
            "replica-read": "no reader endpoint is given, by which the replicas are read: give --reader, or "
            "declare the store without replicas",
        },
    ),
    Fault(
        "no-reader-endpoint",
        lambda lab: {"engines": lab.single, "reader": None},
        {
            "replica-read": "no reader endpoint is given, by which the replicas are read: give --reader, or "
            "declare the store without replicas"
        },
    ),
    Fault(
        "no-aws-credentials-for-the-secret",
        make.no_aws_credentials(),
        {
            "auth": "{endpoint}: Secrets Manager was not asked for the password, for want of AWS credentials or "
            "settings (NoCredentialsError: Unable to locate credentials); " + NO_CREDENTIALS
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
def test_words_lead_to_the_cure(fault: Fault, lab: Lab, battery: Battery) -> None:
    assert_found(fault, lab, battery)
