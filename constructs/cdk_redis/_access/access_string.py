"""Access strings: the ACL rules that say what a user may do.

Example:
    >>> str(AccessString.on().keys("app:*").allow("@read", "@connection"))
    'on ~app:* +@read +@connection'
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar

import aws_cdk as cdk

from cdk_redis._core.checks import check_flags
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.tokens import is_token
from cdk_redis_runtime._client.environment import SHARDED_PUBSUB_COMMANDS, SMOKE_TEST_COMMANDS

# ElastiCache rejects all others: "Access string contains invalid category(s)".
_CATEGORIES = (
    *("admin", "all", "bitmap", "blocking", "connection", "dangerous", "fast", "geo", "hash", "hyperloglog"),
    *("keyspace", "list", "pubsub", "read", "scripting", "set", "slow", "sortedset", "stream", "string"),
    *("transaction", "write"),
)
_KEYWORDS = (
    *("on", "off", "allkeys", "allchannels", "allcommands", "nocommands"),
    *("sanitize-payload", "skip-sanitize-payload", "clearselectors"),
)
# The engine accepts these rules and the services reject them: "Password rules are not supported in Elasticache access
# string", "reset rule is not supported in Elasticache user api".
_PASSWORD_WORDS = ("nopass", "resetpass")
_PASSWORD_SIGN = re.compile("[><#!]")
_RESET_WORDS = ("reset", "resetkeys", "resetchannels")

_COMMAND = re.compile(r"[a-z][a-z0-9._-]*(\|[a-z0-9_-]+)?")
_KEY_PATTERN_SIGN = re.compile(r"~|%(?:R|W|RW|WR)~", re.IGNORECASE)
_GLOB = re.compile(r"[*?\[\]\\]")

# Clients send these commands when they connect and when a cluster changes. `-@dangerous` denies INFO in every engine,
# and all subcommands of CLUSTER in engines before 7.0.
_CLIENT_COMMANDS = ("info", "cluster|slots", "cluster|shards", "cluster|nodes")


@dataclass(frozen=True)
class AccessString:
    """The ACL rules of a user, as an immutable value; ``str()`` gives the text for AWS.

    Start with `read_write`, `read_only` or `all_access`, or add rules to `on` one by one. Commands, keys and channels
    that no rule allows are denied. Later rules override earlier ones.

    Parameters for an access string also accept its text, which is checked in the same way, see `from_text`.

    Attributes:
        rules: The rules in order, such as ``("on", "~app:*", "+@read")``.
        checked: Whether the rules are checked; see `unchecked`.
    """

    TEXT_EXAMPLE: ClassVar[str] = "on ~app:* +@read"

    rules: tuple[str, ...]
    checked: bool = field(default=True, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check each rule, and then the rules together.

        Raises:
            ConfigurationError: For rules that AWS or the engine rejects.
        """
        rules: object = self.rules
        if not isinstance(rules, tuple) or not all(isinstance(rule, str) for rule in rules):
            # Only the type: the rules may contain a password.
            reason = "the rules are a tuple of strings"
            hint = "for text, use AccessString.from_text"
            raise ConfigurationError("AccessString", [problem("rules", type(rules), reason, hint)])
        flags = Problems("AccessString")
        check_flags(flags, checked=self.checked)
        flags.raise_if_any()
        if self.checked and (problems := _problems_of(self.rules)):
            raise ConfigurationError("AccessString", problems)

    @classmethod
    def on(cls) -> AccessString:
        """A user that can sign in, with no permissions yet."""
        return cls(("on",))

    @classmethod
    def off(cls) -> AccessString:
        """A user that cannot sign in."""
        return cls(("off", "-@all"))

    @classmethod
    def read_write(cls, *key_patterns: str) -> AccessString:
        """Read and write some keys, with every command that is not in ``@admin`` or ``@dangerous``.

        Cluster clients work. ``FLUSHALL``, ``CONFIG``, ``KEYS`` and ``SORT`` are among the denied commands; `allow`
        those that you need. Channels are denied until you allow some with `channels`. Commands without a key argument,
        such as ``SCAN`` and ``DBSIZE``, are not limited to the patterns: they show the names and number of all keys.

        Args:
            key_patterns: Glob patterns of keys, ``"app:*"``; ``"*"`` for all.

        Raises:
            ConfigurationError: If there is no pattern, or if one is empty or contains white space.
        """
        return cls.on()._keys("read_write", key_patterns)._without_dangerous("@all")

    @classmethod
    def read_only(cls, *key_patterns: str) -> AccessString:
        """Read some keys, also from replicas and in transactions; `read_write` lists what is denied.

        Args:
            key_patterns: Glob patterns of keys, ``"app:*"``; ``"*"`` for all.

        Raises:
            ConfigurationError: If there is no pattern, or if one is empty or contains white space.
        """
        return cls.on()._keys("read_only", key_patterns)._without_dangerous("@read", "@connection", "@transaction")

    @classmethod
    def all_access(cls) -> AccessString:
        """All keys, all channels and all commands, including ``FLUSHALL`` and ``CONFIG``."""
        return cls(("on", "~*", "&*", "+@all"))

    @classmethod
    def smoke_test(cls, key_prefix: str, *, channels: bool = True, sharded_pubsub: bool = True) -> AccessString:
        """The permissions that the smoke test needs: its own keys and channels, and the commands that it sends.

        Args:
            key_prefix: Prefix of all its keys and channels, such as ``"cdk-redis-smoke:"``; not a pattern.
            channels: Whether the engine has channel rules, see `Engine.supports_channel_rules`. In older engines every
                user can use all channels.
            sharded_pubsub: Whether the engine has sharded publish/subscribe, which is new in 7.0. Engines reject an
                access string with a command that they do not know.

        Raises:
            ConfigurationError: If the prefix is empty, or contains white space, a token or a pattern character.
        """
        if is_token(key_prefix) or not _is_word(key_prefix) or _GLOB.search(key_prefix):
            reason = r"a prefix is text without tokens, white space or the pattern characters * ? [ ] \ in it"
            raise ConfigurationError("AccessString.smoke_test", [problem("key_prefix", key_prefix, reason)])
        left_out = () if sharded_pubsub else SHARDED_PUBSUB_COMMANDS
        commands = [command for command in SMOKE_TEST_COMMANDS if command not in left_out]
        own = f"{key_prefix}*"
        limited = cls.on().keys(own).channels(own) if channels else cls.on().keys(own)
        return limited.allow(*commands)

    @classmethod
    def from_text(cls, text: str) -> AccessString:
        """Read and check an access string.

        Args:
            text: The rules, separated by spaces: ``"on ~app:* -@all +@read"``. ``on`` or ``off`` is required, because
                AWS treats an access string with neither as ``off``. Clients of a store in cluster mode need
                ``+cluster|slots``, which is in no category of reads or writes. Rules that contain a token pass
                unchecked.

        Raises:
            ConfigurationError: For rules that AWS or the engine rejects. Passwords are rejected too, and the message
                does not repeat them.
        """
        given: object = text
        if not isinstance(given, str) or not given.strip():
            given = given if isinstance(given, (str, int, float, type(None))) else type(given)
            reason = f"an access string is text such as {cls.TEXT_EXAMPLE!r}"
            raise ConfigurationError("AccessString.from_text", [problem("text", given, reason)])
        return cls(tuple(_normal(rule) for rule in given.split()))

    @classmethod
    def from_other(cls, given: object) -> AccessString | None:
        """Read a token that is not text, such as an ``IResolvable``; None for anything else."""
        if isinstance(given, (int, float, list)) or not is_token(given):
            return None
        return cls((cdk.Token.as_string(given),))

    @classmethod
    def unchecked(cls, text: str) -> AccessString:
        """An access string that AWS accepts and this library rejects, such as one with a new category or a selector.

        Args:
            text: Passed to AWS as it is. Do not put a password into it: templates are not secret.

        Raises:
            ConfigurationError: If it is not text.
        """
        return cls((text,), checked=False)

    def keys(self, *patterns: str) -> AccessString:
        """Allow keys.

        Args:
            patterns: Glob patterns, ``"app:*"``. The engine rejects patterns after ``"*"``.

        Raises:
            ConfigurationError: If there is no pattern, or if one is empty or contains white space.
        """
        return self._keys("keys", patterns)

    def channels(self, *patterns: str) -> AccessString:
        """Allow publish/subscribe channels.

        Args:
            patterns: Glob patterns, ``"news:*"``. The engine rejects patterns after ``"*"``.

        Raises:
            ConfigurationError: If there is no pattern, or if one is empty or contains white space.
        """
        return self._with_rules(*_patterns("channels", "channel", "&", patterns))

    def allow(self, *commands: str) -> AccessString:
        """Allow commands.

        Args:
            commands: Commands ``"get"``, subcommands ``"cluster|slots"`` and categories ``"@read"``.

        Raises:
            ConfigurationError: If there is no command, or if AWS does not know the form or the category of one.
        """
        return self._with_rules(*_commands("allow", "+", commands))

    def deny(self, *commands: str) -> AccessString:
        """Deny commands that an earlier rule allows.

        Args:
            commands: Commands ``"get"``, subcommands ``"config|set"`` and categories ``"@dangerous"``.

        Raises:
            ConfigurationError: If there is no command, or if AWS does not know the form or the category of one.
        """
        return self._with_rules(*_commands("deny", "-", commands))

    def __str__(self) -> str:
        """The rules, separated by spaces."""
        return " ".join(self.rules)

    def _with_rules(self, *rules: str) -> AccessString:
        return AccessString((*self.rules, *rules), checked=self.checked)

    def _keys(self, method: str, patterns: tuple[str, ...]) -> AccessString:
        return self._with_rules(*_patterns(method, "key", "~", patterns))

    def _without_dangerous(self, *categories: str) -> AccessString:
        return self.allow(*categories).deny("@admin", "@dangerous").allow(*_CLIENT_COMMANDS)


