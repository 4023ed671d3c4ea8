"""Ends the processes that run Lambda functions, with the emulator and when they are not used any more."""

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
# Idle seconds after which a function's process ends, and seconds between two checks.
_IDLE_SECONDS = 20.0
_LOOK_SECONDS = 5.0


def bind_function_processes() -> None:
    """Let functions end with the emulator's process, even during an invocation."""
    lambda_runtime.subprocess = types.SimpleNamespace(**{**vars(subprocess), "Popen": start_bound})  # pyright: ignore[reportAttributeAccessIssue]


def end_unused_function_processes() -> None:
    """Let a function's processes end when its version is deleted, and after some idle seconds.

    The emulator keeps a process for each version that was invoked. Each deploy that changes a function publishes a
    version.
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
