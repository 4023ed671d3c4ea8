"""A failover on purpose, and what an application sees of it: a state machine that someone starts by hand.

FailoverDrill(self, "Drill", target=cache)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.errors import Problems
from cdk_redis._core.tokens import is_token
from cdk_redis._smoke_test.store_function import StoreFunction
from cdk_redis_runtime._client import environment

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_stepfunctions as stepfunctions

    from cdk_redis._access.users import User
    from cdk_redis._store.store import Store

_HANDLER = "cdk_redis_runtime.drill_lambda.handler"
# Time after the writing and reading to look for lost writes and to delete them; the function keeps a minute of it.
_SPARE = cdk.Duration.seconds(90)
_SHORTEST, _LONGEST = 10, 13 * 60
# The function starts, and shows that all was well before.
_BEFORE_SECONDS = 30.0


class FailoverDrill(Construct):
    """Fails a shard over and reports what an application with ``connect()``'s client saw of it.

    Defines a state machine that does nothing until somebody starts it: no deploy does. It runs a function in the
    store's subnets that writes to and reads from every shard, calls ``TestFailover`` (ElastiCache) or ``FailoverShard``
    (MemoryDB) half a minute later, and ends with the function's report as its output: whether another node serves the
    shard now, seconds of failed writes and reads, the longest gap, errors by kind, and acknowledged writes that were
    lost.

    AWS allows a few such failovers a day: 15 node groups in 24 hours for ElastiCache. A shard needs a replica.

    Attributes:
        state_machine: Start it with any input: ``aws stepfunctions start-execution --state-machine-arn ...``.
        function: Writes and reads.
        log_group: Where the report is written as well.
        user: The user that it signs in as; None for a store with open access.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        target: Store,
        user: User | None = None,
        shard: str = "0001",
        duration: cdk.Duration | None = None,
        failover_after: cdk.Duration | None = None,
        key_prefix: str = environment.DEFAULT_DRILL_KEY_PREFIX,
    ) -> None:
        """Define the drill.

        Args:
            scope: Construct this one is defined in: the store's stack, or one after it.
            id: Id within the scope.
            target: The store; each shard has at least one replica.
            user: User of the target to sign in as; its access string must be `AccessString.smoke_test`'s of the prefix.
                Default: - one is added to the target, as for `SmokeTest`.
            shard: Node group (ElastiCache) or shard (MemoryDB) that fails over, by the service's name for it.
            duration: How long it writes and reads, 10 seconds to 13 minutes. AWS may take minutes to fail a shard over:
                a drill that ends before says so (``failover_seen``, ``recovered``). Default: - 5 minutes.
            failover_after: How long it waits with the failover, the function's start included, within the duration.
                Default: - 30 seconds, or a third of a duration below 90 seconds.
            key_prefix: Begins each key that is written. Nothing outside it is touched.

        Raises:
            ConfigurationError: If there is no replica to fail over to, a time is out of range, or the target is
                imported without a network or a user.
        """
        super().__init__(scope, id)
        self._target = target
        duration = duration or cdk.Duration.minutes(5)
        before = failover_after or cdk.Duration.seconds(int(min(_BEFORE_SECONDS, duration.to_seconds() / 3)))
        self._check(duration, before)
        parts = StoreFunction(
            self,
            target=target,
            user=user,
            user_name="failover-drill",
            key_prefix=key_prefix,
            purpose="Failover drill",
            handler=_HANDLER,
            timeout=duration.plus(_SPARE),
            environment={
                environment.KEY_PREFIX: key_prefix,
                environment.DRILL_SECONDS: str(int(duration.to_seconds())),
            },
        )
        self.function: lambda_.Function = parts.function
        self.log_group: logs.LogGroup = parts.log_group
        self.user = parts.user
        self.state_machine = self._create_state_machine(parts.weak("Name", target.store_name), shard, before)

    def _check(self, duration: cdk.Duration, before: cdk.Duration) -> None:
        problems = Problems(self)
        replicas = self._target.topology.replicas
        if replicas is None:
            reason = "a serverless cache is failed over by the service alone"
            problems.add("target", self._target.node.path, reason, "drill a replication group or a cluster")
        elif not is_token(replicas) and replicas < 1:
            reason = "a shard without a replica has nothing to fail over to"
            problems.add("target", self._target.node.path, reason, "give the store replicas=1 or more")
        if not _SHORTEST <= duration.to_seconds() <= _LONGEST:
            problems.add("duration", f"{duration.to_seconds():g} s", "a drill takes 10 seconds to 13 minutes")
        if not 1 <= before.to_seconds() < duration.to_seconds():
            reason = f"the failover begins after a second or more, and within the {duration.to_seconds():g} s"
            problems.add("failover_after", f"{before.to_seconds():g} s", reason)
        problems.raise_if_any()

    def _create_state_machine(self, store_name: str, shard: str, before: cdk.Duration) -> stepfunctions.StateMachine:
        from aws_cdk import aws_stepfunctions as stepfunctions
        from aws_cdk import aws_stepfunctions_tasks as tasks

        watch = tasks.LambdaInvoke(
            self,
            "Write and read",
            lambda_function=cast("lambda_.IFunction", self.function),
            payload_response_only=True,
            # A second attempt would report on a store that has failed over already.
            retry_on_service_exceptions=False,
        )
        wait = stepfunctions.Wait(self, "Let all be well", time=stepfunctions.WaitTime.duration(before))
        both = stepfunctions.Parallel(self, "Drill", output_path="$[0]")
        both.branch(cast("stepfunctions.IChainable", watch))
        both.branch(wait.next(self._create_failover(store_name, shard)))
        return stepfunctions.StateMachine(
            self,
            "StateMachine",
            comment=f"Fails over a shard of {self._target.node.path} and reports what a client saw",
            definition_body=stepfunctions.DefinitionBody.from_chainable(cast("stepfunctions.IChainable", both)),
            timeout=cdk.Duration.minutes(20),
        )

    def _create_failover(self, store_name: str, shard: str) -> Any:
        from aws_cdk import aws_stepfunctions_tasks as tasks

        service = self._target.service
        action, parameters = {
            environment.ELASTICACHE: ("testFailover", {"ReplicationGroupId": store_name, "NodeGroupId": shard}),
            environment.MEMORYDB: ("failoverShard", {"ClusterName": store_name, "ShardName": shard}),
        }[service.name]
        nodes: list[str] = []
        if service.name == environment.ELASTICACHE:
            # To IAM the nodes are resources of their own, and it is one of them that fails.
            nodes = [
                cdk.Stack.of(self).format_arn(
                    service=service.name,
                    resource="cluster",
                    resource_name=f"{store_name}-*",
                    arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                )
            ]
        return tasks.CallAwsService(
            self,
            "Fail over",
            service=service.name,
            action=action,
            parameters=parameters,
            iam_action=f"{service.name}:{action[0].upper()}{action[1:]}",
            iam_resources=[service.store_arn(self._target, store_name), *nodes],
            # The call's answer is the store's description: nothing of it belongs into the report.
            result_selector={"failover": "started"},
        )
