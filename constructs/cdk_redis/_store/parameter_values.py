"""Values of engine parameters: what the parameter groups of a service accept.

Allowed values are written as the APIs of the services write them (``AllowedValues``): ``"yes,no"`` are words,
``"1-75"`` is a range of whole numbers, ``"16384-"`` has no upper end, ``"0,20-"`` is 0 or at least 20, and ``"-"`` is
any whole number. Two forms are added: ``"flags:KEg"`` is any combination of letters, ``"pairs"`` is any pairs of words.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from cdk_redis._core.errors import Problems

_RANGE = re.compile(r"([0-9]+)-([0-9]*)|-")
# The engines keep numbers in 64 bits.
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_FLAGS = "flags:"
_PAIRS = "pairs"
_HINT = "a value that is newer than this library goes into `extra_parameters`"

# Parameters that both services have, with the values that their APIs return: `aws elasticache
# describe-engine-default-parameters` for redis5.0 and `aws memorydb describe-parameters` for memorydb_redis6, both in
# the AWS CLI's reference, read on 2026-11-21. The two agree. Where the user guides differ, the wider range is here.
SHARED_VALUES: dict[str, str] = {
    "yes,no": "activedefrag activerehashing latency-tracking lazyfree-lazy-eviction lazyfree-lazy-expire "
    "lazyfree-lazy-server-del lazyfree-lazy-user-del",
    "1-75": "active-defrag-cycle-max active-defrag-cycle-min",
    "1048576-": "active-defrag-ignore-bytes",
    "1-1000000": "active-defrag-max-scan-fields",
    "1-100": "active-defrag-threshold-lower active-defrag-threshold-upper",
    "1-10": "active-expire-effort",
    "0-": "client-output-buffer-limit-normal-hard-limit client-output-buffer-limit-normal-soft-limit "
    "client-output-buffer-limit-normal-soft-seconds client-output-buffer-limit-pubsub-hard-limit "
    "client-output-buffer-limit-pubsub-soft-limit client-output-buffer-limit-pubsub-soft-seconds "
    "hash-max-listpack-entries hash-max-listpack-value hash-max-ziplist-entries hash-max-ziplist-value "
    "lfu-decay-time list-compress-depth set-max-intset-entries slowlog-max-len stream-node-max-bytes "
    "stream-node-max-entries tcp-keepalive zset-max-listpack-entries zset-max-listpack-value "
    "zset-max-ziplist-entries zset-max-ziplist-value",
    "1-16000": "hll-sparse-max-bytes",
    "1-": "lfu-log-factor maxmemory-samples",
    "volatile-lru,allkeys-lru,volatile-lfu,allkeys-lfu,volatile-random,allkeys-random,volatile-ttl,noeviction": (
        "maxmemory-policy"
    ),
    "-": "slowlog-log-slower-than",
    "0,20-": "timeout",
}
# The user guide lists K to A. Engines know more since then, and the services pass them on: t (streams) from 5.0,
# m (misses) from 6.0, d (modules) and n (new keys) from 6.2 and 7.0. A letter too many is not refused here.
KEYSPACE_EVENTS = f"{_FLAGS}KEg$lshzxeAtmdn"


def by_name(*tables: Mapping[str, str]) -> dict[str, str]:
    """Allowed values by the name of the parameter.

    Args:
        tables: Names separated by spaces, by allowed values. A later table replaces the values of an earlier one.
    """
    return {name: allowed for table in tables for allowed, names in table.items() for name in names.split()}


def check_values(
    problems: Problems, parameters: Mapping[str, str] | None, *, family: str | None, allowed: Mapping[str, str]
) -> None:
    """Check the values of engine parameters; tokens, and parameters that are not in the table, pass.

    Args:
        problems: Where to add what is found.
        parameters: Parameters whose values are checked.
        family: Family of the parameter group.
        allowed: Allowed values by the name of the parameter.
    """
    for name, value in (parameters or {}).items():
        values = allowed.get(name)
        if values is None or is_token(value):
            continue
        if values.startswith(_FLAGS):
            _check_flags(problems, name, value, values.removeprefix(_FLAGS))
        elif not _accepts(values, value):
            words = [item for item in values.split(",") if item[0].isalpha()]
            closest = difflib.get_close_matches(value, words, n=1)
            hint = f"did you mean {closest[0]!r}? {_HINT}" if closest else _HINT
            problems.add("parameters", {name: value}, f"family {family} takes {_described(values)}", hint)


def _check_flags(problems: Problems, name: str, value: str, letters: str) -> None:
    unknown = "".join(dict.fromkeys(letter for letter in value if letter not in letters))
    if unknown:
        reason = f"{unknown!r} is no type of events; the types are {' '.join(letters)}"
        problems.add("parameters", {name: value}, reason, _HINT)
    elif value and not set(value) & {"K", "E"}:
        # "If you omit K and E, Amazon ElastiCache accepts the configuration without error, but silently disables
        # notifications." https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html
        reason = "without K (keyspace) or E (key events) no event is delivered"
        problems.add("parameters", {name: value}, reason, f"write {'K' + value!r} or {'E' + value!r}")


def _accepts(allowed: str, value: str) -> bool:
    if allowed == _PAIRS:
        return len(value.split()) % 2 == 0
    return any(value == item or _in_range(item, value) for item in allowed.split(","))


def _in_range(item: str, value: str) -> bool:
    found = _RANGE.fullmatch(item)
    if found is None or not _INTEGER.fullmatch(value):
        return False
    low, high = found.groups()
    return (not low or int(low) <= int(value)) and (not high or int(value) <= int(high))


def _described(allowed: str) -> str:
    if allowed == _PAIRS:
        return "pairs of a command and its new name, separated by spaces"
    items = [_described_item(item) for item in allowed.split(",")]
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} or {items[-1]}"


def _described_item(item: str) -> str:
    found = _RANGE.fullmatch(item)
    if found is None:
        return item
    low, high = found.groups()
    if not low:
        return "a whole number"
    return f"a whole number from {low} to {high}" if high else f"a whole number of at least {low}"
