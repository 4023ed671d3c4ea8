"""The app: reads the settings of one environment and builds its stacks.

cdk deploy --all -c env=dev
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import aws_cdk as cdk

from cdk_redis import ConfigurationError
from stacks import ElastiCacheStack, MemoryDbStack, NetworkStack, Settings, SettingsError, SmokeTestStack

_DEFAULT_ENVIRONMENT = "dev"


def build(app: cdk.App) -> None:
    """Build the stacks of the environment that the context names.

    Raises:
        SettingsError: If the settings are wrong.
        ConfigurationError: If AWS would reject a resource.
    """
    context = app.node.try_get_context
    name = context("env") or _DEFAULT_ENVIRONMENT
    settings = Settings.read(context("environments"), name, engine=context("engine"))
    if (preset := settings.cdk_preset) is not None:
        preset.use_in(app)
    # Without an account and a Region the templates fit all of them, and synth makes no calls to AWS.
    env = cdk.Environment(account=settings.account, region=settings.region)

    network = NetworkStack(app, f"CdkRedis-{name}-Network", settings=settings, env=env).network
    elasticache = ElastiCacheStack(app, f"CdkRedis-{name}-ElastiCache", settings=settings, network=network, env=env)
    memorydb = MemoryDbStack(app, f"CdkRedis-{name}-MemoryDb", settings=settings, network=network, env=env)
    SmokeTestStack(
        app,
        f"CdkRedis-{name}-SmokeTests",
        stores={"ElastiCache": elasticache.store, "MemoryDb": memorydb.store},
        env=env,
    )
    for key, value in {"cdk-redis:environment": name, **settings.tags}.items():
        cdk.Tags.of(app).add(key, value)


def main() -> None:
    """Write the templates, or exit with one message that lists the problems."""
    # The CDK CLI passes the context of cdk.json; `python app.py` without the CLI needs it too.
    defaults = json.loads(Path(__file__).with_name("cdk.json").read_text())["context"]
    app = cdk.App(context=defaults)
    try:
        build(app)
    except (SettingsError, ConfigurationError) as error:
        sys.exit(f"cdk-redis: {error}")
    app.synth()


if __name__ == "__main__":
    main()
