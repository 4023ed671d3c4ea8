"""An app in a folder of its own, with the installed wheels only: `-c engine=...`.

A function uses two stores and a service one, once in the stores' stack and once in another stack. No line is about
security groups, policies, environment variables or endpoints.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_redis import AccessString, Engine, MemoryDbCluster, RedisNetwork, ReplicationGroup, runtime_code


class Programs(Construct):
    """A function and a service, bound to the stores."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        network: RedisNetwork,
        orders: ReplicationGroup,
        ledger: MemoryDbCluster,
        with_layer: bool,
    ) -> None:
        super().__init__(scope, id)
        name = id.lower()
        user = orders.add_iam_user(name, AccessString.read_write(f"{name}:*"))
        clerk = ledger.add_iam_user(name, AccessString.read_write(f"{name}:*"))
        function = lambda_.Function(
            self,
            "Function",
            runtime=lambda_.Runtime.PYTHON_3_14,
            handler="handler.handler",
            # Once with the client in the code of the function, once in a layer.
            code=lambda_.Code.from_asset("function") if with_layer else runtime_code("function"),
            layers=[orders.client_layer(stack=cdk.Stack.of(self))] if with_layer else None,
            timeout=cdk.Duration.seconds(10),
            vpc=network.vpc,
            vpc_subnets=network.subnet_selection,
        )
        orders.bind(function, user=user, name="orders")
        ledger.bind(function, user=clerk, name="ledger")

        task = ecs.FargateTaskDefinition(self, "Task")
        task.add_container("Program", image=ecs.ContainerImage.from_registry("python:3.14-slim"))
        service = ecs.FargateService(
            self,
            "Service",
            cluster=ecs.Cluster(self, "Cluster", vpc=network.vpc),
            task_definition=task,
            vpc_subnets=network.subnet_selection,
        )
        ledger.bind(service, user=clerk)

        for output, value in {
            "FunctionName": function.function_name,
            "ServiceName": service.service_name,
            "ClusterName": service.cluster.cluster_name,
        }.items():
            cdk.CfnOutput(self, output, value=value).override_logical_id(output)


app = cdk.App()
name, _, version = str(app.node.get_context("engine")).partition(":")
family = f"{name}{version.split('.')[0]}"
engine = Engine.of(name, version, elasticache_family=family, memorydb_family=f"memorydb_{family}")
stores = cdk.Stack(app, "Stores")
network = RedisNetwork(stores, "Network", zones=2)
orders = ReplicationGroup(
    stores, "Orders", network=network, engine=engine, replicas=1, removal_policy=cdk.RemovalPolicy.DESTROY
)
ledger = MemoryDbCluster(
    stores, "Ledger", network=network, engine=engine, shards=1, replicas=1, removal_policy=cdk.RemovalPolicy.DESTROY
)
Programs(stores, "Near", network=network, orders=orders, ledger=ledger, with_layer=False)
Programs(cdk.Stack(app, "Elsewhere"), "Far", network=network, orders=orders, ledger=ledger, with_layer=True)
app.synth()
