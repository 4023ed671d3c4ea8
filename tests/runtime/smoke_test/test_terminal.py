"""The command as a process in a real terminal: at any width, and ended by signals."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable

import pytest

from cdk_redis_local import EngineSet, find_engine
from tests.runtime.support.battery import PASSWORD, PREFIX, smoke_user

pytestmark = pytest.mark.long

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def _take_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    # As in an interactive shell. Background processes of a script ignore Ctrl-C, children of nohup ignore SIGHUP.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Terminal:
    """Runs the command in its own terminal."""

    def __init__(self, engines: EngineSet, *arguments: str, columns: int = 100) -> None:
        host, port = engines.endpoint
        engine = find_engine()
        fixed = ["--host", host, "--port", str(port), "--user", "smoke", "--password-from", "STORE_PASSWORD"]
        fixed += ["--engine", engine.name, "--engine-version", engine.major_minor]
        self._screen, behind = pty.openpty()
        fcntl.ioctl(behind, termios.TIOCSWINSZ, struct.pack("HHHH", 100, columns, 0, 0))
        environment = {**os.environ, "SSL_CERT_FILE": engines.ca_file, "STORE_PASSWORD": PASSWORD, "TERM": "xterm"}
        environment = {name: value for name, value in environment.items() if name not in ("COLUMNS", "NO_COLOR")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cdk_redis_runtime", "smoke", *fixed, *arguments],
            env=environment,
            stdin=behind,
            stdout=behind,
            stderr=behind,
            preexec_fn=_take_terminal,
        )
        os.close(behind)
        self._bytes = b""

    def read_until(self, there: Callable[[], bool], seconds: float = 30) -> None:
        give_up = time.monotonic() + seconds
        while not there():
            assert time.monotonic() < give_up, self.shown
            if select.select([self._screen], [], [], 0.02)[0]:
                try:
                    self._bytes += os.read(self._screen, 65536)
                except OSError:  # the other end is closed
                    return

    def press_ctrl_c(self) -> None:
        os.write(self._screen, b"\x03")

    def end(self) -> int:
        self.read_until(lambda: False)
        os.close(self._screen)
        return self.process.wait(10)

    @property
    def shown(self) -> str:
        return self._bytes.decode(errors="ignore")

    @property
    def text(self) -> str:
        return _CONTROL.sub("", self.shown)


def _keys(engines: EngineSet) -> list[str]:
    return [key for node in engines.primaries for key in node.admin.scan_iter(match=f"{PREFIX}*")]


@pytest.mark.parametrize(
    ("end", "code", "name"),
    [
        (Terminal.press_ctrl_c, 130, "SIGINT"),
        (lambda terminal: terminal.process.send_signal(signal.SIGTERM), 143, "SIGTERM"),
        (lambda terminal: terminal.process.send_signal(signal.SIGHUP), 129, "SIGHUP"),
    ],
)
def test_signal_ends_the_command_with_one_line_a_visible_cursor_and_no_keys(
    end: Callable[[Terminal], object], code: int, name: str, start: Callable[..., EngineSet]
) -> None:
    engines = start(users=[smoke_user()])
    # The replica never comes, so write checks are tried again and write keys.
    terminal = Terminal(engines, "--replicas", "1", "--budget", "60")
    terminal.read_until(lambda: HIDE_CURSOR in terminal.shown)
    terminal.read_until(lambda: bool(_keys(engines)))
    end(terminal)
    assert terminal.end() == code, terminal.shown
    last = terminal.shown.rindex(HIDE_CURSOR)
    assert SHOW_CURSOR in terminal.shown[last:]
    assert f"cdk-redis: ended by {name} before it was done" in terminal.text
    assert "Traceback" not in terminal.text
    assert _keys(engines) == []


def test_signal_ends_the_command_soon_while_the_store_hangs(start: Callable[..., EngineSet]) -> None:
    engines = start(users=[smoke_user()])
    engines.nodes[0].freeze()
    try:
        terminal = Terminal(engines, "--budget", "60")
        terminal.read_until(lambda: HIDE_CURSOR in terminal.shown)
        terminal.press_ctrl_c()
        started = time.monotonic()
        assert terminal.end() == 130, terminal.shown
        assert time.monotonic() - started < 8
    finally:
        engines.nodes[0].resume()
    assert "Traceback" not in terminal.text


def test_second_ctrl_c_ends_the_command_at_once(start: Callable[..., EngineSet]) -> None:
    engines = start(users=[smoke_user()])
    engines.nodes[0].freeze()
    try:
        terminal = Terminal(engines, "--budget", "60")
        terminal.read_until(lambda: HIDE_CURSOR in terminal.shown)
        terminal.press_ctrl_c()
        time.sleep(0.3)
        terminal.press_ctrl_c()
        assert terminal.end() == 130, terminal.shown
    finally:
        engines.nodes[0].resume()
    assert SHOW_CURSOR in terminal.shown
    assert "Traceback" not in terminal.text


@pytest.mark.parametrize("columns", [20, 40, 60, 100, 200])
def test_reason_is_readable_at_any_width(columns: int, single: EngineSet) -> None:
    terminal = Terminal(single, "--engine-version", "99.9", "--budget", "2", columns=columns)
    assert terminal.end() == 1
    words = set(re.findall(r"[\w.]+", terminal.text))
    # Part of the reason of the failed check.
    assert {"declared", "99.9", "upgraded", "another"} <= words, terminal.text
    # What is left on the screen when the live table is removed.
    report = _CONTROL.sub("", terminal.shown.rpartition("\x1b[2K")[2].replace("\r", ""))
    assert max(map(len, report.split("\n"))) <= columns
