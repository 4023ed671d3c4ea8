"""A function that keeps a counter in a cache: it runs in the cache's network and signs in with IAM.

cdk deploy --app "python3 examples/lambda_function/app.py"
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import redis
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

import cdk_redis_runtime
from cdk_redis import AccessString, RedisNetwork, ReplicationGroup, SmokeTest


class CounterStack(cdk.Stack):
    """A cache, its smoke test, and a function that uses it."""

    def __init__(self, scope: Construct, id: str, **kwargs: Any) -> None:
        super().__init__(scope, id, **kwargs)
        network = RedisNetwork(self, "Network", zones=2)
        cache = ReplicationGroup(self, "Cache", network=network, shards=2, replicas=1)
        user = cache.add_iam_user("counter", AccessString.read_write("counter:*"))
        with tempfile.TemporaryDirectory() as folder:  # the CDK copies it
            function = lambda_.Function(
                self,
                "Counter",
                runtime=lambda_.Runtime.PYTHON_3_14,
                architecture=lambda_.Architecture.ARM_64,
                handler="counter.handler",
                code=_code(Path(folder)),
                timeout=cdk.Duration.seconds(10),
                vpc=network.vpc,
                vpc_subnets=network.subnet_selection,
                allow_all_outbound=False,  # `bind` adds the rule to the cache
            )
        cache.bind(function, user=user)  # rules, permission, environment
        SmokeTest(self, "SmokeTest", target=cache)


def _code(folder: Path) -> lambda_.Code:
    """Package the function with cdk_redis_runtime and redis-py, which are pure Python; Lambda provides botocore."""
    shutil.copytree(Path(__file__).with_name("function"), folder, dirs_exist_ok=True)
    ignore = shutil.ignore_patterns("__pycache__")
    for package in (cdk_redis_runtime, redis):
        shutil.copytree(Path(str(package.__file__)).parent, folder / package.__name__, ignore=ignore)
    # Lambda runs the function as another user, who could not read files of a checkout with `umask 077`.
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return lambda_.Code.from_asset(str(folder))


app = cdk.App()
CounterStack(app, "Counter")
app.synth()
