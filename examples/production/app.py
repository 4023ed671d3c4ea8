"""Two stores with everything that production asks for: alarms, a dashboard, tests by schedule, drills and rotation.

cdk deploy --app "python3 examples/production/app.py"

`Preset.prod` gives the stores their replicas, snapshots, encryption keys and alarms. The smoke tests run at each
deployment and every quarter of an hour. ``cdk-redis drill Production`` starts the drill, unless an alarm is on.
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_redis import (
    AccessString,
    FailoverDrill,
    MemoryDbCluster,
    Preset,
    RedisDashboard,
    RedisNetwork,
    ReplicationGroup,
    SmokeTest,
)


class ProductionStack(cdk.Stack):
    """A cache and a ledger."""

    def __init__(self, scope: Construct, id: str, **kwargs: Any) -> None:
        super().__init__(scope, id, **kwargs)
        key = kms.Key(self, "Key", enable_key_rotation=True)
        topic = sns.Topic(self, "Alarms", master_key=key, enforce_ssl=True)
        Preset.prod(alarm_topic=topic).use_in(self)

        network = RedisNetwork(self, "Network")
        cache = ReplicationGroup(self, "Cache", network=network, shards=3)
        ledger = MemoryDbCluster(self, "Ledger", network=network)
        for store in (cache, ledger):
            store.add_alarms(topic)
            store.add_password_user("reports", AccessString.read_only("report:*")).add_rotation()
        tests = [
            SmokeTest(
                self, f"Test{store.node.id}", target=store, schedule=events.Schedule.rate(cdk.Duration.minutes(15))
            )
            for store in (cache, ledger)
        ]
        drill = FailoverDrill(self, "Drill", target=cache, blocking_alarms=[*cache.alarms.values()])
        RedisDashboard(self, "Dashboard", stores=[cache, ledger], smoke_tests=tests, drills=[drill])


app = cdk.App()
ProductionStack(app, "Production")
app.synth()
