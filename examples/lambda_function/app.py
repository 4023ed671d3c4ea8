"""A function that keeps a counter in a cache: it runs in the cache's network and signs in with IAM.

cdk deploy --app "python3 examples/lambda_function/app.py"
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_redis import AccessString, RedisNetwork, ReplicationGroup, SmokeTest, acknowledge, runtime_code

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


class CounterStack(cdk.Stack):
    """A cache, its smoke test, and a function that uses it."""

    def __init__(self, scope: Construct, id: str, **kwargs: Any) -> None:
        super().__init__(scope, id, **kwargs)
        network = RedisNetwork(self, "Network", zones=2)
        cache = ReplicationGroup(self, "Cache", network=network, shards=2, replicas=1)
        user = cache.add_iam_user("counter", AccessString.read_write("counter:*"))
        function = lambda_.Function(
            self,
            "Counter",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler="counter.handler",
            code=runtime_code(Path(__file__).with_name("function")),  # with redis-py and cdk_redis_runtime
            memory_size=512,
            timeout=cdk.Duration.seconds(10),
            vpc=network.vpc,
            vpc_subnets=network.subnet_selection,
            allow_all_outbound=False,  # `bind` adds the rule to the cache
        )
        cache.bind(function, user=user)  # rules, permission, environment
        SmokeTest(self, "SmokeTest", target=cache)
        acknowledge(function, ACCEPTED)


app = cdk.App()
CounterStack(app, "Counter")
app.synth()
