"""One row for each fault that begins or heals during the smoke test. A store that is healthy in time passes.

Checks that a row does not list pass. A check that the fault always affects reports its number of tries.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping

import pytest

from cdk_redis_local import EngineSet
from tests.runtime.support import healing_lab as make
from tests.runtime.support.battery import Battery, Verdicts, smoke_user
from tests.runtime.support.healing_lab import Disturbance

pytestmark = pytest.mark.long

# As long as by default: on a busy machine a failover takes several seconds.
BUDGET = 20.0

WRITES = frozenset({"write-read", "replica-read", "durability", "data-types", "transaction"})


@dataclasses.dataclass(frozen=True)
class Healing:
    """A fault that heals, the checks that must try again because of it, and the checks that fail nevertheless."""

    name: str
    disturb: Disturbance
    tried_again: frozenset[str] = frozenset()
    failed: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    single: bool = False


NO_REPLICA = (
    "shard of localhost:*: 0 replicas in service (declared: 1): a replica is down or still copying data",
    "shard of localhost:*: no replica in service to read from; see topology",
    "shard of localhost:*: no replica acknowledged a write within * s: the replicas lag, or their links to the primary "
    "are down; a failover now would lose acknowledged writes",
)

ROWS = [
    Healing("killed-primary", make.killed_primary(), frozenset({"topology"})),
    Healing("killed-primary-in-the-middle-of-the-run", make.killed_primary(after=0.15)),
    Healing("killed-primary-at-the-endpoint", make.killed_primary(0), frozenset({"tls", "topology"})),
    Healing(
        "killed-primary-that-stays-down",
        make.killed_primary(stays=True),
        failed=dict(zip(("topology", "replica-read", "durability"), NO_REPLICA, strict=True)),
    ),
    Healing("hung-primary", make.hung_primary(), frozenset({"topology"})),
    Healing("hung-primary-in-the-middle-of-the-run", make.hung_primary(after=0.15)),
    Healing("hung-primary-at-the-endpoint", make.hung_primary(0), frozenset({"tls", "topology"})),
    Healing("graceful-failovers", make.graceful_failovers),
    Healing("slots-moving-all-the-time", make.moving_slots),
    Healing("slots-half-moved", make.half_moved_slots(2), frozenset({"replica-read", "durability"})),
    Healing("slots-missing-for-a-while", make.slots_missing_for(2), frozenset({"topology"})),
    Healing("late-replica", make.late_replica(3), frozenset({"topology", "replica-read", "durability"})),
    Healing("too-few-replicas-to-write", make.setting_for(2, "min-replicas-to-write", "2", "0"), WRITES),
    Healing(
        "too-few-replicas-to-write-without-cluster-mode",
        make.setting_for(2, "min-replicas-to-write", "2", "0"),
        WRITES,
        single=True,
    ),
    Healing("busy-script", make.busy_script(2), frozenset({"topology", "write-read", "replica-read", "durability"})),
    Healing("busy-script-without-cluster-mode", make.busy_script(2), frozenset({"topology"}) | WRITES, single=True),
    Healing("replica-without-its-primary", make.lost_link(2), frozenset({"topology", "replica-read"}), single=True),
    Healing("cut-connections", make.cut_connections(1)),
    Healing("cut-connections-without-cluster-mode", make.cut_connections(1), single=True),
]


@pytest.fixture(scope="module")
def _healing_cluster() -> Iterator[EngineSet]:
    users = [smoke_user()]
    with EngineSet(shards=3, replicas=1, cluster_mode=True, users=users, node_timeout=make.NODE_TIMEOUT) as engines:
        yield engines


@pytest.fixture
def healing_cluster(_healing_cluster: EngineSet) -> Iterator[EngineSet]:
    """A cluster that fails over quickly; a test may make only changes that it can undo."""
    make.settle(_healing_cluster)
    yield _healing_cluster
    make.settle(_healing_cluster)
    make.drop_short_lived_keys(_healing_cluster)


@pytest.mark.timeout(90)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_fault_that_heals_in_time_passes(row: Healing, request: pytest.FixtureRequest, battery: Battery) -> None:
    engines: EngineSet = request.getfixturevalue("single" if row.single else "healing_cluster")
    with contextlib.ExitStack() as stack:
        stack.enter_context(row.disturb(engines))
        verdicts = battery(engines, budget=BUDGET)
    verdicts.assert_are(row.failed, {})
    assert row.tried_again <= _tried_again(verdicts), _tried_again(verdicts)


def _tried_again(verdicts: Verdicts) -> set[str]:
    return {check.name for check in verdicts.report.checks if "; it took " in check.outcome.observed}
