"""The drill against a primary that dies, beside an observer that asks the engines themselves."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from redis.crc import key_slot
from redis.credentials import UsernamePasswordCredentialProvider
from redis.exceptions import RedisError

from cdk_redis_local import AclUser, EngineSet, Node
from cdk_redis_runtime import Connection
from cdk_redis_runtime import _environment as env
from cdk_redis_runtime._drill import Attempt, Drill, outage_of
from cdk_redis_runtime.drill_lambda import handler

PASSWORD = "correct-horse-battery-staple"
PREFIX = "cdk-redis-drill:"
NODE_TIMEOUT = 3.0
_CROWD: list[socket.socket] = []
ACCESS = f"on ~{PREFIX}* resetchannels -@all +cluster|slots +command +info +readonly +get +set +del"


def _answered(*ends: float) -> list[Attempt]:
    return [Attempt(end - 0.01, end) for end in ends]


@pytest.mark.parametrize(
    ("attempts", "failed", "longest", "recovered"),
    [
        (_answered(0.1, 0.4, 0.8), 0.0, 0.4, True),
        # An error in between makes the whole stretch from answer to answer a failure.
        ([*_answered(0.1), Attempt(0.2, 0.25, "TimeoutError"), *_answered(0.4, 0.8)], 0.3, 0.4, True),
        # A single slow answer is one as well.
        ([*_answered(0.1), Attempt(0.2, 0.8), *_answered(0.9)], 0.7, 0.7, True),
        # It never came back.
        ([*_answered(0.1), Attempt(0.2, 0.95, "TimeoutError")], 0.9, 0.9, False),
        ([Attempt(0.0, 0.5, "ConnectionError")], 1.0, 1.0, False),
    ],
)
def test_outage_is_the_time_between_answers(
    attempts: list[Attempt], failed: float, longest: float, recovered: bool
) -> None:
    outage = outage_of(attempts, 0.0, 1.0)
    assert outage.failed_seconds == pytest.approx(failed)
    assert outage.longest_gap_seconds == pytest.approx(longest)
    assert outage.as_dict()["recovered"] is recovered


def _key_of_shard(shard: int, shards: int = 3) -> str:
    """A key of a slot that the shard serves; slots are shared out evenly, in order."""
    return next(f"observer:{n}" for n in range(1000) if key_slot(f"observer:{n}".encode()) * shards // 16384 == shard)


class Observer:
    """Asks the engines of a shard directly, each for itself, when the next one takes writes."""

    def __init__(self, standby: Node) -> None:
        self._standby = standby
        self._key = _key_of_shard(standby.shard)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.answered = 0.0

    def start(self) -> None:
        self._thread.start()

    def wait(self) -> float:
        self._thread.join(40)
        assert self.answered, "no replica took over"
        return self.answered

    def _watch(self) -> None:
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline and not self.answered:
            # A replica refuses the write, a primary takes it: by its first answer it has taken over.
            with contextlib.suppress(RedisError):
                self._standby.admin.set(self._key, "1", ex=60)
                self.answered = time.monotonic()
            time.sleep(0.02)


@pytest.fixture
def engines() -> Iterator[EngineSet]:
    user = AclUser("drill", ACCESS, passwords=(PASSWORD,))
    # Three primaries, because the others elect the new one.
    with EngineSet(shards=3, replicas=1, cluster_mode=True, users=[user], node_timeout=NODE_TIMEOUT) as engines:
        yield engines


@pytest.fixture
def drill(engines: EngineSet, monkeypatch: pytest.MonkeyPatch) -> Drill:
    monkeypatch.setenv("SSL_CERT_FILE", engines.ca_file)
    # Not the node that is about to die: what is measured is the failover, not the first dialling.
    host, port = engines.primaries[1].host, engines.primaries[1].port
    connection = Connection("elasticache", "orders", host, port, authentication="password", user="drill")
    credentials = UsernamePasswordCredentialProvider("drill", PASSWORD)
    return Drill(connection, key_prefix=PREFIX, seconds=60, credentials=credentials)


def _kill(node: Node) -> None:
    node.stop()


def _freeze(node: Node) -> None:
    node.freeze()


def _lose(node: Node) -> None:
    """What the loss of the network looks like: open connections fall silent, and a SYN is answered by nothing.

    A kernel drops the SYNs that a full queue of a listener has no place for, so this needs no firewall.
    """
    node.freeze()
    # Engines ask for a queue of 511.
    for _ in range(600):
        newcomer = socket.socket()
        newcomer.setblocking(False)
        newcomer.connect_ex(("127.0.0.1", node.engine_port))
        _CROWD.append(newcomer)
    with socket.socket() as late:
        late.settimeout(0.3)
        with pytest.raises(TimeoutError):
            late.connect(("127.0.0.1", node.engine_port))


@pytest.fixture(autouse=True)
def _crowd_goes_home() -> Iterator[None]:
    yield
    for newcomer in _CROWD:
        newcomer.close()
    _CROWD.clear()


@pytest.mark.parametrize("fault", [_kill, _freeze, _lose])
def test_reported_outage_is_the_one_that_an_observer_sees(
    fault: Callable[[Node], None], engines: EngineSet, drill: Drill
) -> None:
    victim = engines.primaries[0]
    standby = next(node for node in engines.replica_nodes if node.shard == victim.shard)
    observer = Observer(standby)
    drill.start()
    time.sleep(1.5)
    broken = time.monotonic()
    fault(victim)
    observer.start()
    answered = observer.wait()
    time.sleep(2)
    report = drill.stop()

    observed = answered - broken
    (hurt,) = [shard for shard in report.shards if shard.writes.failed_seconds > NODE_TIMEOUT / 2]
    assert observed > NODE_TIMEOUT / 2
    for outage in (hurt.writes, hurt.reads):
        assert outage.longest_gap_ended is not None
        # Back within a second of the moment the new primary answers.
        assert outage.longest_gap_ended - answered < 1.0
        assert outage.longest_gap_seconds == pytest.approx(observed, rel=0.2)
        assert outage.errors
    assert hurt.other_primary is True
    assert [shard.other_primary for shard in report.shards].count(True) == 1
    # Replication is asynchronous: what the engine lost is reported as lost, and nothing that it kept.
    kept = {int(key.rpartition(":")[2]) for key in standby.admin.keys(f"{PREFIX}*")}
    assert hurt.lost is not None
    assert set(hurt.lost) == set(hurt.acknowledged) - kept
    assert report.as_dict()["failover_seen"] is True
    drill.clean_up()
    assert standby.admin.keys(f"{PREFIX}*") == []


def test_acknowledged_writes_that_are_gone_are_counted(engines: EngineSet, drill: Drill) -> None:
    drill.start()
    time.sleep(1)
    gone = sum(int(node.admin.delete(*node.admin.keys(f"{PREFIX}*")[:3])) for node in engines.primaries)
    report = drill.stop()
    assert gone == 9
    assert report.as_dict()["acknowledged_writes_lost"] == gone
    assert report.as_dict()["failover_seen"] is False
    drill.clean_up()
    assert [node.admin.keys(f"{PREFIX}*") for node in engines.primaries] == [[], [], []]


def test_function_drills_within_its_time_and_leaves_nothing_behind(
    engines: EngineSet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = f'{{"username": "drill", "password": "{PASSWORD}"}}'
    client = SimpleNamespace(get_secret_value=lambda **_arguments: {"SecretString": secret})
    monkeypatch.setattr("boto3.client", lambda *_arguments, **_options: client)
    host, port = engines.endpoint
    variables = {
        env.SERVICE: "elasticache",
        env.STORE: "orders",
        env.HOST: host,
        env.PORT: str(port),
        env.TLS: "true",
        env.CLUSTER_MODE: "true",
        env.AUTHENTICATION: "password",
        env.USER: "drill",
        env.SECRET_ARN: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:drill",
        env.DRILL_SECONDS: "300",
        "AWS_REGION": "eu-west-1",
        "SSL_CERT_FILE": engines.ca_file,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    started = time.monotonic()
    report = handler({}, SimpleNamespace(get_remaining_time_in_millis=lambda: 61_000))
    assert time.monotonic() - started < 5
    assert report["acknowledged_writes"] > 3
    assert report["acknowledged_writes_lost"] == 0
    assert report["errors"] == {}
    line = capsys.readouterr().out
    assert line.startswith('{"cdk_redis_failover_drill":')
    assert PASSWORD not in line
    assert [node.admin.keys("*") for node in engines.primaries] == [[], [], []]
