"""Scaling out and in loses no slot, key or acknowledged write, and the next scaling repairs a failed one."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from benchmarks import scaling
from cdk_redis_local import AclUser, EngineError, EngineProgram, EngineSet, find_engine, find_engines
from cdk_redis_local._engines import resharding, slots
from cdk_redis_local._engines.cluster import open_slots, owned_slots, slots_by_owner
from cdk_redis_local._engines.resharding import plan_moves

pytestmark = pytest.mark.long

APP = AclUser("app", "on ~* +@all", passwords=("a-password",))
SLOTS = 16384
KEYS = {f"key:{number}": f"value {number}" for number in range(500)}

each_engine = pytest.mark.parametrize("program", find_engines(), ids=lambda program: program.name)


def cluster(program: EngineProgram, **shape: int) -> EngineSet:
    return EngineSet(cluster_mode=True, users=[APP], program=program, tls=program.tls, **shape)


def fill(engines: EngineSet) -> None:
    for node in engines.primaries:
        own = set(owned_slots(node))
        pipeline = node.admin.pipeline(transaction=False)
        for key, value in KEYS.items():
            if redis.crc.key_slot(key.encode()) in own:
                pipeline.set(key, value)
        # A new replica gets no writes during its first second.
        pipeline.wait(engines.replicas, 5000)
        assert pipeline.execute()[-1] == engines.replicas


def keys(engines: EngineSet) -> dict[str, str]:
    """All keys and values on the primaries; fails if nodes disagree, or a slot is open or has no owner."""
    views = [slots_by_owner(node) for node in engines.nodes]
    assert all(view == views[0] for view in views)
    assert sum(map(len, views[0].values())) == SLOTS
    assert not [slot for node in engines.nodes for slot in open_slots(node)]
    found: dict[str, str] = {}
    for node in engines.nodes:
        if node.role == "primary":
            names = list(node.admin.scan_iter(count=1000))
            found |= {name: node.admin.get(name) for name in names}
    return found


def shape(engines: EngineSet) -> tuple[int, int, int]:
    """The set's numbers of shards and replicas, and the number of its running nodes."""
    assert Counter(node.role for node in engines.nodes)["primary"] == engines.shards
    return engines.shards, engines.replicas, sum(node.running for node in engines.nodes)


@pytest.mark.timeout(240)
@each_engine
def test_scaling_loses_nothing_while_a_client_writes(program: EngineProgram, repository: Path) -> None:
    command = [sys.executable, str(repository / "benchmarks" / "scaling.py"), "--engine", program.name, "--times", "2"]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "2 times, 0 failed; lost: 0 slots, 0 keys, 0 of" in outcome.stdout


@pytest.mark.parametrize(
    ("owned", "shards", "moved"),
    [
        ([8192, 8192], 4, {(0, 2): 4096, (1, 3): 4096}),
        ([4096, 4096, 4096, 4096], 2, {(2, 0): 4096, (3, 1): 4096}),
        ([8192, 8192], 3, {(0, 2): 2731, (1, 2): 2731}),
        ([8192, 8192], 2, {}),
        ([8192, 8092, 100, 0], 2, {(2, 1): 100}),
        ([4096, 8192, 4096, 0], 4, {(1, 3): 4096}),
        ([16384], 1, {}),
    ],
)
def test_plan_moves_moves_as_few_slots_as_possible(
    owned: list[int], shards: int, moved: dict[tuple[int, int], int]
) -> None:
    slots = iter(range(SLOTS))
    have = {shard: [next(slots) for _ in range(number)] for shard, number in enumerate(owned)}
    have |= {shard: [] for shard in range(len(owned), shards)}
    moves = plan_moves(have, range(shards))
    sizes = {(source, target): len(some) for source, target, some in moves}
    assert sum(sizes.values()) == sum(moved.values())
    for source, target, some in moves:
        have[source] = [slot for slot in have[source] if slot not in set(some)]
        have[target] = have[target] + some
    assert sorted(slot for some in have.values() for slot in some) == list(range(SLOTS))
    assert all(abs(len(have[shard]) - SLOTS / shards) < 1 for shard in range(shards))
    assert not any(some for shard, some in have.items() if shard >= shards)
    assert len(moves) <= len(moved)


# A fault in the real processes, which a test injects before a step of scaling.
Fault = Callable[[EngineSet], None]


def newest(engines: EngineSet) -> Any:
    return engines.nodes[-1]


def kill_newest(engines: EngineSet) -> None:
    newest(engines).process.kill()
    newest(engines).process.wait()


def kill_first(engines: EngineSet) -> None:
    engines.nodes[0].process.kill()
    engines.nodes[0].process.wait()


def refuse_restore(engines: EngineSet) -> None:
    """Make the newest node refuse imported keys, as if its users were wrong."""
    newest(engines).admin.execute_command("ACL", "SETUSER", newest(engines).security.manager.name, "-restore-asking")


def refuse_ownership(engines: EngineSet) -> None:
    """Make the newest node accept all keys, but refuse their slots."""
    newest(engines).admin.execute_command("ACL", "SETUSER", newest(engines).security.manager.name, "-cluster|bumpepoch")


def fill_memory(engines: EngineSet) -> None:
    newest(engines).admin.config_set("maxmemory", "1mb")


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str, Callable[[], None]], None]:
    """Returns a function that injects a fault once, before a step."""

    def break_before(module: Any, step: str, happening: Callable[[], None]) -> None:
        real = getattr(module, step)

        def broken(*arguments: Any, **options: Any) -> Any:
            monkeypatch.setattr(module, step, real)
            happening()
            return real(*arguments, **options)

        monkeypatch.setattr(module, step, broken)

    return break_before


