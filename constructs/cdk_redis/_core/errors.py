"""How the library refuses wrong input: one error that lists every problem of one construct."""

from __future__ import annotations

from collections.abc import Iterable

from constructs import IConstruct

from cdk_redis._core.tokens import is_token


class ConfigurationError(ValueError):
    """Parameters that AWS would refuse, found before anything is deployed.

    Attributes:
        where: Path of the construct, or the name of the value, that was given the parameters.
        problems: One sentence a problem: the parameter, what was given, what is allowed, how to fix it.
    """

    def __init__(self, where: str, problems: Iterable[str]) -> None:
        """Describe the problems.

        Args:
            where: Path of the construct (``CacheStack/Cache``) or name of the value (``Engine.valkey``).
            problems: At least one problem, see `problem`.
        """
        self.where = where
        self.problems = tuple(problems)
        super().__init__(self._message())

    def _message(self) -> str:
        if len(self.problems) == 1:
            return f"{self.where}: {self.problems[0]}"
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        return f"{self.where}: {len(self.problems)} problems{lines}"

    def __reduce__(self) -> tuple[type[ConfigurationError], tuple[str, tuple[str, ...]]]:
        """Let the error cross a process border whole (an exception pickles only its message)."""
        return type(self), (self.where, self.problems)


def problem(parameter: str, given: object, reason: str, hint: str = "") -> str:
    """Word one problem, always in the same order.

    Args:
        parameter: Name of the parameter, as the user wrote it.
        given: The value received.
        reason: Why it is refused, as a phrase that says what is allowed: ``"a shard has 0 to 5 replicas"``.
        hint: What to do about it. Default: - nothing more is said.
    """
    sentence = f"{parameter}: got {given!r}, but {reason}"
    return f"{sentence}; {hint}" if hint else sentence


class Problems:
    """Collects the problems of one construct, so that all are told at once."""

    def __init__(self, where: IConstruct | str) -> None:
        """Start with none.

        Args:
            where: The construct under construction, or the name of a value.
        """
        self._where = where if isinstance(where, str) else where.node.path
        self._found: list[str] = []

    def add(self, parameter: str, given: object, reason: str, hint: str = "") -> None:
        """Note a problem, worded by `problem`."""
        self._found.append(problem(parameter, given, reason, hint))

    def note(self, worded: str | None) -> None:
        """Note a problem that a value worded itself; None is no problem."""
        if worded is not None:
            self._found.append(worded)

    def check_range(self, parameter: str, given: int | None, low: int, high: int, what: str, hint: str = "") -> None:
        """Note a problem if a number is outside ``low..high``; tokens and None pass.

        Args:
            parameter: Name of the parameter.
            given: The value; None means that it was not given.
            low: Smallest value allowed.
            high: Largest value allowed.
            what: What is counted, for the message: ``"a shard has {low} to {high} replicas"``.
            hint: What to do about it.
        """
        if given is None or is_token(given):
            return
        # A bool is an int to Python, and never what was meant.
        if isinstance(given, bool) or not isinstance(given, int) or not low <= given <= high:
            self.add(parameter, given, what.format(low=low, high=high), hint)

    def join(self, others: Problems) -> None:
        """Note the problems that were found elsewhere, too."""
        self._found += others._found

    def raise_if_any(self) -> None:
        """End the checks.

        Raises:
            ConfigurationError: With every problem noted so far.
        """
        if self._found:
            raise ConfigurationError(self._where, self._found)
