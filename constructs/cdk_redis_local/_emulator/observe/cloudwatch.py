"""CloudWatch of the local cloud: metrics of the engines, metric math, alarms, and the logs of the engines."""

from __future__ import annotations

from collections.abc import Callable

from cdk_redis_local._emulator.handlers.composite_alarms import register_composite_alarms
from cdk_redis_local._emulator.observe.alarms import Alarms
from cdk_redis_local._emulator.observe.cloudwatch_api import CloudWatchApi
from cdk_redis_local._emulator.observe.log_delivery import LogDelivery
from cdk_redis_local._emulator.observe.metric_reads import MetricReads
from cdk_redis_local._emulator.observe.sampler import Sampler
from cdk_redis_local._emulator.stores import Stores


def observe_metrics(stores: Stores, say: Callable[[str], object], *, minute: float) -> None:
    """Measure the stores, evaluate the alarms, and deliver the logs.

    Args:
        stores: The stores.
        say: Called with messages for the user.
        minute: Seconds that a minute of CloudWatch lasts.
    """
    reads = MetricReads(minute)
    alarms = Alarms(reads, say)
    CloudWatchApi(reads).register()
    register_composite_alarms()
    sampler = Sampler(stores, say, minute=minute)
    scopes: set[tuple[str, str]] = set()

    def evaluate(now: float) -> None:
        # The alarms of a store that was deleted still have to lose their data.
        scopes.update(key.scope for key in stores.running())
        alarms.evaluate_all(scopes, now)

    sampler.after_tick.append(evaluate)
    LogDelivery(stores, sampler, say)
