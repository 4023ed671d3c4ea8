"""Entry point of the server's process: checks the emulator before any other module imports it."""

from __future__ import annotations

import importlib
import sys

from cdk_redis_local._emulator.insides import EmulatorChangedError, check_insides


def main() -> None:
    """Serve until killed; end with a message if the emulator does not fit."""
    try:
        check_insides()
    except EmulatorChangedError as error:
        sys.exit(str(error))
    importlib.import_module("cdk_redis_local._emulator.server").main()


if __name__ == "__main__":
    main()
