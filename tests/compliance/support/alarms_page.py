"""The page of all alarms, made from the tables of the services.

Write it again with ``python -m tests.compliance.support.alarms_page > docs/alarms.md``.
"""

from __future__ import annotations

from collections.abc import Sequence

from cdk_redis import NodeType, Topology
from cdk_redis._elasticache.alarms import node_rows, serverless_rows
from cdk_redis._memorydb.alarms import cluster_rows
from cdk_redis._store.alarm_table import AlarmRow

_HEAD = """\
# Alarms and the dashboard

`store.add_alarms(topic)` defines these alarms. Each goes off when the metric is above the threshold on any node of the
store, in so many of so many minutes. AWS names a number for few of them; the others follow from a limit, or leave time
to act before users notice. Change a threshold with `overrides={"memory": 90}`, switch an alarm off with
`overrides={"evictions": False}`, and give an `AlarmOverride` for other periods. Start with these, and after two weeks
move them above what is normal for your store.

* Counts are those of one node in a minute; of a serverless cache, those of the whole cache. Each run of a smoke test
  causes a few failures on purpose, up to four on each node.
* ElastiCache publishes metrics of nodes: an alarm is a formula of up to ten of them. A larger group has an alarm for
  every few shards, and a composite alarm, which alone notifies the topic. MemoryDB publishes metrics of the cluster.
* An alarm costs about 0.10 USD a month and metric: the 15 alarms of a group of 9 nodes cost about 14 USD.
* The tables are those of Valkey on nodes with 2 vCPUs, with replicas, and of a cache without `usage_limits`. Larger
  nodes have no alarm `cpu`; `global_replication_lag` is for secondaries. Redis OSS has `GetTypeCmdsLatency` and
  `SetTypeCmdsLatency` in ElastiCache and no latencies in MemoryDB. Nodes with data tiering have
  `DatabaseCapacityUsagePercentage`.

The page is made from the tables in the code: `python -m tests.compliance.support.alarms_page > docs/alarms.md`.
"""
_TAIL = """
## The dashboard

`RedisDashboard(stack, "Dashboard", stores=[orders, ledger], smoke_tests=[test], drills=[drill])` shows the stores,
their alarms, the last runs of the smoke tests, with the latency of those that have an alarm, the last drills, and
graphs with the thresholds of the alarms. For a group of more than 10 nodes, a graph is a search, which finds the nodes
by the name of the group. CloudWatch shows 2,500 metrics on a dashboard: a group of hundreds of nodes has fewer graphs.
Add widgets of your own to `.dashboard`.

The picture is drawn from a synthesized dashboard; its values are made up:

![A dashboard of two stores](dashboard.svg)
"""
_COLUMNS = "| Name | Goes off above | In minutes | Metric | Why | Source |\n| --- | --- | --- | --- | --- | --- |\n"


def page() -> str:
    """The page, whole."""
    topology = Topology("valkey:8.1", cluster_mode=True, shards=1, replicas=1)
    tables = {
        "Replication groups": node_rows(topology, NodeType("cache.r7g.large"), secondary=True),
        "Serverless caches": serverless_rows(None),
        "MemoryDB clusters": cluster_rows(topology, NodeType("db.r7g.large")),
    }
    return "".join([_HEAD, *(f"\n## {title}\n\n{_COLUMNS}{_lines(rows)}" for title, rows in tables.items()), _TAIL])


def _lines(rows: Sequence[AlarmRow]) -> str:
    return "".join(
        f"| `{row.name}` | {row.threshold:,.0f} {_unit(row)} | {row.datapoints} of {row.evaluation_periods} "
        f"| `{row.metric}` ({row.statistic}) | {_sentence(row.meaning)} {_sentence(row.why)} | [AWS]({row.source}) |\n"
        for row in rows
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _unit(row: AlarmRow) -> str:
    return row.unit.removesuffix("s") if row.threshold == 1 else row.unit


if __name__ == "__main__":
    print(page(), end="")
