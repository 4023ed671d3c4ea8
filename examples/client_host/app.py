"""An instance from which a person looks at a cache, with a role of one's own, by Session Manager.

cdk deploy --app "python3 examples/client_host/app.py"

The output of the stack has the command: ``aws ssm start-session ... --parameters command=connect-to-store``.
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_redis import AccessString, ClientHost, RedisNetwork, ReplicationGroup, SmokeTest, acknowledge


class OperationsStack(cdk.Stack):
    """A cache, a host that reads it, and a role for the people on call."""

    def __init__(self, scope: Construct, id: str, **kwargs: Any) -> None:
        super().__init__(scope, id, **kwargs)
        network = RedisNetwork(self, "Network", zones=2)
        cache = ReplicationGroup(self, "Cache", network=network, shards=2, replicas=1)
        operator = cache.add_iam_user("operator", AccessString.read_only("*"))
        host = ClientHost(self, "Host", store=cache, user=operator)
        on_call = iam.Role(self, "OnCall", assumed_by=iam.AccountRootPrincipal())
        host.grant_login(on_call)
        SmokeTest(self, "SmokeTest", target=cache)
        sessions = "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ssm:*:<AWS::AccountId>:session/<aws:userid>-*]"
        acknowledge(on_call, {sessions: "a person's own sessions: their ids begin with that of the person"})
        acknowledge(on_call, {"IAMNoInlinePolicy": "the role stands for one that exists"})


app = cdk.App()
OperationsStack(app, "Operations")
app.synth()
