"""Sessions of a web application, which expire when they are not used.

A lost session means that a person signs in again: a cache with a replica in another zone is enough.

cdk deploy --app "python3 examples/session_store/app.py"
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_redis import AccessString, Engine, RedisNetwork, ReplicationGroup, SmokeTest, acknowledge, runtime_code

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


class SessionStoreStack(cdk.Stack):
    """A cache with the sessions, and the function that uses them."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        lifetime: cdk.Duration | None = None,
        engine: Engine | str = "valkey:8.1",
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, id, **kwargs)
        network = RedisNetwork(self, "Network", zones=2)
        sessions = ReplicationGroup(
            self,
            "Sessions",
            network=network,
            engine=engine,
            replicas=1,
            # Every key has a time to live: under pressure, the sessions that expire next go first.
            parameters={"maxmemory-policy": "volatile-ttl"},
        )
        user = sessions.add_iam_user("web", AccessString.read_write("session:*"))
        self.function = lambda_.Function(
            self,
            "Web",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler="handler.handler",
            code=runtime_code(Path(__file__).with_name("function")),
            environment={"SESSION_SECONDS": str((lifetime or cdk.Duration.minutes(30)).to_seconds())},
            memory_size=512,
            timeout=cdk.Duration.seconds(10),
            vpc=network.vpc,
            vpc_subnets=network.subnet_selection,
            allow_all_outbound=False,  # `bind` adds the rule to the cache
        )
        sessions.bind(self.function, user=user)
        SmokeTest(self, "SmokeTest", target=sessions)
        acknowledge(self.function, ACCEPTED)


if __name__ == "__main__":
    app = cdk.App()
    SessionStoreStack(app, "SessionStore")
    app.synth()
