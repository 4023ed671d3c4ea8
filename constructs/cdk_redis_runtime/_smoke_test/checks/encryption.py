"""Whether the store answers over TLS, and only over TLS."""

from __future__ import annotations

import time
from collections import Counter

from cdk_redis_runtime._client.settings import Address
from cdk_redis_runtime._smoke_test.checks.context import (
    Check,
    Context,
    any_heals,
    count,
    failed,
    passed,
    skipped,
)
from cdk_redis_runtime._smoke_test.checks.unauthenticated import answers_in_plaintext
from cdk_redis_runtime._smoke_test.clock import side_by_side
from cdk_redis_runtime._smoke_test.report import Outcome

_TLS_EXPECTED = "a trusted certificate for each node's host name, TLS 1.2 or newer"
_TLS_PROVES = "every node presents a trusted certificate for its own host name, over TLS 1.2 or newer"
_PLAINTEXT_EXPECTED = "no answer to a command that is sent without TLS"
_PLAINTEXT_PROVES = "commands that are sent without TLS get no answer"
_DAY_SECONDS = 86_400


def _check_tls(context: Context) -> Outcome:
    context.store.endpoint()
    results = context.store.unauthenticated_probes()
    problems = [context.problem(result.item, result.error) for result in results if result.error]
    handshakes = [result.value.handshake for result in results if result.value and result.value.handshake]
    suites = Counter(f"{handshake.version} {handshake.cipher}" for handshake in handshakes)
    observed = ", ".join(f"{suite} at {number} of {len(results)} addresses" for suite, number in suites.items())
    if problems:
        return failed(problems, _TLS_EXPECTED, observed)
    days = int((min(handshake.expires for handshake in handshakes) - time.time()) // _DAY_SECONDS)
    observed += f"; the first certificate expires in {count(days, 'day')}"
    return passed(_TLS_PROVES, _TLS_EXPECTED, observed, unsettled=context.store.nodes_pending)


def _check_plaintext_refused(context: Context) -> Outcome:
    def answers(address: Address) -> bool:
        return answers_in_plaintext(address, context.clock.step_seconds)

    results = side_by_side(answers, context.store.addresses, context.clock.remaining_for_checks)
    answered = [result.item for result in results if result.value]
    refused = [result.item for result in results if result.value is False]
    if answered:
        problem = "answers commands without TLS: encryption in transit is off, or a plaintext port is open as well"
        return failed([f"{address}: {problem}" for address in answered], _PLAINTEXT_EXPECTED)
    unsettled = context.store.nodes_pending or any_heals(results)
    if not refused:
        return skipped("not tried: no address accepted a connection; see dns and tls", unsettled=unsettled)
    observed = f"refused at {len(refused)} of {len(results)} addresses"
    return passed(_PLAINTEXT_PROVES, _PLAINTEXT_EXPECTED, observed, unsettled=unsettled)


def _without_tls(context: Context) -> str | None:
    return None if context.connection.tls else "the store is declared without TLS"


def _plaintext_allowed(context: Context) -> str | None:
    if context.connection.plaintext:
        return "the store is declared to accept clients without TLS, too, while clients migrate to TLS"
    return _without_tls(context)


TLS = Check("tls", _TLS_PROVES, _check_tls, not_applicable=_without_tls)
PLAINTEXT_REFUSED = Check(
    "plaintext-refused", _PLAINTEXT_PROVES, _check_plaintext_refused, not_applicable=_plaintext_allowed
)
