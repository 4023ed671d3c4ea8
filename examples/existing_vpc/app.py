"""A MemoryDB cluster in an existing VPC, with a password user for clients that cannot sign IAM tokens.

cdk deploy --app "python3 examples/existing_vpc/app.py"
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk_redis import AccessString, MaintenanceWindow, MemoryDbCluster, RedisNetwork, SmokeTest, Snapshots, acknowledge


class LedgerStack(cdk.Stack):
    """A cluster in an existing VPC."""

    def __init__(self, scope: Construct, id: str, **kwargs: Any) -> None:
        super().__init__(scope, id, **kwargs)
        vpc = ec2.Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id="vpc-0123456789abcdef0",
            availability_zones=["eu-central-1a", "eu-central-1b"],
            private_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
            private_subnet_route_table_ids=["rtb-0123456789abcdef0", "rtb-0123456789abcdef0"],
        )
        network = RedisNetwork(self, "Network", vpc=vpc)
        ledger = MemoryDbCluster(
            self,
            "Ledger",
            network=network,
            shards=2,
            replicas=1,
            snapshots=Snapshots.daily(retention_days=14),
            maintenance_window=MaintenanceWindow.weekly("sun", "05:00", hours=1),
            parameters={"maxmemory-policy": "noeviction"},
        )
        app = ledger.add_password_user("app", AccessString.read_write("ledger:*").deny("@dangerous"))
        SmokeTest(self, "SmokeTest", target=ledger)
        acknowledge(app, {"SecretsManagerRotationEnabled": "an example: its clients read the password at their start"})


app = cdk.App()
LedgerStack(app, "Ledger", env=cdk.Environment(account="111122223333", region="eu-central-1"))
app.synth()