@pytest.mark.parametrize(
    ("replicas", "module", "step", "fault", "complaint"),
    [
        pytest.param(0, resharding, "meet", kill_newest, "has ended", id="new node dies, joining"),
        pytest.param(0, resharding, "share_slots", kill_newest, "has ended", id="new node dies, joined"),
        pytest.param(0, slots, "_move_keys", refuse_restore, "NOPERM", id="the second move is refused"),
        pytest.param(0, slots, "_move_keys", fill_memory, "OOM", id="no memory for the keys"),
        pytest.param(0, slots, "_assign_slots", refuse_ownership, "no permissions", id="keys moved, slots refused"),
        pytest.param(1, slots, "_assign_slots", kill_first, "has ended", id="source dies, keys moved"),
        pytest.param(1, slots, "_wait_until_known", kill_first, "has ended", id="source dies, slots moved"),
    ],
)
def test_a_failed_scale_out_can_be_reverted_and_repeated(
    breaks: Any, replicas: int, module: Any, step: str, fault: Fault, complaint: str
) -> None:
    with cluster(find_engine(), shards=2, replicas=replicas) as engines:
        fill(engines)
        breaks(module, step, lambda: fault(engines))
        with pytest.raises(EngineError, match=complaint):
            engines.resize(4, replicas)
        engines.resize(2, replicas)
        assert shape(engines) == (2, replicas, 2 * (replicas + 1))
        assert keys(engines) == KEYS
        engines.resize(4, replicas)
        assert shape(engines) == (4, replicas, 4 * (replicas + 1))
        assert keys(engines) == KEYS


def test_a_client_loses_no_write_while_a_failed_scale_out_is_reverted(breaks: Any) -> None:
    tally = scaling.Tally()
    user = AclUser("bench", passwords=(scaling.PASSWORD,))
    with EngineSet(shards=2, cluster_mode=True, users=[user]) as engines:
        with scaling.Counters(engines, tally):
            breaks(slots, "_assign_slots", lambda: refuse_ownership(engines))
            with pytest.raises(EngineError, match="refuses CLUSTER BUMPEPOCH"):
                engines.resize(4, 0)
            engines.resize(2, 0)
        assert shape(engines) == (2, 0, 2)
    assert (tally.asked > 0, tally.writes > 100, tally.writes_lost) == (True, True, 0)


def test_keys_lost_during_their_move_are_reported(breaks: Any) -> None:
    with cluster(find_engine(), shards=2) as engines:
        fill(engines)
        breaks(slots, "_assign_slots", lambda: kill_newest(engines))
        with pytest.raises(EngineError, match=r"has ended"):
            engines.resize(3, 0)
        with pytest.raises(EngineError, match=r"scaling is complete, but up to \d+ keys are lost"):
            engines.resize(2, 0)
        assert shape(engines) == (2, 0, 2)
        left = keys(engines)
        assert left == {key: KEYS[key] for key in left}
        assert len(left) > len(KEYS) / 2
        engines.resize(3, 0)
        assert shape(engines) == (3, 0, 3)


@pytest.mark.parametrize("cluster_mode", [True, False], ids=["cluster mode", "no cluster mode"])
def test_a_failed_change_of_replicas_can_be_repeated(breaks: Any, cluster_mode: bool) -> None:
    with EngineSet(shards=1, replicas=1, cluster_mode=cluster_mode, users=[APP]) as engines:
        engines.nodes[0].admin.mset({"{key}": "1"})
        assert engines.nodes[0].admin.wait(1, 5000) == 1
        breaks(engines, "set_parameters", lambda: kill_newest(engines))
        with pytest.raises(EngineError, match="has ended"):
            engines.resize(1, 3)
        assert (engines.shards, engines.replicas, len(engines.nodes)) == (1, 1, 2)
        kill_first(engines)
        engines.resize(1, 2)
        assert [node.role for node in engines.nodes].count("replica") == 2
        assert [node.admin.get("{key}") for node in engines.primaries] == ["1"]
        assert engines.primaries[0].admin.info("replication")["connected_slaves"] == 2


@each_engine
def test_scaling_moves_functions_expiry_large_values_and_binary_keys(program: EngineProgram) -> None:
    large, odd = b"x" * 30_000_000, b"\xff\x00 \r\n"
    with cluster(program, shards=1) as engines:
        admin = engines.nodes[0].admin
        admin.function_load("#!lua name=mine\nredis.register_function('answer', function() return 42 end)")
        # All keys in the second half of the slots move.
        names = [key for key in (f"key:{n}" for n in range(2000)) if redis.crc.key_slot(key.encode()) >= SLOTS // 2]
        for name, brief in zip(names, (True, False) * 50, strict=False):
            admin.set(name, name, px=1 if brief else 90_000)
        admin.set(names[500], large)
        odd = next(odd + key.encode() for key in names if redis.crc.key_slot(odd + key.encode()) >= SLOTS // 2)
        admin.set(odd, odd)
        engines.resize(2, 0)
        target = engines.primaries[1].admin
        assert target.fcall("answer", 0) == 42
        assert [target.get(name) for name in names[:100]] == [
            name if number % 2 else None for number, name in enumerate(names[:100])
        ]
        assert all(0 < target.pttl(name) <= 90_000 for name in names[1:100:2])
        assert target.strlen(names[500]) == len(large)
        assert target.strlen(odd) == len(odd)
