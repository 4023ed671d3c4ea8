"""Calls that would lower security without a word."""

from __future__ import annotations

from tests.compliance.refused.rows import Accepted, Refused

REFUSED = [
    Refused(
        "A flag is True or False: any other value, such as text from the context, would count as True.",
        lambda it: it.group(unsafe_plaintext="false"),
        "unsafe_plaintext: got 'false', but it must be True or False; write False",
        "the library",
    ),
    Refused(
        "An access string is checked also where it is given as text.",
        lambda it: it.group().add_iam_user("app", "on ~* +@nonsense"),
        "access: rule: got '+@nonsense', but the categories are admin, all, bitmap, blocking, connection, dangerous, "
        "fast, geo, hash, hyperloglog, keyspace, list, pubsub, read, scripting, set, slow, sortedset, stream, string, "
        "transaction, write",
        "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html",
    ),
]

ACCEPTED = [
    Accepted(
        "A store without TLS must say that it is open.",
        lambda it: it.group(unsafe_plaintext=True, unsafe_open_access=True),
    ),
]
