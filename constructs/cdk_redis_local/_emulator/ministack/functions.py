"""The processes that run Lambda functions: they end with the emulator or when unused, and log while they run."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import contextvars
import fcntl
import struct
import subprocess
import termios
import threading
import time
import types
import uuid
import weakref
from datetime import datetime, timezone
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import cloudwatch_logs, lambda_svc

from cdk_redis_local._core.spawning import start_bound
from cdk_redis_local._emulator.insides import replace
from cdk_redis_local._emulator.ministack import HANDLERS, Properties, scope

_VERSION = "AWS::Lambda::Version"
# Idle seconds after which a function's process ends, and seconds between two checks.
_IDLE_SECONDS = 20.0
_LOOK_SECONDS = 5.0
# Longest wait for the log lines of an invocation, in seconds, if a busy machine does not read them.
_LOG_SECONDS = 10.0


def bind_function_processes() -> None:
    """Let functions end with the emulator's process, even during an invocation."""
    replace(lambda_runtime, "subprocess", types.SimpleNamespace(**{**vars(subprocess), "Popen": start_bound}))


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


def keep_log_lines() -> None:
    """Read all that a function has logged before its result is returned.

    The emulator waits 50 ms for the first line. On a busy machine, the thread that reads the lines can take longer; the
    lines of that invocation were lost, with the report of a smoke test among them.
    """
    emulated = lambda_runtime.Worker._drain_stderr_bounded

    def drain(
        self: lambda_runtime.Worker, first_line_wait: float = 0.25, idle_confirm: float = 0.05, hard_cap: float = 1.0
    ) -> str:
        # A function writes its lines before its result, so they are all in the pipe.
        deadline = time.monotonic() + _LOG_SECONDS
        while _unread_bytes(self._proc) and time.monotonic() < deadline:
            time.sleep(0.001)
        return emulated(self, first_line_wait, idle_confirm, hard_cap)

    replace(lambda_runtime.Worker, "_drain_stderr_bounded", drain)


def log_while_running() -> None:
    """Write each line that a function logs to its log group at once, as Lambda does.

    The emulator writes all lines when the invocation ends, so that no function could be followed while it runs.
    """
    invoke, emit = lambda_runtime.Worker.invoke, lambda_svc._emit_lambda_logs
    # The log of each invocation that has not ended.
    open_logs: dict[str, _LiveLog] = {}
    # The log of the last invocation of each process.
    live_logs: weakref.WeakKeyDictionary[lambda_runtime.Worker, _LiveLog] = weakref.WeakKeyDictionary()

    def invoke_with_log(self: lambda_runtime.Worker, event: Any, request_id: str, **options: Any) -> dict[str, Any]:
        live_logs[self] = open_logs[request_id] = _LiveLog(self.config)
        return invoke(self, event, request_id, **options)

    def read_lines(self: lambda_runtime.Worker) -> None:
        for line in self._proc.stderr:  # pyright: ignore[reportOptionalMemberAccess]
            text = line.rstrip("\n")
            if (live := live_logs.get(self)) is not None:
                live.write(text)
            self._stderr_queue.put(text)

    def emit_the_rest(function: Any, request_id: str, log_text: str, *arguments: Any, **options: Any) -> None:
        live = open_logs.pop(request_id, None)
        emit(function, request_id, live.not_in(log_text) if live else log_text, *arguments, **options)

    replace(lambda_runtime.Worker, "invoke", invoke_with_log)
    replace(lambda_runtime.Worker, "_read_stderr", read_lines)
    replace(lambda_svc, "_emit_lambda_logs", emit_the_rest)


class _LiveLog:
    """The log stream of one invocation."""

    def __init__(self, config: dict[str, Any]) -> None:
        # The account and the Region, for the thread that reads the lines.
        self._context = contextvars.copy_context()
        group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
        day = datetime.now(timezone.utc).strftime("%Y/%m/%d")
        self._names = {"logGroupName": group, "logStreamName": f"{day}/[{config.get('Version')}]{uuid.uuid4().hex}"}
        self._lines: list[str] = []

    def write(self, line: str) -> None:
        if not self._lines:
            # Each answers with an error if it exists.
            self._context.run(cloudwatch_logs._create_log_group, self._names)
            self._context.run(cloudwatch_logs._create_log_stream, self._names)
        self._lines.append(line)
        event = {"timestamp": int(time.time() * 1000), "message": line}
        self._context.run(cloudwatch_logs._put_log_events, {**self._names, "logEvents": [event]})

    def not_in(self, text: str) -> str:
        """What the log of the whole invocation has beyond these lines: the trace of an error."""
        for line in self._lines:
            if text != line and not text.startswith(f"{line}\n"):
                break
            text = text[len(line) + 1 :]
        return text


def _unread_bytes(process: subprocess.Popen[str] | None) -> int:
    """Bytes in the pipe of a process's log that nobody has read."""
    if process is None or process.stderr is None or process.stderr.closed:
        return 0
    return struct.unpack("i", fcntl.ioctl(process.stderr.fileno(), termios.FIONREAD, b"\0" * 4))[0]


def _end_idle_processes() -> None:
    while True:
        time.sleep(_LOOK_SECONDS)
        oldest = time.time() - _IDLE_SECONDS
        ended = []
        with lambda_runtime._lock:
            for key, workers in list(lambda_runtime._workers.items()):
                idle = [worker for worker in workers if _is_idle(worker, oldest)]
                ended += idle
                lambda_runtime._workers[key] = [worker for worker in workers if worker not in idle]
                if not lambda_runtime._workers[key]:
                    del lambda_runtime._workers[key]
        lambda_runtime.kill_workers(ended)


def _is_idle(worker: lambda_runtime.Worker, oldest: float) -> bool:
    return not worker.in_use and worker.last_used < oldest
