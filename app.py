"""The app: reads the settings of one environment and builds its stacks.

cdk deploy --all -c env=dev
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import aws_cdk as cdk

# Found here by who has installed requirements.txt and no more: a folder has no hash, so that it is not among them.
sys.path.append(str(Path(__file__).resolve().with_name("constructs")))

from cdk_redis import ConfigurationError
from stacks import ElastiCacheStack, MemoryDbStack, NetworkStack, Settings, SettingsError, SmokeTestStack

_DEFAULT_ENVIRONMENT = "dev"


def build(app: cdk.App) -> None:
    """Build the stacks of the environment that the context names.

    Raises:
        SettingsError: If the settings are wrong.
        ConfigurationError: If AWS would refuse what they ask for.
    """
    context = app.node.try_get_context
    name = context("env") or _DEFAULT_ENVIRONMENT
    settings = Settings.read(context("environments"), name, engine=context("engine"))
    # Left out, the templates fit any account and Region: synth asks AWS nothing, and is the same for everybody.
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
    """Write the templates, or end with one message about what is wrong."""
    # The CDK CLI hands the context of cdk.json over; without it, `python app.py` reads it here.
    defaults = json.loads(Path(__file__).with_name("cdk.json").read_text())["context"]
    app = cdk.App(context=defaults)
    try:
        build(app)
    except (SettingsError, ConfigurationError) as error:
        sys.exit(f"cdk-redis: {error}")
    app.synth()


if __name__ == "__main__":
    main()
