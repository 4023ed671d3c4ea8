"""CBOR, which boto3 speaks to CloudWatch."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdk_redis_local._emulator.api.cbor import dumps, loads

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(dt.timezone.utc)).map(
        lambda time: time.replace(microsecond=0)
    )
)
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@settings(max_examples=50)
@given(_VALUES)
def test_a_value_is_the_same_after_writing_and_reading(value: object) -> None:
    assert loads(dumps(value)) == value


@pytest.mark.parametrize(
    ("data", "value"),
    [  # from appendix A of RFC 8949
        ("1903e8", 1000),
        ("1bffffffffffffffff", 18446744073709551615),
        ("3863", -100),
        ("f93e00", 1.5),
        ("fa47c35000", 100000.0),
        ("c11a514b67b0", dt.datetime(2013, 3, 21, 20, 4, tzinfo=dt.timezone.utc)),
        ("c074323031332d30332d32315432303a30343a30305a", "2013-03-21T20:04:00Z"),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("bf6346756ef563416d7421ff", {"Fun": True, "Amt": -2}),
        ("7f657374726561646d696e67ff", "streaming"),
    ],
)
def test_reads_the_examples_of_the_standard(data: str, value: object) -> None:
    assert loads(bytes.fromhex(data)) == value


@pytest.mark.parametrize("data", ["", "19", "a1", "82"])
def test_refuses_data_that_end_too_early(data: str) -> None:
    with pytest.raises(ValueError, match="not CBOR"):
        loads(bytes.fromhex(data))
