"""Random calls of the stores with one argument of a wrong type.

As a program (``python -m tests.compliance.support.random_calls CALLS SEED``) it synthesizes what is accepted.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import inspect
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_redis import (
    AccessString,
    Authentication,
    ConfigurationError,
    Endpoint,
    Engine,
    LogDelivery,
    MaintenanceWindow,
    MemoryDbCluster,
    NetworkType,
    NodeType,
    RedisNetwork,
    ReplicationGroup,
    Restore,
    ServerlessCache,
    ShardPlacement,
    Snapshots,
    UsageLimits,
)

REGION = "us-east-1"
STORES: tuple[Any, ...] = (ReplicationGroup, ServerlessCache, MemoryDbCluster)


class Unprintable:
    """An object of the user's own, which not even `repr` can show."""

    def __repr__(self) -> str:
        raise ValueError("no")


@dataclasses.dataclass
class LooksLikeAValue:
    name: str = "valkey"
    version: str = "8.1"


def _loop() -> list[object]:
    items: list[object] = []
    items.append(items)
    return items


_PLAIN: list[Any] = [
    *(None, True, False),
    *(0, 1, -1, 7, 6379, 10**9, 10**400, -(10**400), 0.5, 1.0, 1e308, float("nan"), float("inf"), -0.0),
    *("", " ", "true", "no", "7", "0", "8.1", "valkey", "valkey:8.1", "sun:05:00-sun:06:00", "RETAIN", "ipv4"),
    *("cache.r7g.large", "db.r7g.large", "arn:aws:kms:us-east-1:111122223333:key/1", "alias/orders", "on ~* +@all"),
    *("orders \ud800", "nul \0", "line\nbreak", "\u202eright to left", "a" * 5_000),
    *(b"valkey:8.1", bytearray(b"8.1"), 1j, decimal.Decimal("7"), datetime.date(2026, 1, 1), Path("orders")),
    *((), [], {}, set[str](), [None], [5], ["a", 5], ("a", "b")),
    *({"a": 5}, {5: "a"}, {"timeout": None}, range(3), frozenset({"a"})),
    *(object, str, Engine, len, lambda: 5, Ellipsis, NotImplemented, ValueError("no")),
    *(Engine.valkey("8.1"), NodeType("r7g.large"), Snapshots.daily(), Restore.from_snapshot("orders")),
    *(MaintenanceWindow("sun:05:00-sun:06:00"), NetworkType.IPV4, Endpoint("a.example.com", 6379)),
    *(AccessString.read_only("*"), Authentication.iam(), LogDelivery.slow_log(), [LogDelivery.slow_log()]),
    *(UsageLimits.at_most(data_storage_gb=10), [ShardPlacement("us-east-1a", "us-east-1b")]),
    *(cdk.RemovalPolicy.RETAIN, logs.RetentionDays.ONE_DAY, cdk.Duration.days(1), cdk.Size.gibibytes(1)),
]
# Each makes a thing that somebody could give for a parameter, in a scope of its own.
THINGS: list[Callable[[Construct], Any]] = [
    *((lambda _, thing=thing: thing) for thing in _PLAIN),
    lambda _: object(),
    lambda _: Unprintable(),
    lambda _: LooksLikeAValue(),
    lambda _: _loop(),
    lambda _: (number for number in range(3)),
    lambda _: ec2.InstanceType("r7g.large"),
    lambda _: ec2.Port.tcp(6379),
    lambda _: ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
    lambda _: events.Schedule.rate(cdk.Duration.hours(1)),
    lambda _: cdk.SecretValue.unsafe_plain_text("hunter2"),
    lambda _: cdk.Fn.ref("Given"),
    lambda _: cdk.Fn.get_att("Given", "Arn"),
    lambda _: cdk.Fn.split(",", cdk.Fn.ref("Given")),
    lambda _: cdk.Token.as_number({"Ref": "Given"}),
    lambda _: cdk.Token.as_list({"Ref": "Given"}),
    lambda scope: scope,
    lambda scope: cdk.Stack.of(scope),
    lambda scope: sns.Topic(scope, "Topic"),
    lambda scope: kms.Key.from_key_arn(scope, "Key", f"arn:aws:kms:{REGION}:111122223333:key/{scope.node.id}"),
    lambda scope: ec2.SecurityGroup.from_security_group_id(scope, "Group", "sg-12345678"),
    lambda scope: [ec2.SecurityGroup.from_security_group_id(scope, "Group", "sg-12345678")],
    lambda scope: logs.LogGroup(scope, "Logs"),
]


def new_stack(scope: cdk.App) -> cdk.Stack:
    """A stack for the calls, with the parameter that the tokens refer to."""
    stack = cdk.Stack(scope, "Stack", env=cdk.Environment(account="111122223333", region=REGION))
    cdk.CfnParameter(stack, "Given")
    return stack


def _parameters(store: Any) -> list[str]:
    return [name for name in inspect.signature(store.__init__).parameters if name not in ("self", "scope", "network")]


def _is_named(parameter: str, error: ConfigurationError) -> bool:
    # Without a VPC, the network is what is missing.
    return parameter in str(error) or (parameter in ("vpc", "vpc_subnets") and "network" in str(error))


def _error(store: Any, scope: Construct, arguments: dict[str, Any]) -> Exception | None:
    try:
        store(scope, **arguments)
    except Exception as error:
        return error
    return None


class Tries(NamedTuple):
    """What came of the calls: errors that are not in words, and the number of calls that were accepted."""

    leaks: list[str]
    accepted: int


def try_calls(stack: cdk.Stack, calls: int, seed: int) -> Tries:
    """Make random calls. Every tenth store that is accepted stays in the stack."""
    draw = random.Random(seed)
    network = RedisNetwork(stack, "Network")
    leaks: list[str] = []
    accepted = 0
    for number in range(calls):
        store = draw.choice(STORES)
        parameter = draw.choice(_parameters(store))
        scope = Construct(stack, f"Try{number}")
        given = draw.choice(THINGS)(scope)
        arguments = {"network": network, "id": "It", parameter: given}
        if parameter in ("vpc", "vpc_subnets"):
            del arguments["network"]
        error = _error(store, scope, arguments)
        accepted += error is None
        if error is not None and not (isinstance(error, ConfigurationError) and _is_named(parameter, error)):
            leaks.append(f"{store.__name__}({parameter}={type(given).__name__}): {type(error).__name__}: {error}"[:300])
        # A template has at most 500 resources.
        if error is not None or accepted % 10:
            stack.node.try_remove_child(scope.node.id)
    return Tries(leaks, accepted)


if __name__ == "__main__":
    app = cdk.App()
    tries = try_calls(new_stack(app), int(sys.argv[1]), int(sys.argv[2]))
    app.synth()
    print(f"{tries.accepted} accepted")