def _patterns(method: str, kind: str, sign: str, patterns: tuple[str, ...]) -> list[str]:
    problems: list[str] = []
    if not patterns:
        problems.append(problem("patterns", patterns, f'at least one {kind} pattern is required; "*" allows all'))
    for pattern in patterns:
        if not _is_word(pattern):
            reason = f'a {kind} pattern is text without white space, such as "app:*"'
            problems.append(problem("patterns", _shown(pattern), reason))
    if problems:
        raise ConfigurationError(f"AccessString.{method}", problems)
    return [f"{sign}{pattern}" for pattern in patterns]


def _commands(method: str, sign: str, commands: tuple[str, ...]) -> list[str]:
    problems: list[str] = []
    if not commands:
        problems.append(problem("commands", commands, "at least one command or category is required"))
    problems += [found for command in commands if (found := _problem_of_command("commands", command, command))]
    if problems:
        raise ConfigurationError(f"AccessString.{method}", problems)
    return [_normal(f"{sign}{command}") for command in commands]


def _is_word(text: object) -> bool:
    """Whether the engine reads the text as one argument: no white space and no control characters."""
    return isinstance(text, str) and text != "" and text.isprintable() and " " not in text


def _normal(rule: str) -> str:
    """In lower case, except for patterns and tokens: keywords, categories and commands are not case-sensitive."""
    return rule if _KEY_PATTERN_SIGN.match(rule) or rule.startswith("&") or is_token(rule) else rule.lower()


