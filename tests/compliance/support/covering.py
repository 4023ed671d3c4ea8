"""Chooses the combinations of parameters that cfn-lint reads.

aws-cdk-lib validates all combinations. cfn-lint needs some 40 ms for each store, and its rules read one property, or
compare two: so it reads the combinations with a value, or with a pair of parameters, that no earlier one has.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping


class Covering:
    """Values, and pairs of parameters, of the combinations so far."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str]] = set()

    def is_new(self, combination: Mapping[str, object]) -> bool:
        """Whether it has a value or a pair of parameters that none of those that were added has."""
        return not self._parts(combination) <= self._seen

    def add(self, combination: Mapping[str, object]) -> None:
        """Add a combination."""
        self._seen |= self._parts(combination)

    @staticmethod
    def _parts(combination: Mapping[str, object]) -> set[tuple[str, str]]:
        # Any number is as good as another: the rules know only their limits, which the constructors check.
        values = {(name, "a number" if type(value) is int else repr(value)) for name, value in combination.items()}
        return values | set(itertools.combinations(sorted(combination), 2))
