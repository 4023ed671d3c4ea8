"""A leaderboard: players and their best scores, in a sorted set that survives the loss of a node.

The scores are nowhere else, so they are in MemoryDB, which acknowledges a write when several zones have it.

cdk deploy --app "python3 examples/leaderboard/app.py"
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_redis import AccessString, Engine, MemoryDbCluster, RedisNetwork, SmokeTest, acknowledge, runtime_code

# What scanners find on a function with the CDK's defaults, see docs/compliance.md.
ACCEPTED = dict.fromkeys(
    (
        *(
            "CloudWatchLogGroupEncrypted",
            "IAMNoInlinePolicy",
            "LambdaConcurrency",
            "LambdaDLQ",
            "LambdaManagedPolicies",
        ),
        *("Serverless-LambdaTracing", "CKV_AWS_173"),
    ),
    "an example: its clients wait for the answer, and its variables and logs have no secrets",
)


class LeaderboardStack(cdk.Stack):
    """A MemoryDB cluster and the function that keeps the scores."""

    def __init__(self, scope: Construct, id: str, *, engine: Engine | str = "valkey:7.3", **kwargs: Any) -> None:
        super().__init__(scope, id, **kwargs)
        network = RedisNetwork(self, "Network", zones=2)
        scores = MemoryDbCluster(self, "Scores", network=network, engine=engine, shards=1, replicas=1)
        user = scores.add_iam_user("leaderboard", AccessString.read_write("leaderboard:*"))
        self.function = lambda_.Function(
            self,
            "Leaderboard",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler="handler.handler",
            code=runtime_code(Path(__file__).with_name("function")),
            memory_size=512,
            timeout=cdk.Duration.seconds(10),
            vpc=network.vpc,
            vpc_subnets=network.subnet_selection,
            allow_all_outbound=False,  # `bind` adds the rule to the cluster
        )
        scores.bind(self.function, user=user)
        SmokeTest(self, "SmokeTest", target=scores)
        acknowledge(self.function, ACCEPTED)


if __name__ == "__main__":
    app = cdk.App()
    LeaderboardStack(app, "Leaderboard")
    app.synth()
