"""``cdk-redis`` and ``python -m cdk_redis_runtime``."""

from __future__ import annotations

from cdk_redis_runtime._command import main

if __name__ == "__main__":
    raise SystemExit(main())