def _has_password(rule: str) -> bool:
    """Whether the rule sets a password or may contain one; patterns can contain the same characters."""
    is_pattern = _KEY_PATTERN_SIGN.match(rule) or rule.startswith("&")
    return not is_pattern and _PASSWORD_SIGN.search(rule) is not None


def _shown(given: object) -> object:
    """The text for a message, cut off where a password may begin, because messages end up in logs."""
    sign = _PASSWORD_SIGN.search(given) if isinstance(given, str) else None
    return given if sign is None else f"{sign.string[: sign.end()]}..."


def _problems_of(rules: tuple[str, ...]) -> list[str]:
    problems: list[str] = []
    for rule in rules:
        if (found := _problem_of_rule(rule)) is not None:
            problems.append(found)
        if _has_password(rule):
            # A password can contain spaces: the rules after this one may be parts of it, so that no message names them.
            return problems
    return problems + _problems_together(rules)


def _problem_of_rule(rule: str) -> str | None:
    """Return the problem of one rule of an access string, or None if it is valid."""
    if _has_password(rule) or rule in _PASSWORD_WORDS:
        hint = "leave it out; `authentication` decides how the user signs in"
        return problem("rule", _shown(rule), "AWS rejects password rules in an access string", hint)
    if is_token(rule) or rule in _KEYWORDS:
        return None
    if rule in _RESET_WORDS:
        hint = "leave it out; a user starts without permissions"
        return problem("rule", rule, "AWS rejects reset rules in an access string", hint)
    sign = _KEY_PATTERN_SIGN.match(rule) or re.match("&", rule)
    if sign is not None:
        if _is_word(rule[sign.end() :]):
            return None
        return problem("rule", _shown(rule), 'a pattern is text without white space, such as "~app:*"')
    if rule.startswith(("+", "-")):
        return _problem_of_command("rule", rule, rule[1:])
    reason = "a rule is on, off, a ~key or &channel pattern, or +/- with a command or @category"
    return problem("rule", rule, reason, "for rules newer than this library, use AccessString.unchecked")


def _problem_of_command(parameter: str, given: object, command: object) -> str | None:
    if isinstance(command, str) and is_token(command):
        return None
    if isinstance(command, str) and command.startswith("@"):
        if command[1:].lower() in _CATEGORIES:
            return None
        return problem(parameter, _shown(given), f"the categories are {', '.join(_CATEGORIES)}")
    if isinstance(command, str) and _COMMAND.fullmatch(command.lower()):
        return None
    reason = 'a command looks like "get", a subcommand like "cluster|slots", a category like "@read"'
    return problem(parameter, _shown(given), reason)


def _problems_together(rules: tuple[str, ...]) -> list[str]:
    problems: list[str] = []
    if len({"on", "off"} & set(rules)) != 1 and not any(map(is_token, rules)):
        states = " ".join(rule for rule in rules if rule in ("on", "off"))
        reason = "an access string contains either on or off"
        problems.append(problem("rules", states, reason, "AWS treats one with neither as off: add on or off"))
    # The engine rejects patterns without effect: "Adding a pattern after the * pattern ... is not valid".
    for kind, everything, is_pattern in (
        ("key", ("~*", "allkeys"), _KEY_PATTERN_SIGN.match),
        ("channel", ("&*", "allchannels"), re.compile("&").match),
    ):
        allows_all = False
        for rule in rules:
            if allows_all and is_pattern(rule) and rule not in everything:
                reason = f"an earlier rule allows all {kind}s already"
                problems.append(problem("rule", _shown(rule), reason, f"leave out this rule or {everything[0]}"))
            allows_all = allows_all or rule in everything
    return problems
