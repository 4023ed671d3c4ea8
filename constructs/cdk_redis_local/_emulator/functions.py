"""The processes that run Lambda functions: they end with the emulator, and when nothing needs them any more."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import subprocess
import threading
import time
import types

from ministack.core import lambda_runtime

from cdk_redis_local._core.spawning import start_bound
from cdk_redis_local._emulator.ministack import HANDLERS, Properties, scope

_VERSION = "AWS::Lambda::Version"
# How long a process waits for the next call of its function, and how often somebody looks.
_IDLE_SECONDS = 20.0
_LOOK_SECONDS = 5.0


def bind_function_processes() -> None:
    """Have functions end with the emulator's process, in the middle of a call too."""
    lambda_runtime.subprocess = types.SimpleNamespace(**{**vars(subprocess), "Popen": start_bound})  # pyright: ignore[reportAttributeAccessIssue]


def end_unused_function_processes() -> None:
    """Have a function's processes end when its version is deleted, and when nobody calls it for a while.

    The emulator keeps one for each version that was ever called. Each deploy that changes a function publishes one.
    """
    threading.Thread(target=_end_idle_processes, name="idle functions", daemon=True).start()
    emulated = HANDLERS[_VERSION]["delete"]

    def delete(physical_id: str, properties: Properties) -> None:
        emulated(physical_id, properties)
        # arn:aws:lambda:us-east-1:000000000000:function:the-name:7
        _, _, name_and_version = physical_id.partition(":function:")
        name, _, version = name_and_version.partition(":")
        account, region = scope()
        lambda_runtime.invalidate_worker(name, qualifier=version, account=account, region=region)

    HANDLERS[_VERSION]["delete"] = delete


def _end_idle_processes() -> None:
    while True:
        time.sleep(_LOOK_SECONDS)
        oldest = time.time() - _IDLE_SECONDS
        ended = []
        with lambda_runtime._lock:
            for key, workers in list(lambda_runtime._workers.items()):
                idle = [worker for worker in workers if not worker.in_use and worker.last_used < oldest]
                ended += idle
                lambda_runtime._workers[key] = [worker for worker in workers if worker not in idle]
                if not lambda_runtime._workers[key]:
                    del lambda_runtime._workers[key]
        lambda_runtime.kill_workers(ended)
