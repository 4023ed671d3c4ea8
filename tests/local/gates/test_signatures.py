"""Signature checks accept the example signatures in the documentation of Amazon S3, and refuse altered requests."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from botocore.credentials import Credentials

from cdk_redis_local._gates.signatures import ReceivedRequest, RequestSignature, SignatureRefusedError

KEY = "AKIAIOSFODNN7EXAMPLE"
CREDENTIALS = Credentials(KEY, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
NOON = dt.datetime(2013, 5, 24, tzinfo=dt.timezone.utc)
SCOPE = f"{KEY}/20130524/us-east-1/s3/aws4_request"
HOST = ("host", "examplebucket.s3.amazonaws.com")
DATE = ("x-amz-date", "20130524T000000Z")
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def signed(method: str, path: str, query: str, headers: list[tuple[str, str]], signature: str) -> ReceivedRequest:
    names = ";".join(sorted(name for name, _ in headers))
    authorization = f"AWS4-HMAC-SHA256 Credential={SCOPE},SignedHeaders={names},Signature={signature}"
    return ReceivedRequest(method, path, query, [*headers, ("authorization", authorization)])


GET_OBJECT = signed(
    "GET", "/test.txt", "", [HOST, ("range", "bytes=0-9"), ("x-amz-content-sha256", EMPTY), DATE],
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
)  # fmt: skip
LIST_OBJECTS = signed(
    "GET", "/", "max-keys=2&prefix=J", [HOST, ("x-amz-content-sha256", EMPTY), DATE],
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
)  # fmt: skip
PUT_OBJECT = signed(
    "PUT", "/test%24file.text", "",
    [
        ("date", "Fri, 24 May 2013 00:00:00 GMT"), HOST,
        ("x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
        DATE, ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
    ],
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
)  # fmt: skip
PRESIGNED = ReceivedRequest(
    "GET",
    "/test.txt",
    f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={SCOPE.replace('/', '%2F')}&X-Amz-Date=20130524T000000Z"
    "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    [HOST],
)
CHUNKED = signed(
    "PUT", "/examplebucket/chunkObject.txt", "",
    [
        ("content-encoding", "aws-chunked"), ("content-length", "66824"), ("host", "s3.amazonaws.com"),
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), DATE,
        ("x-amz-decoded-content-length", "66560"), ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
    ],
    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
)  # fmt: skip
CHUNKS = b"".join(
    b"%x;chunk-signature=%s\r\n%s\r\n" % (size, signature, b"a" * size)
    for size, signature in [
        (65536, b"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (1024, b"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (0, b"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    ]
)


def check(request: ReceivedRequest, body: bytes = b"", *, seconds: int = 0) -> RequestSignature:
    found = RequestSignature.read(request, NOON + dt.timedelta(seconds=seconds))
    found.check(CREDENTIALS, body)
    return found


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (GET_OBJECT, b""),
        (LIST_OBJECTS, b""),
        (PUT_OBJECT, b"Welcome to Amazon S3."),
        (PRESIGNED, b""),
        (CHUNKED, CHUNKS),
    ],
    ids=["get", "list", "put", "presigned", "chunked"],
)
def test_example_signatures_of_aws_are_accepted(request_: ReceivedRequest, body: bytes) -> None:
    assert check(request_, body).scope.access_key_id == KEY


@pytest.mark.parametrize(
    "body",
    [
        CHUNKS.replace(b"aa\r\n400;", b"ab\r\n400;"),
        CHUNKS.replace(b"aa\r\n0;", b"ab\r\n0;"),
        CHUNKS[: CHUNKS.index(b"400;")],
        CHUNKS[: CHUNKS.index(b"0;chunk")] + b"0\r\n\r\n",
        b"a" * 66560,
        b"",
    ],
    ids=["first chunk", "second chunk", "one chunk only", "unsigned end", "no chunks", "nothing"],
)
def test_altered_chunks_are_refused(body: bytes) -> None:
    with pytest.raises(SignatureRefusedError, match=r"a chunk of the body (is not signed|has changed)"):
        check(CHUNKED, body)


def test_altered_chunks_with_a_trailer_are_refused() -> None:
    headers = [(n, f"{v}-TRAILER" if n == "x-amz-content-sha256" else v) for n, v in CHUNKED.headers]
    with pytest.raises(SignatureRefusedError, match="the signature does not match"):
        check(replace(CHUNKED, headers=headers), CHUNKS)


@pytest.mark.parametrize(("request_", "longest"), [(GET_OBJECT, 300), (PRESIGNED, 86400)], ids=["header", "query"])
def test_a_signature_is_valid_until_it_expires(request_: ReceivedRequest, longest: int) -> None:
    for seconds in (-300, 0, longest - 1):
        assert check(request_, seconds=seconds)
    for seconds, reason in ((-301, "in the future"), (longest, "it expired 0 s ago"), (longest * 2, "it expired")):
        with pytest.raises(SignatureRefusedError, match=reason):
            check(request_, seconds=seconds)


def with_query(old: str, new: str) -> ReceivedRequest:
    assert old in PRESIGNED.query
    return replace(PRESIGNED, query=PRESIGNED.query.replace(old, new))


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (replace(GET_OBJECT, method="DELETE"), "the signature does not match"),
        (replace(GET_OBJECT, path="/other.txt"), "the signature does not match"),
        (replace(GET_OBJECT, query="acl="), "the signature does not match"),
        (replace(GET_OBJECT, headers=[*GET_OBJECT.headers, HOST]), "the signature does not match"),
        (replace(GET_OBJECT, headers=[*GET_OBJECT.headers, DATE]), "the header x-amz-date occurs twice"),
        (
            replace(GET_OBJECT, headers=[*GET_OBJECT.headers, GET_OBJECT.headers[-1]]),
            "header authorization occurs twice",
        ),
        (replace(GET_OBJECT, headers=[*GET_OBJECT.headers, ("x-amz-acl", "public-read")]), "not signed: x-amz-acl"),
        (replace(GET_OBJECT, headers=[h for h in GET_OBJECT.headers if h != DATE]), "the header x-amz-date is missing"),
        (replace(GET_OBJECT, headers=[HOST, ("authorization", "Basic dGVzdDp0ZXN0")]), "does not have the form"),
        (with_query("86400", "86399"), "does not match"),
        (with_query("86400", "604801"), "1 to 604800 s are allowed"),
        (with_query("86400", "0"), "1 to 604800 s are allowed"),
        (with_query("86400", "-1"), "1 to 604800 s are allowed"),
        (with_query("us-east-1", "eu-west-1"), "does not match"),
        (with_query("20130524%2F", "20130525%2F"), "the day of the credential scope"),
        (with_query("aws4_request", "aws4"), "the end of the credential scope"),
        (with_query("%2Fs3", ""), "does not have five parts"),
        (with_query("HMAC-SHA256", "ECDSA-P256-SHA256"), "the algorithm"),
        (with_query("&X-Amz-Signature=", "&X-Amz-Signature=&X-Amz-Signature="), "Signature occurs twice"),
        (with_query("&X-Amz-Signature=", "&x-amz-signature="), "the signature does not match"),
        (with_query("&X-Amz-Date=", "&X-Amz-Other="), "the query's X-Amz-Date is missing"),
        (with_query("SignedHeaders=host", "SignedHeaders=range"), "these headers are not signed: host"),
        (with_query("X-Amz-Credential=", "x-amz-credential=a&X-Amz-Credential="), "Credential occurs twice"),
    ],
)
def test_an_altered_request_is_refused(request_: ReceivedRequest, reason: str) -> None:
    with pytest.raises(SignatureRefusedError, match=reason):
        check(request_)


def test_another_body_is_refused() -> None:
    with pytest.raises(SignatureRefusedError, match="the body has changed since it was signed"):
        check(PUT_OBJECT, b"Goodbye, Amazon S3.")


def test_a_refusal_does_not_contain_the_signature() -> None:
    with pytest.raises(SignatureRefusedError) as refusal:
        check(replace(GET_OBJECT, path="/other.txt"))
    assert "f0e8bdb8" not in str(refusal.value)
