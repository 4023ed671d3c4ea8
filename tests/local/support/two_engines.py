"""Redis and Valkey, for tests of upgrades from one to the other."""

from __future__ import annotations

import pytest

from cdk_redis_local import find_engines

OLD, NEW = (next((program for program in find_engines() if program.name == name), None) for name in ("redis", "valkey"))

needs_two_engines = pytest.mark.skipif(OLD is None or NEW is None, reason="an upgrade needs Redis and Valkey")
