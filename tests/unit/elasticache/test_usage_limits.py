"""Usage limits of serverless caches."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest

from cdk_redis import ConfigurationError, UsageLimits


@pytest.mark.parametrize(
    "given",
    [
        {"data_storage_gb": (1, 5_000)},
        {"data_storage_gb": (None, 1)},
        {"ecpu_per_second": (1_000, 15_000_000)},
        {"ecpu_per_second": (1_000, None)},
        {"data_storage_gb": (10, 10), "ecpu_per_second": (5_000, 5_000)},
    ],
)
def test_bounds_in_range_are_accepted(given: dict[str, Any]) -> None:
    limits = UsageLimits(**given)
    assert limits == UsageLimits(given.get("data_storage_gb"), given.get("ecpu_per_second"))


def test_upper_bounds_have_a_short_form() -> None:
    assert UsageLimits.at_most(data_storage_gb=2, ecpu_per_second=1_000) == UsageLimits((None, 2), (None, 1_000))
    assert UsageLimits.at_most(data_storage_gb=2).ecpu_per_second is None


GB = "a limit is 1 to 5,000 GB"
UNITS = "a limit is 1,000 to 15,000,000 a second"
FORM = "bounds are (minimum, maximum), and one of them may be None; write (None, 10)"
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"data_storage_gb": (0, 10)}, f"data_storage_gb: got 0, but {GB}"),
    ({"data_storage_gb": (1, 5_001)}, f"data_storage_gb: got 5001, but {GB}"),
    ({"data_storage_gb": (1, 2.5)}, f"data_storage_gb: got 2.5, but {GB}"),
    ({"data_storage_gb": (True, 2)}, f"data_storage_gb: got True, but {GB}"),
    ({"ecpu_per_second": (None, 999)}, f"ecpu_per_second: got 999, but {UNITS}"),
    ({"ecpu_per_second": (1_000, 15_000_001)}, f"ecpu_per_second: got 15000001, but {UNITS}"),
    (
        {"data_storage_gb": (20, 10)},
        "data_storage_gb: got (20, 10), but the minimum must not be greater than the maximum; swap them",
    ),
    ({"data_storage_gb": 10}, f"data_storage_gb: got 10, but {FORM}"),
    ({"data_storage_gb": (None, None)}, f"data_storage_gb: got (None, None), but {FORM}"),
    ({"ecpu_per_second": (1, 2, 3)}, f"ecpu_per_second: got (1, 2, 3), but {FORM}"),
    (
        {},
        "data_storage_gb: got None, but at least one limit is needed; "
        "set `data_storage_gb` or `ecpu_per_second`, or leave `usage_limits` out",
    ),
]


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_invalid_bounds_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        UsageLimits(**given)
    assert str(caught.value) == f"UsageLimits: {message}"


def test_all_problems_are_listed() -> None:
    with pytest.raises(ConfigurationError, match="2 problems"):
        UsageLimits(data_storage_gb=(0, 1), ecpu_per_second=(0, 1_000))


def test_tokens_pass() -> None:
    token: Any = cdk.Token.as_number(cdk.Fn.ref("Most"))
    assert UsageLimits.at_most(data_storage_gb=token).data_storage_gb == (None, token)
