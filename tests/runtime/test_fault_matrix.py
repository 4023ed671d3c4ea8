"""One row a fault: what fails and in which words, what is skipped; all else passes, in time and without a trace."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
import re
import socket
import ssl
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials
from redis.credentials import CredentialProvider

from cdk_redis_local import OPEN_DEFAULT, AclUser, CertificateAuthority, EngineSet, Workspace, find_engine
from cdk_redis_local._node import wait_until
from cdk_redis_local._stores import StoreKey, Stores, StoreShape
from cdk_redis_local._token_check import TokenTarget, check_token
from cdk_redis_runtime import Connection, Declaration, Report, SmokeTestFailed, smoke_test
from cdk_redis_runtime import _environment as env
from cdk_redis_runtime._battery import checks_of
from cdk_redis_runtime._iam_token import IamTokenProvider
from tests.runtime.fault_proxy import FaultProxy, black_hole, handshakes_only, silent_server

BUDGET = 4.0
PREFIX = "cdk-redis-smoke:"
PASSWORD = "correct-horse-battery-staple"
COMMANDS = " ".join(f"+{command}" for command in env.SMOKE_TEST_COMMANDS)
EVERYTHING = frozenset(check.name for check in checks_of(env.ELASTICACHE))
# What needs no sign-in is judged all the same.
BEFORE_SIGN_IN = frozenset({"dns", "tls", "plaintext-refused", "anonymous-refused", "wrong-password-refused"})
AFTER_SIGN_IN = EVERYTHING - BEFORE_SIGN_IN - {"auth"}
WRITES = frozenset({"write-read", "replica-read", "durability", "data-types", "transaction"})


@dataclasses.dataclass
class Lab:
    """What a fault is made with."""

    cluster: EngineSet
    single: EngineSet
    directory: Path
    undo: contextlib.ExitStack

    def fresh_cluster(self) -> EngineSet:
        """Six nodes of one fault's own; nobody is taken for failed while it is looked at."""
        user = AclUser("smoke", f"on ~{PREFIX}* resetchannels &{PREFIX}* -@all {COMMANDS}", passwords=(PASSWORD,))
        engines = EngineSet(shards=3, replicas=1, cluster_mode=True, users=[user], node_timeout=60)
        return self.undo.enter_context(engines)

    def proxy(self, port: int | None = None, **options: Any) -> FaultProxy:
        return self.undo.enter_context(FaultProxy(port or self.single.primaries[0].port, **options))

    def tls_proxy(self, certificate: Any = None, **options: Any) -> FaultProxy:
        """Ends TLS before the primary of the store without cluster mode, with a certificate of its own."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (certificate or self.issue("localhost")).configure_cert(context)
        engine_context = ssl.create_default_context(cafile=self.single.ca_file)
        return self.proxy(server_context=context, engine_context=engine_context, **options)

    def issue(self, name: str, **options: Any) -> Any:
        return self.single.authority._authority.issue_cert(name, **options)


Run = dict[str, Any]
"""Keyword arguments of the battery: the engines, and what differs in connection and declaration."""


@dataclasses.dataclass(frozen=True)
class Fault:
    """A fault, and what the battery is to say of it; whatever is not named passes."""

    name: str
    make: Callable[[Lab], Run]
    failed: Mapping[str, str]
    skipped: frozenset[str] = frozenset()
    budget: float = BUDGET


def _server_down(lab: Lab) -> Run:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return {"engines": lab.single, "port": closed.getsockname()[1], "reader": None}


def _node_down(lab: Lab) -> Run:
    engines = lab.fresh_cluster()
    engines.stop_node(engines.nodes.index(engines.replica_nodes[1]))
    return {"engines": engines}


def _shard_down(lab: Lab) -> Run:
    engines = lab.fresh_cluster()
    for node in [node for node in engines.nodes if node.shard == 1]:
        engines.stop_node(engines.nodes.index(node))
    return {"engines": engines}


def _slots_missing(lab: Lab) -> Run:
    engines = lab.fresh_cluster()
    engines.delete_slots(1)
    return {"engines": engines}


def _replicate_from(lab: Lab, port: int) -> None:
    [replica] = lab.single.replica_nodes
    lab.undo.callback(_link_is_up, lab, replica)
    lab.undo.callback(replica.admin.execute_command, "REPLICAOF", "127.0.0.1", lab.single.primaries[0].port)
    replica.admin.execute_command("REPLICAOF", "127.0.0.1", port)


def _link_is_up(_lab: Lab, replica: Any) -> None:
    wait_until(lambda: replica.admin.info("replication")["master_link_status"] == "up", "a full sync")


def _replica_not_syncing(lab: Lab) -> Run:
    _replicate_from(lab, 1)
    return {"engines": lab.single}


def _replica_lagging(lab: Lab) -> Run:
    proxy = lab.proxy()
    _replicate_from(lab, proxy.port)
    _link_is_up(lab, lab.single.replica_nodes[0])
    [primary] = lab.single.primaries
    wait_until(lambda: primary.admin.info("replication")["slave0"]["state"] == "online", "a replica")
    proxy.down_delay = 30.0
    return {"engines": lab.single}


def _wrong_authority(lab: Lab) -> Run:
    return {"engines": lab.cluster, "trust": str(CertificateAuthority(lab.directory / "other").ca_file)}


def _expired_certificate(lab: Lab) -> Run:
    expired = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=1)
    return {"engines": lab.single, "port": lab.tls_proxy(lab.issue("localhost", not_after=expired)).port}


def _other_name(lab: Lab) -> Run:
    return {"engines": lab.single, "port": lab.tls_proxy(lab.issue("orders.cache.example.com")).port}


def _old_tls(lab: Lab) -> Run:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Below the security level that OpenSSL keeps by default.
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    lab.issue("localhost").configure_cert(context)
    return {"engines": lab.single, "port": lab.undo.enter_context(handshakes_only(context))}


def _plaintext_server(lab: Lab) -> Run:
    return {"engines": lab.undo.enter_context(EngineSet(tls=False)), "tls": True}


def _plaintext_beside_tls(lab: Lab) -> Run:
    [primary] = lab.single.primaries
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lab.undo.callback(primary.admin.config_set, "port", 0)
    primary.admin.config_set("port", port)
    return {"engines": lab.single, "port": lab.proxy(plaintext_port=port).port}


def _no_authentication(lab: Lab) -> Run:
    lab.cluster.set_users([*lab.cluster.users, OPEN_DEFAULT])
    return {"engines": lab.cluster}


def _any_password(lab: Lab) -> Run:
    access = f"on ~{PREFIX}* resetchannels &{PREFIX}* -@all {COMMANDS}"
    lab.cluster.set_users([AclUser("smoke", access, no_password=True)])
    return {"engines": lab.cluster}


def _with_access(access: str) -> Callable[[Lab], Run]:
    def make(lab: Lab) -> Run:
        lab.cluster.set_users([AclUser("smoke", access, passwords=(PASSWORD,))])
        return {"engines": lab.cluster}

    return make


def _with_parameters(parameters: Mapping[str, str]) -> Callable[[Lab], Run]:
    def make(lab: Lab) -> Run:
        lab.undo.callback(lab.single.set_parameters, {"maxmemory": "0", "maxmemory-policy": "noeviction"})
        lab.single.set_parameters(parameters)
        return {"engines": lab.single}

    return make


def _dripping(lab: Lab) -> Run:
    return {"engines": lab.single, "port": lab.tls_proxy(drip=1.0).port}


def _slow(lab: Lab) -> Run:
    return {"engines": lab.single, "port": lab.proxy(up_delay=0.2).port}


def _behind(server: Callable[[], contextlib.AbstractContextManager[int]]) -> Callable[[Lab], Run]:
    def make(lab: Lab) -> Run:
        return {"engines": lab.single, "port": lab.undo.enter_context(server()), "reader": None}

    return make


def _declared(**changes: Any) -> Callable[[Lab], Run]:
    return lambda lab: {"engines": lab.cluster, **changes}


UNREACHED = EVERYTHING - {"dns", "tls"}
UNTRUSTED = EVERYTHING - {"dns", "tls", "plaintext-refused"}
NOPERM = r"NOPERM: the user may not do this"

FAULTS = [
    Fault("server-down", _server_down, {"tls": "connection refused: no engine listens there; it is down"}, UNREACHED),
    Fault(
        "one-node-of-six-down",
        _node_down,
        {
            "tls": r"localhost:\d+: connection refused",
            "topology": r"localhost:\d+: connection refused",
            "replica-read": r"localhost:\d+: connection refused",
            "durability": "no replica acknowledged a write",
        },
    ),
    Fault(
        "shard-down",
        _shard_down,
        {
            "tls": r"localhost:\d+, localhost:\d+: connection refused",
            "topology": r"localhost:\d+, localhost:\d+: connection refused",
            "write-read": r"shard of localhost:\d+: connection refused",
            "replica-read": r"shard of localhost:\d+: connection refused",
            "durability": r"shard of localhost:\d+: connection refused",
        },
    ),
    Fault("slots-missing", _slots_missing, {"topology": r"5,46\d of 16,384 slots are served by no shard"}),
    Fault(
        "replica-not-syncing",
        _replica_not_syncing,
        {
            "topology": "its link to the primary is down: it serves old data",
            "replica-read": "did not arrive within .* the replica lags, or its link to the primary is down",
            "durability": "no replica acknowledged a write",
        },
    ),
    Fault(
        "replica-lagging",
        _replica_lagging,
        {"replica-read": "the replica lags", "durability": "the replicas lag"},
    ),
    Fault("wrong-authority", _wrong_authority, {"tls": "an authority that this machine does not trust"}, UNTRUSTED),
    Fault(
        "expired-certificate",
        _expired_certificate,
        {"tls": r"CERTIFICATE_VERIFY_FAILED \(certificate has expired\)"},
        UNTRUSTED,
    ),
    Fault("other-host-name", _other_name, {"tls": "the certificate is for another host name"}, UNTRUSTED),
    Fault("tls-1.1-only", _old_tls, {"tls": "offers nothing newer than TLS 1.1"}, UNTRUSTED),
    Fault(
        "plaintext-server",
        _plaintext_server,
        {"tls": "encryption in transit is off", "plaintext-refused": "answers commands without TLS"},
        EVERYTHING - {"dns", "tls", "plaintext-refused"},
    ),
    Fault(
        "plaintext-beside-tls",
        _plaintext_beside_tls,
        {"plaintext-refused": "a plaintext port is open beside it"},
    ),
    Fault(
        "no-authentication",
        _no_authentication,
        {"anonymous-refused": "answers PING, GET to a client that did not sign in: the user default is on"},
    ),
    Fault(
        "any-password",
        _any_password,
        {"wrong-password-refused": r"lets user 'smoke' in with a password that was made up: .*\(nopass\)"},
    ),
    Fault(
        "wrong-password",
        lambda lab: {"engines": lab.cluster, "password": "not-the-password-of-the-user"},
        {"auth": "WRONGPASS: .*check that the secret holds the password that user 'smoke' has now"},
        AFTER_SIGN_IN,
    ),
    Fault(
        "access-without-the-prefix",
        _with_access(f"on ~other:* resetchannels &{PREFIX}* -@all {COMMANDS}"),
        dict.fromkeys((*WRITES, "latency"), NOPERM),
    ),
    Fault(
        "access-to-everything",
        _with_access("on ~* &* +@all"),
        {"acl-enforced": "is allowed the administrative command CLIENT LIST, .* to write a key outside its prefix"},
    ),
    Fault("fewer-shards", _declared(shards=4), {"topology": "3 shards with slots, declared are 4"}),
    Fault("fewer-replicas", _declared(replicas=2), {"topology": "1 replica in service, declared are 2"}),
    Fault("other-version", _declared(engine_version="6.2"), {"topology": r"runs \w+ [\d.]+, declared is \w+ 6\.2"}),
    Fault(
        "other-policy",
        _with_parameters({"maxmemory-policy": "allkeys-lru"}),
        {"parameters": "runs with maxmemory-policy allkeys-lru, declared is noeviction"},
    ),
    Fault(
        "full-memory",
        _with_parameters({"maxmemory": "1mb", "maxmemory-policy": "noeviction"}),
        {
            **dict.fromkeys(WRITES, r"the memory is full and the policy evicts nothing \(OOM\)"),
            "memory-headroom": "the policy is noeviction: writes will be refused",
        },
    ),
    Fault("never-answers", _behind(silent_server), {"tls": "accepted the connection and did not answer"}, UNREACHED),
    Fault("a-byte-a-second", _dripping, {"auth": "answers very slowly|did not answer in time"}, AFTER_SIGN_IN),
    Fault(
        "slow-server",
        _slow,
        {"latency": r"the median round trip takes 2\d\d(\.\d+)? ms, allowed are 100 ms"},
        budget=10.0,
    ),
    Fault(
        "name-does-not-resolve",
        lambda lab: {"engines": lab.single, "host": "orders.invalid", "reader": None},
        {"dns": "orders.invalid: the host name does not resolve"},
        EVERYTHING - {"dns"},
    ),
    Fault("black-hole", _behind(black_hole), {"tls": "timed out: most likely no security-group rule"}, UNREACHED),
]


@pytest.fixture
def lab(cluster: EngineSet, single: EngineSet, tmp_path: Path) -> Iterator[Lab]:
    # Others test users who may not delete: their keys are left to the time to live.
    for engines in (cluster, single):
        for node in engines.primaries:
            node.admin.flushall()
    with contextlib.ExitStack() as undo:
        yield Lab(cluster, single, tmp_path, undo)


def _keys_left(engines: EngineSet) -> list[str]:
    running = [node for node in engines.primaries if node.running]
    return [key for node in running for key in node.admin.scan_iter(f"{PREFIX}*")]


def _assert_verdicts(report: Report, failed: Mapping[str, str], skipped: frozenset[str]) -> None:
    statuses = {check.name: check.outcome.status for check in report.checks}
    reasons = {check.name: check.outcome.reason for check in report.checks}
    expected = {name: "failed" if name in failed else "skipped" if name in skipped else "passed" for name in statuses}
    differing = {name: f"{statuses[name]}: {reasons[name]}" for name in statuses if statuses[name] != expected[name]}
    assert not differing
    for name, words in failed.items():
        assert re.search(words, reasons[name]), f"{name}: {reasons[name]}"


def _assert_no_secret(report: Report, log: str, secrets: set[str]) -> None:
    texts = (json.dumps(report.as_dict()), str(SmokeTestFailed(report)), repr(report), log)
    assert not [secret for secret in secrets for text in texts if secret in text]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_found_and_explained(
    fault: Fault, lab: Lab, battery: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    run = fault.make(lab)
    engines = run.pop("engines")
    verdicts = battery(engines, budget=fault.budget, **run)
    written = capfd.readouterr()
    _assert_verdicts(verdicts.report, fault.failed, fault.skipped)
    assert verdicts.seconds < fault.budget
    secrets = {PASSWORD, run.get("password", PASSWORD)}
    _assert_no_secret(verdicts.report, caplog.text + written.out + written.err, secrets)
    left = _keys_left(engines)
    lab.undo.close()
    assert left == []
    assert _keys_left(lab.single) == _keys_left(lab.cluster) == []


KEY_ID, SECRET_KEY, SESSION_TOKEN = "AKIAEXAMPLE", "an-example-of-a-secret-key", "an/example+of=a-session-token"


class _Recording(CredentialProvider):
    def __init__(self, provider: CredentialProvider) -> None:
        self._provider = provider
        self.tokens: set[str] = set()

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        credentials = self._provider.get_credentials()
        self.tokens.add(credentials[-1])
        return credentials


@pytest.fixture(scope="module")
def iam_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    """Port and trusted file of a cluster behind gates that check tokens."""

    def authorize(token: str, user: str, target: TokenTarget) -> object:
        return check_token(
            token,
            user=user,
            target=target,
            find_credentials=lambda _key, _token: Credentials(KEY_ID, SECRET_KEY, SESSION_TOKEN),
            now=dt.datetime.now(dt.timezone.utc),
        )

    key = StoreKey("elasticache", ("111122223333", "eu-west-1"), "orders")
    authority = CertificateAuthority(tmp_path_factory.mktemp("authority"))
    workspace = Workspace()
    stores = Stores(workspace, authority, authorize=authorize, say=lambda _text: None)
    access = f"on ~{PREFIX}* resetchannels &{PREFIX}* -@all {COMMANDS}"
    try:
        store = stores.create(key, StoreShape(find_engine(), True, 1, 1), [AclUser("smoke", access, iam=True)])
        yield store.endpoint, str(authority.ca_file)
    finally:
        stores.delete(key)
        workspace.close()


@pytest.mark.parametrize(
    ("store", "age", "words"),
    [
        ("orders", dt.timedelta(minutes=20), "this machine's clock is right: a token is good for 15 minutes"),
        ("invoices", dt.timedelta(0), "the token's store 'invoices' and Region 'eu-west-1' are the store's own"),
    ],
    ids=["expired-token", "token-for-another-store"],
)
def test_token_that_is_refused_is_explained(
    store: str,
    age: dt.timedelta,
    words: str,
    iam_store: tuple[int, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    port, ca_file = iam_store
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    signed = dt.datetime.now(dt.timezone.utc) - age
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_args, **_options: signed)
    connection = Connection("elasticache", store, "localhost", port, user="smoke", region="eu-west-1")
    provider = _Recording(
        IamTokenProvider(
            service="elasticache",
            store=store,
            user="smoke",
            region="eu-west-1",
            credentials=Credentials(KEY_ID, SECRET_KEY, SESSION_TOKEN),
        )
    )
    engine = find_engine()
    declared = Declaration(engine.name, engine.major_minor, 1, 1, budget=BUDGET, maxmemory_policy="noeviction")
    report = smoke_test(connection, declared, credentials=provider)
    _assert_verdicts(report, {"auth": words}, AFTER_SIGN_IN)
    assert report.duration_ms < BUDGET * 1000
    assert provider.tokens
    signatures = {re.findall(r"X-Amz-Signature=(\w+)", token)[0] for token in provider.tokens}
    _assert_no_secret(report, caplog.text, {*provider.tokens, *signatures, KEY_ID, SECRET_KEY, SESSION_TOKEN})
