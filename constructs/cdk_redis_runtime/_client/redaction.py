"""Removes secrets from texts: whole or in part, and in the escapes in which programs repeat them."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote

SHORTEST_PART = 8
"""Parts of a secret of this many characters are hidden, not counting white space; a shorter secret only as a whole."""

_HIDDEN = "***"
# An engine that does not know HELLO or AUTH quotes their arguments.
_ECHO = re.compile(r"(with args beginning with).*", re.IGNORECASE | re.DOTALL)
_SIGNED = re.compile(r"(X-Amz-(?:Signature|Security-Token|Credential)=)[^&\s'\"]+")
# The secret parts of an IAM token; the rest names the store and its user, which messages need, too.
_SECRET_IN_TOKEN = re.compile(r"X-Amz-(?:Signature|Security-Token)=([^&]+)|X-Amz-Credential=([^/%&]+)")
# Every engine refuses a password with these words, which redis-py looks for. A password may contain them.
_REFUSAL = re.compile("username-password")


def redact(text: str, secrets: Iterable[str]) -> str:
    """Remove secrets and parts of them from a text.

    Finds a secret as it is and in its usual escapes (Python, JSON, HTML, percent-encoding, hexadecimal, Base64), in
    capitals or small letters, and with white space added, lost or replaced.

    Args:
        text: The text to show.
        secrets: Passwords and tokens that were used.
    """
    wholes, grams = _spellings(frozenset(secrets))
    text = _ECHO.sub(rf"\1 {_HIDDEN}", text)
    # The position of each character that is compared.
    places = [place for place, character in enumerate(text) if not character.isspace()]
    compared = _comparable(text)
    secret = bytearray(len(compared))
    for start in range(len(compared) - SHORTEST_PART + 1):
        if compared[start : start + SHORTEST_PART] in grams:
            secret[start : start + SHORTEST_PART] = b"\1" * SHORTEST_PART
    for whole in wholes:
        start = compared.find(whole)
        while start >= 0:
            secret[start : start + len(whole)] = b"\1" * len(whole)
            start = compared.find(whole, start + 1)
    harmless = [phrase.span() for phrase in _REFUSAL.finditer(compared)]
    for first, last in reversed(list(_runs(secret))):
        if any(start <= first and last < end for start, end in harmless):
            continue
        text = f"{text[: places[first]]}{_HIDDEN}{text[places[last] + 1 :]}"
    return _SIGNED.sub(rf"\1{_HIDDEN}", text)


def _comparable(text: str) -> str:
    """A text without white space and in small letters; all other characters stay."""
    return "".join(
        small if len(small := character.lower()) == 1 else character for character in text if not character.isspace()
    )


def _runs(marked: bytearray) -> Iterator[tuple[int, int]]:
    """The first and the last index of each run of marks."""
    for run in re.finditer(rb"\x01+", marked):
        yield run.start(), run.end() - 1


# A run has few secrets, and a report many texts.
@lru_cache(maxsize=4)
def _spellings(secrets: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """What to search for: short secrets as a whole, and every part of the others."""
    wholes: set[str] = set()
    grams: set[str] = set()
    for part in {part for secret in secrets for part in _secret_parts(secret)}:
        for spelling in _spelled(part):
            found = _comparable(spelling)
            if len(found) < SHORTEST_PART:
                wholes.add(found)
            grams.update(found[start : start + SHORTEST_PART] for start in range(len(found) - SHORTEST_PART + 1))
    return frozenset(wholes - {""}), frozenset(grams)


def _secret_parts(secret: str) -> list[str]:
    parts = [one or other for one, other in _SECRET_IN_TOKEN.findall(secret)]
    return [*parts, *map(unquote, parts)] or [secret]


def _spelled(secret: str) -> Iterator[str]:
    encoded = secret.encode(errors="surrogatepass")
    yield secret
    yield repr(secret)[1:-1]
    yield repr(encoded)[2:-1]
    yield json.dumps(secret)[1:-1]
    yield html.escape(secret)
    yield quote(encoded)
    yield quote(encoded, safe="")
    yield quote_plus(encoded)
    if len(secret) < SHORTEST_PART:
        return
    yield encoded.hex()
    # Characters before the secret shift its Base64, and share its first and last characters.
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + encoded).decode().rstrip("=")[(0, 2, 3)[shift] : -1]
        yield text
        yield text.replace("+", "-").replace("/", "_")
