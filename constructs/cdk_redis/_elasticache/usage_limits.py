"""Usage limits: bounds for the scaling of a serverless cache.

Example:
    >>> UsageLimits.at_most(data_storage_gb=10, ecpu_per_second=5_000).data_storage_gb
    (None, 10)
    >>> UsageLimits(ecpu_per_second=(1_000, 50_000)).ecpu_per_second
    (1000, 50000)
"""

from __future__ import annotations

from dataclasses import dataclass

from cdk_redis._core.errors import Problems
from cdk_redis._core.tokens import is_token

Bounds = tuple["int | None", "int | None"]

# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Scaling.html
_GIGABYTES = (1, 5_000)
_UNITS = (1_000, 15_000_000)


@dataclass(frozen=True)
class UsageLimits:
    """Bounds of a serverless cache. Changing them is an update in place.

    AWS charges for the lower bound even if it is not used; that capacity is available at once. At the upper bound of
    the data, the cache evicts keys that have a time to live, and then rejects writes. At the upper bound of the
    processing units, it slows down requests.

    Attributes:
        data_storage_gb: Least and most data, in gigabytes, each 1 to 5,000; None in place of either leaves it to the
            service. Default: - no bounds.
        ecpu_per_second: Least and most ElastiCache processing units a second, each 1,000 to 15,000,000; None in place
            of either leaves it to the service. Default: - no bounds.
    """

    data_storage_gb: Bounds | None = None
    ecpu_per_second: Bounds | None = None

    def __post_init__(self) -> None:
        """Check the bounds; tokens pass."""
        problems = Problems("UsageLimits")
        _check(problems, "data_storage_gb", self.data_storage_gb, _GIGABYTES, "a limit is {low:,} to {high:,} GB")
        _check(problems, "ecpu_per_second", self.ecpu_per_second, _UNITS, "a limit is {low:,} to {high:,} a second")
        if self.data_storage_gb is None and self.ecpu_per_second is None:
            problems.add(
                "data_storage_gb",
                None,
                "at least one limit is needed",
                "set `data_storage_gb` or `ecpu_per_second`, or leave `usage_limits` out",
            )
        problems.raise_if_any()

    @classmethod
    def at_most(cls, *, data_storage_gb: int | None = None, ecpu_per_second: int | None = None) -> UsageLimits:
        """Only upper bounds, which limit the costs.

        Args:
            data_storage_gb: Maximum data, in gigabytes, 1 to 5,000. Default: - no limit.
            ecpu_per_second: Maximum ElastiCache processing units a second, 1,000 to 15,000,000. Default: - no limit.

        Raises:
            ConfigurationError: If one is out of range, or neither is given.
        """
        return cls(
            None if data_storage_gb is None else (None, data_storage_gb),
            None if ecpu_per_second is None else (None, ecpu_per_second),
        )


def _check(problems: Problems, parameter: str, bounds: object, allowed: tuple[int, int], what: str) -> None:
    if bounds is None:
        return
    if not isinstance(bounds, tuple) or len(bounds) != 2 or bounds == (None, None):
        problems.add(
            parameter, bounds, "bounds are (minimum, maximum), and one of them may be None", "write (None, 10)"
        )
        return
    for bound in bounds:
        problems.check_range(parameter, bound, *allowed, what)
    least, most = bounds
    if isinstance(least, int) and isinstance(most, int) and not is_token(least) and not is_token(most) and least > most:
        problems.add(parameter, bounds, "the minimum must not be greater than the maximum", "swap them")
