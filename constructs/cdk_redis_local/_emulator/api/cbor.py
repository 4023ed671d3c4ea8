"""CBOR (RFC 8949), as far as Smithy's protocol uses it: boto3 speaks it to CloudWatch, and the emulator does not."""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Mapping, Sequence
from typing import Any

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _TAG, _SIMPLE = range(8)
_INDEFINITE, _BREAK = 31, object()
_EPOCH_TAG = 1
_SIMPLES: dict[int, object] = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}


def dumps(value: object) -> bytes:
    """Encode a value; a `datetime` becomes a tagged time.

    Raises:
        TypeError: CBOR of this kind of value is not supported.
    """
    if value is None or isinstance(value, bool):
        return bytes([_SIMPLE << 5 | {False: 20, True: 21, None: 22}[value]])
    if isinstance(value, int):
        return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, bytes):
        return _head(_BYTES, len(value)) + value
    if isinstance(value, str):
        text = value.encode()
        return _head(_TEXT, len(text)) + text
    if isinstance(value, dt.datetime):
        return _head(_TAG, _EPOCH_TAG) + dumps(value.timestamp())
    if isinstance(value, Mapping):
        items: Mapping[Any, Any] = value
        return _head(_MAP, len(items)) + b"".join(dumps(key) + dumps(one) for key, one in items.items())
    if isinstance(value, Sequence):
        several: Sequence[Any] = value
        return _head(_LIST, len(several)) + b"".join(map(dumps, several))
    raise TypeError(f"{value!r} cannot be written as CBOR")


def loads(data: bytes) -> Any:
    """Decode a value; a tagged time becomes a `datetime`.

    Raises:
        ValueError: The data are not CBOR.
    """
    try:
        return _Reader(data).value()
    except (IndexError, struct.error, KeyError) as error:
        raise ValueError(f"the data are not CBOR: {error}") from error


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    for additional, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << 8 * size:
            return bytes([kind << 5 | additional]) + number.to_bytes(size, "big")
    raise TypeError(f"{number} is too large for CBOR")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def value(self) -> Any:
        first = self._take(1)[0]
        kind, additional = first >> 5, first & 31
        if kind == _SIMPLE:
            return self._simple(additional)
        if additional == _INDEFINITE:
            return self._indefinite(kind)
        number = additional if additional < 24 else int.from_bytes(self._take(1 << additional - 24), "big")
        if kind == _UNSIGNED:
            return number
        if kind == _NEGATIVE:
            return -1 - number
        if kind == _BYTES:
            return self._take(number)
        if kind == _TEXT:
            return self._take(number).decode()
        if kind == _LIST:
            return [self.value() for _ in range(number)]
        if kind == _MAP:
            return {self.value(): self.value() for _ in range(number)}
        value = self.value()
        return dt.datetime.fromtimestamp(value, dt.timezone.utc) if number == _EPOCH_TAG else value

    def _simple(self, additional: int) -> Any:
        if additional == _INDEFINITE:
            return _BREAK
        if additional in _FLOATS:
            form = _FLOATS[additional]
            return struct.unpack(form, self._take(struct.calcsize(form)))[0]
        return _SIMPLES[additional]

    def _indefinite(self, kind: int) -> Any:
        items: list[Any] = []
        while (item := self.value()) is not _BREAK:
            items.append(item)
        if kind == _MAP:
            return dict(zip(items[::2], items[1::2], strict=True))
        if kind == _LIST:
            return items
        return (b"" if kind == _BYTES else "").join(items)

    def _take(self, count: int) -> bytes:
        if self._at + count > len(self._data):
            raise IndexError("it ends too early")
        self._at += count
        return self._data[self._at - count : self._at]
