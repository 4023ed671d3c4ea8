"""Access strings: what a user may do, in the words of Valkey's and Redis' access control lists.

Example:
    >>> str(AccessString.on().keys("app:*").allow("@read", "@connection"))
    'on ~app:* +@read +@connection'
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from cdk_redis._core.errors import ConfigurationError, problem
from cdk_redis._core.tokens import is_token
from cdk_redis_runtime._client.environment import SHARDED_PUBSUB_COMMANDS, SMOKE_TEST_COMMANDS

# ElastiCache refuses any other: "Access string contains invalid category(s)".
_CATEGORIES = (
    *("admin", "all", "bitmap", "blocking", "connection", "dangerous", "fast", "geo", "hash", "hyperloglog"),
    *("keyspace", "list", "pubsub", "read", "scripting", "set", "slow", "sortedset", "stream", "string"),
    *("transaction", "write"),
)
_KEYWORDS = (
    *("on", "off", "allkeys", "allchannels", "allcommands", "nocommands"),
    *("sanitize-payload", "skip-sanitize-payload", "clearselectors"),
)
# The engine knows these and the services do not: "Password rules are not supported in Elasticache access string",
# "reset rule is not supported in Elasticache user api".
_PASSWORD_WORDS = ("nopass", "resetpass")
_PASSWORD_SIGNS = (">", "<", "#", "!")
_RESET_WORDS = ("reset", "resetkeys", "resetchannels")

_COMMAND = re.compile(r"[a-z][a-z0-9._-]*(\|[a-z0-9_-]+)?")
_KEY_PATTERN_SIGN = re.compile(r"~|%(?:R|W|RW|WR)~", re.IGNORECASE)
_GLOB = re.compile(r"[*?\[\]\\]")

# What clients ask for when they connect and when a cluster changes shape, and what the categories below take away:
# engines before 7.0 count all of CLUSTER as dangerous, every engine counts INFO.
_CLIENT_COMMANDS = ("info", "cluster|slots", "cluster|shards", "cluster|nodes")


@dataclass(frozen=True)
class AccessString:
    """What a user may do. A value: every method gives a new one, and ``str()`` the text that AWS takes.

    Start with `read_write`, `read_only` or `all_access`, or build one rule by rule from `on`. A user may do nothing
    that no rule allows. Rules count in the order they are given: a later one wins.

    Attributes:
        rules: The rules, in order, as they stand in the text.
        checked: Whether the rules were checked; see `unchecked`.
    """

    rules: tuple[str, ...]
    checked: bool = field(default=True, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the rules, each and together."""
        if not self.checked:
            return
        problems = [found for rule in self.rules if (found := _problem_of_rule(rule))]
        problems += _problems_together(self.rules)
        if problems:
            raise ConfigurationError("AccessString", problems)

    @classmethod
    def on(cls) -> AccessString:
        """A user who can sign in, and may do nothing until more is allowed."""
        return cls(("on",))

    @classmethod
    def off(cls) -> AccessString:
        """A user who cannot sign in."""
        return cls(("off", "-@all"))

    @classmethod
    def read_write(cls, *key_patterns: str) -> AccessString:
        """Read and write some keys, with any command that is neither for administrators nor dangerous.

        Cluster clients work. Denied are, among others, ``FLUSHALL``, ``CONFIG``, ``KEYS`` and ``SORT``; `allow` what
        is needed all the same. Channels are denied too, until `channels` names some. Commands that take no key, such
        as ``SCAN`` and ``DBSIZE``, tell of all keys' names and number: the engine does not limit them to a pattern.

        Args:
            key_patterns: Glob patterns of keys, ``"app:*"``; ``"*"`` for all.

        Raises:
            ConfigurationError: If there is no pattern, or one is empty or has white space.
        """
        return cls.on()._keys("read_write", key_patterns)._safely("@all")

    @classmethod
    def read_only(cls, *key_patterns: str) -> AccessString:
        """Read some keys, also from replicas and inside transactions; see `read_write` for what stays denied.

        Args:
            key_patterns: Glob patterns of keys, ``"app:*"``; ``"*"`` for all.

        Raises:
            ConfigurationError: If there is no pattern, or one is empty or has white space.
        """
        return cls.on()._keys("read_only", key_patterns)._safely("@read", "@connection", "@transaction")

    @classmethod
    def all_access(cls) -> AccessString:
        """Everything: all keys, all channels, all commands, ``FLUSHALL`` and ``CONFIG`` among them."""
        return cls(("on", "~*", "&*", "+@all"))

    @classmethod
    def smoke_test(cls, key_prefix: str, *, channels: bool = True, sharded_pubsub: bool = True) -> AccessString:
        """What the smoke test needs and no more: its own keys and channels, and the commands that it sends.

        Args:
            key_prefix: Beginning of every key and channel it touches, ``"cdk-redis-smoke:"``; not a pattern.
            channels: Whether the engine knows rules about channels, see `Engine.supports_channel_rules`. An older one
                lets everybody use all of them.
            sharded_pubsub: Whether the engine has sharded channels: it is 7.0 or newer. An older one refuses an access
                string with commands that it does not know.

        Raises:
            ConfigurationError: If the prefix is empty, or has white space or a character of patterns.
        """
        if is_token(key_prefix) or not _is_word(key_prefix) or _GLOB.search(key_prefix):
            reason = r"a prefix is known text with no white space and none of the characters * ? [ ] \ of patterns"
            raise ConfigurationError("AccessString.smoke_test", [problem("key_prefix", key_prefix, reason)])
        left_out = () if sharded_pubsub else SHARDED_PUBSUB_COMMANDS
        commands = [command for command in SMOKE_TEST_COMMANDS if command not in left_out]
        own = f"{key_prefix}*"
        limited = cls.on().keys(own).channels(own) if channels else cls.on().keys(own)
        return limited.allow(*commands)

    @classmethod
    def of(cls, text: str) -> AccessString:
        """Read and check an access string; a token passes unchecked.

        Args:
            text: As AWS takes it, ``"on ~app:* -@all +@read"``. It must say ``on`` or ``off``: AWS takes neither
                as off.

        Raises:
            ConfigurationError: For rules that AWS refuses, passwords among them, and for rules that are none.
        """
        if is_token(text):
            return cls.unchecked(text)
        words: object = text
        if not isinstance(words, str):
            reason = 'an access string is text, such as "on ~app:* +@read"'
            raise ConfigurationError("AccessString.of", [problem("text", text, reason)])
        return cls(tuple(_normal(rule) for rule in words.split()))

    @classmethod
    def unchecked(cls, text: str) -> AccessString:
        """An access string that this library would refuse and AWS accepts: a new category, a selector.

        Args:
            text: Goes to AWS as it is. Never put a password into it: templates are not secret.
        """
        return cls((text,), checked=False)

    def keys(self, *patterns: str) -> AccessString:
        """Allow keys.

        Args:
            patterns: Glob patterns, ``"app:*"``. After ``"*"`` the engine accepts no other.

        Raises:
            ConfigurationError: If there is no pattern, or one is empty or has white space.
        """
        return self._keys("keys", patterns)

    def channels(self, *patterns: str) -> AccessString:
        """Allow publish/subscribe channels.

        Args:
            patterns: Glob patterns, ``"news:*"``. After ``"*"`` the engine accepts no other.

        Raises:
            ConfigurationError: If there is no pattern, or one is empty or has white space.
        """
        return self._and(*_patterns("channels", "channel", "&", patterns))

    def allow(self, *commands: str) -> AccessString:
        """Allow commands.

        Args:
            commands: Commands ``"get"``, subcommands ``"cluster|slots"`` and categories ``"@read"``.

        Raises:
            ConfigurationError: If there is none, or one is no command, or no category that AWS knows.
        """
        return self._and(*_commands("allow", "+", commands))

    def deny(self, *commands: str) -> AccessString:
        """Deny commands that an earlier rule allows.

        Args:
            commands: Commands ``"get"``, subcommands ``"config|set"`` and categories ``"@dangerous"``.

        Raises:
            ConfigurationError: If there is none, or one is no command, or no category that AWS knows.
        """
        return self._and(*_commands("deny", "-", commands))

    def __str__(self) -> str:
        """The text that AWS takes."""
        return " ".join(self.rules)

    def _and(self, *rules: str) -> AccessString:
        return AccessString((*self.rules, *rules), checked=self.checked)

    def _keys(self, method: str, patterns: tuple[str, ...]) -> AccessString:
        return self._and(*_patterns(method, "key", "~", patterns))

    def _safely(self, *categories: str) -> AccessString:
        return self.allow(*categories).deny("@admin", "@dangerous").allow(*_CLIENT_COMMANDS)


