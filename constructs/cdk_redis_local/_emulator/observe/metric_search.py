"""``SEARCH`` of CloudWatch's metric math: finds metrics by namespace, names of dimensions, and words.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_SCHEMA = re.compile(r"\s*\{(?P<schema>[^}]*)\}\s*(?P<terms>.*)", re.DOTALL)
_WORD = re.compile(r'\s*(?:([():=])|"([^"]*)"|([^\s():="]+))')


class SearchTerms:
    """A search text such as ``{AWS/ElastiCache,CacheClusterId} MetricName="CurrItems" AND app``.

    Words in quotation marks match whole values; others also match words of a value, such as ``app`` in ``app-001``.
    """

    def __init__(self, text: str) -> None:
        """Read the text.

        Raises:
            ValueError: It has an error.
        """
        found = _SCHEMA.fullmatch(text)
        schema = [part.strip().strip('"') for part in found["schema"].split(",")] if found else []
        self._namespace = schema[0] if schema else None
        self._dimensions = set(schema[1:])
        self._words = _words(found["terms"] if found else text)
        self._at = 0

    def matches(self, namespace: str, name: str, dimensions: Mapping[str, str]) -> bool:
        """Whether a metric is found."""
        if self._namespace not in (None, namespace):
            return False
        if self._dimensions and self._dimensions != {*dimensions}:
            return False
        values = {"Namespace": namespace, "MetricName": name, **dimensions}
        self._at = 0
        return not self._words or self._any(values)

    def _any(self, values: Mapping[str, str]) -> bool:
        result = self._all(values)
        while self._take("OR"):
            # Both sides are read, whatever the first one is.
            result = self._all(values) or result
        return result

    def _all(self, values: Mapping[str, str]) -> bool:
        result = self._term(values)
        while self._at < len(self._words) and self._words[self._at] not in (("OR", False), (")", False)):
            self._take("AND")
            result = self._term(values) and result
        return result

    def _term(self, values: Mapping[str, str]) -> bool:
        if self._take("NOT"):
            return not self._term(values)
        if self._take("("):
            result = self._any(values)
            self._take(")")
            return result
        word, exact = self._next()
        if self._take("="):
            return self._value(values.get(word), self._words[self._at : self._at + 1] == [("(", False)])
        return any(_fits(word, value, exact=exact) for value in values.values())

    def _value(self, value: str | None, group: bool) -> bool:
        """The right side of ``name=value`` or ``name=(value OR value)``."""
        if not group:
            word, exact = self._next()
            return value is not None and _fits(word, value, exact=exact)
        self._take("(")
        result = False
        while not self._take(")"):
            if not self._take("OR"):
                word, exact = self._next()
                result = (value is not None and _fits(word, value, exact=exact)) or result
        return result

    def _take(self, word: str) -> bool:
        if self._words[self._at : self._at + 1] != [(word, False)]:
            return False
        self._at += 1
        return True

    def _next(self) -> tuple[str, bool]:
        if self._at >= len(self._words):
            raise ValueError("the search ends too early")
        self._at += 1
        return self._words[self._at - 1]


def _words(text: str) -> list[tuple[str, bool]]:
    """The words of a text, with whether each is in quotation marks."""
    found: list[tuple[str, bool]] = []
    for sign, quoted, word in _WORD.findall(text):
        found.append((sign or word, False) if sign or word else (quoted, True))
    return found


def _fits(word: str, value: str, *, exact: bool) -> bool:
    if exact:
        return word == value
    # CloudWatch divides values into words at signs and at changes of case.
    parts = re.split(r"[^A-Za-z0-9]+", value)
    asked = [part.lower() for part in re.split(r"[^A-Za-z0-9]+", word) if part]
    lower = [part.lower() for part in parts if part]
    runs = [lower[start : start + len(asked)] for start in range(len(lower) - len(asked) + 1)]
    return word.lower() == value.lower() or asked in runs
