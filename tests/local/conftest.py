"""A local cloud for each module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cdk_redis_local import LocalCloud
from tests.local.support.clouds import Cloud


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with LocalCloud() as local:
        yield Cloud(local)
