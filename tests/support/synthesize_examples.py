"""Synthesizes all examples in one process: ``python synthesize_examples.py EXAMPLES OUT``.

Loading aws-cdk-lib and its validation takes several times as long as a synth. Each example gets a folder in ``OUT``
with its cloud assembly and, in ``output.txt``, what it printed. Imports nothing of tests, so that it runs in other
environments.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import runpy
import sys
from pathlib import Path

import aws_cdk as cdk

from cdk_redis import ConfigurationError, Durability, Engine, RedisNetwork, ReplicationGroup


def main(examples: Path, out: Path) -> None:
    """Run each example, and note the error about a feature that is newer than this aws-cdk-lib."""
    app_class = cdk.App
    for script in sorted([*examples.glob("*.py"), *examples.glob("*/app.py")]):
        folder = out / "-".join(script.relative_to(examples).with_suffix("").parts)
        cdk.App = functools.partial(app_class, outdir=str(folder))
        # jsii writes what Node.js prints to the buffer of sys.stderr.
        printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            runpy.run_path(str(script), run_name="__main__")
        (folder / "output.txt").write_bytes(printed.buffer.getvalue())
    (out / "durability.json").write_text(json.dumps(durability(cdk.Stack(app_class(), "Stack"))))


def durability(stack: cdk.Stack) -> str:
    """Define a durable store; returns the error, or nothing."""
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