def _patterns(method: str, kind: str, sign: str, patterns: tuple[str, ...]) -> list[str]:
    problems: list[str] = []
    if not patterns:
        problems.append(problem("patterns", patterns, f'at least one {kind} pattern is needed, "*" for all'))
    for pattern in patterns:
        if not is_token(pattern) and not _is_word(pattern):
            reason = f'a {kind} pattern is not empty and has no white space, such as "app:*"'
            problems.append(problem("patterns", pattern, reason))
    if problems:
        raise ConfigurationError(f"AccessString.{method}", problems)
    return [f"{sign}{pattern}" for pattern in patterns]


def _commands(method: str, sign: str, commands: tuple[str, ...]) -> list[str]:
    problems: list[str] = []
    if not commands:
        problems.append(problem("commands", commands, "at least one command or category is needed"))
    problems += [found for command in commands if (found := _problem_of_command("commands", command, command))]
    if problems:
        raise ConfigurationError(f"AccessString.{method}", problems)
    return [f"{sign}{command}".lower() for command in commands]


def _is_word(text: object) -> bool:
    """Whether the engine takes the text as one argument: it has no white space and nothing that does not print."""
    return isinstance(text, str) and text != "" and text.isprintable() and " " not in text


def _normal(rule: str) -> str:
    """Keywords, categories and commands are the same in either case; patterns are not."""
    return rule if _KEY_PATTERN_SIGN.match(rule) or rule.startswith("&") else rule.lower()


