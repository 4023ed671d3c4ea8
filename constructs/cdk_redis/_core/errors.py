"""The error for invalid parameters: it lists all problems of one construct."""

from __future__ import annotations

from collections.abc import Iterable

from constructs import IConstruct

from cdk_redis._core.tokens import is_token


class ConfigurationError(ValueError):
    """Parameters that AWS would reject, found at synth.

    Attributes:
        where: Path of the construct, or name of the value, that has the parameters.
        problems: One sentence for each problem: the parameter, what was given, what is allowed, how to fix it.
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
        """Pickle `where` and `problems` too; by default, an exception pickles only its message."""
        return type(self), (self.where, self.problems)


def problem(parameter: str, given: object, reason: str, hint: str = "") -> str:
    """Describe one problem.

    Args:
        parameter: Name of the parameter.
        given: Its value.
        reason: What is allowed, such as ``"a shard has 0 to 5 replicas"``.
        hint: How to fix it. Default: - no hint.
    """
    sentence = f"{parameter}: got {given!r}, but {reason}"
    return f"{sentence}; {hint}" if hint else sentence


class Problems:
    """Collects the problems of one construct, so that one error lists all of them."""

    def __init__(self, where: IConstruct | str) -> None:
        """Start without problems.

        Args:
            where: The construct whose parameters are checked, or the name of a value.
        """
        self._where = where if isinstance(where, str) else where.node.path
        self._found: list[str] = []

    @property
    def found(self) -> tuple[str, ...]:
        """The problems noted so far."""
        return tuple(self._found)

    def add(self, parameter: str, given: object, reason: str, hint: str = "") -> None:
        """Add a problem; see the function `problem` for the arguments."""
        self._found.append(problem(parameter, given, reason, hint))

    def note(self, sentence: str | None) -> None:
        """Add a problem that is a complete sentence; None adds nothing."""
        if sentence is not None:
            self._found.append(sentence)

    def check_range(self, parameter: str, given: int | None, low: int, high: int, what: str, hint: str = "") -> None:
        """Add a problem if a value is not a whole number in ``low..high``; tokens and None pass.

        Args:
            parameter: Name of the parameter.
            given: The value; None means that the parameter was left out.
            low: Smallest value allowed.
            high: Largest value allowed.
            what: Reason for the message, such as ``"a shard has {low} to {high} replicas"``.
            hint: How to fix it.
        """
        if given is None or is_token(given):
            return
        # In Python, bool is a subclass of int.
        if isinstance(given, bool) or not isinstance(given, int) or not low <= given <= high:
            self.add(parameter, given, what.format(low=low, high=high), hint)

    def join(self, others: Problems) -> None:
        """Add all problems of another object."""
        self._found += others._found

    def raise_if_any(self) -> None:
        """Raise an error if there are problems.

        Raises:
            ConfigurationError: With all problems so far.
        """
        if self._found:
            raise ConfigurationError(self._where, self._found)
