"""Synthesizes every example in one process; run by test_lowest_versions.py in an environment of its own.

python synthesize_examples.py EXAMPLES OUT
"""

from __future__ import annotations

import functools
import json
import runpy
import sys
from pathlib import Path

import aws_cdk as cdk

from cdk_redis import ConfigurationError, Durability, Engine, RedisNetwork, ReplicationGroup


def main(examples: Path, out: Path) -> None:
    """Write the templates of each example, and what is said of a feature that is newer than this aws-cdk-lib."""
    app_class = cdk.App
    for script in sorted([*examples.glob("*.py"), *examples.glob("*/app.py")]):
        folder = out / "-".join(script.relative_to(examples).with_suffix("").parts)
        cdk.App = functools.partial(app_class, outdir=str(folder))
        runpy.run_path(str(script), run_name="__main__")
    (out / "durability.json").write_text(json.dumps(durability(cdk.Stack(app_class(), "Stack"))))


def durability(stack: cdk.Stack) -> str:
    """Define a durable store; gives the error, or nothing."""
    network = RedisNetwork(stack, "Network")
    large, engine = "cache.r7g.large", Engine.valkey("9.0")
    try:
        ReplicationGroup(
            stack, "Cache", network=network, engine=engine, node_type=large, shards=1, durability=Durability.SYNC
        )
    except ConfigurationError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