def _problem_of_rule(rule: str) -> str | None:
    """What is wrong with one rule of an access string; None if nothing is."""
    if is_token(rule) or rule in _KEYWORDS:
        return None
    if rule.startswith(_PASSWORD_SIGNS) or rule in _PASSWORD_WORDS:
        # What follows the sign may be a password, and messages end up in logs.
        shown = rule if rule in _PASSWORD_WORDS else f"{rule[0]}..."
        hint = "leave it out; the user's authentication says how it signs in"
        return problem("rule", shown, "AWS takes no passwords in an access string", hint)
    if rule in _RESET_WORDS:
        return problem(
            "rule", rule, "AWS takes no resets in an access string", "leave it out; every user starts with nothing"
        )
    sign = _KEY_PATTERN_SIGN.match(rule) or re.match("&", rule)
    if sign is not None:
        if _is_word(rule[sign.end() :]):
            return None
        return problem("rule", rule, 'a pattern is not empty and has no white space, such as "~app:*"')
    if rule.startswith(("+", "-")):
        return _problem_of_command("rule", rule, rule[1:])
    reason = "a rule is on, off, a ~key or &channel pattern, or +/- with a command or @category"
    return problem("rule", rule, reason, "for rules newer than this library see AccessString.unchecked")


def _problem_of_command(parameter: str, given: object, command: object) -> str | None:
    if is_token(command):
        return None
    if isinstance(command, str) and command.startswith("@"):
        if command[1:].lower() in _CATEGORIES:
            return None
        return problem(parameter, given, f"the categories are {', '.join(_CATEGORIES)}")
    if isinstance(command, str) and _COMMAND.fullmatch(command.lower()):
        return None
    return problem(parameter, given, 'a command reads "get", a subcommand "cluster|slots", a category "@read"')


def _problems_together(rules: tuple[str, ...]) -> list[str]:
    problems: list[str] = []
    if len({"on", "off"} & set(rules)) != 1 and not any(map(is_token, rules)):
        said = [rule for rule in rules if rule in ("on", "off")]
        reason = "an access string says either on or off"
        problems.append(problem("rules", " ".join(said), reason, "AWS takes neither as off, so say which"))
    # The engine refuses what can have no effect: "Adding a pattern after the * pattern ... is not valid".
    for kind, everything, is_pattern in (
        ("key", ("~*", "allkeys"), _KEY_PATTERN_SIGN.match),
        ("channel", ("&*", "allchannels"), re.compile("&").match),
    ):
        reached = False
        for rule in rules:
            if reached and is_pattern(rule) and rule not in everything:
                reason = f"all {kind}s are allowed before it already"
                problems.append(problem("rule", rule, reason, f"leave out this or {everything[0]}"))
            reached = reached or rule in everything
    return problems
