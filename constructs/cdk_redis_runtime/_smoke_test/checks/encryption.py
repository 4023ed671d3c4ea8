"""Whether the store speaks TLS, and nothing else."""

from __future__ import annotations

import time
from collections import Counter

from cdk_redis_runtime._client.settings import Address
from cdk_redis_runtime._smoke_test.checks.context import Check, Context, any_heals, count, failed, passed, skipped
from cdk_redis_runtime._smoke_test.checks.stranger import answers_in_plaintext
from cdk_redis_runtime._smoke_test.clock import side_by_side
from cdk_redis_runtime._smoke_test.report import Outcome

_TLS_EXPECTED = "a trusted certificate for each node's host name, TLS 1.2 or newer"
_TLS_PROVES = "every node shows a certificate of a trusted authority for its own host name, over TLS 1.2 or newer"
_PLAINTEXT_EXPECTED = "no answer to a command that is sent without TLS"
_DAY_SECONDS = 86_400
_PLAINTEXT_PROVES = "nobody can talk to a node without TLS"


def _check_tls(context: Context) -> Outcome:
    if not context.connection.tls:
        return skipped("the store is declared without TLS")
    context.store.endpoint()
    results = context.store.meetings()
    problems = [context.problem(result.item, result.error) for result in results if result.error]
    shaken = [result.value.handshake for result in results if result.value and result.value.handshake]
    suites = Counter(f"{done.version} {done.cipher}" for done in shaken)
    observed = ", ".join(f"{suite} at {number} of {len(results)} addresses" for suite, number in suites.items())
    if problems:
        return failed(problems, _TLS_EXPECTED, observed)
    days = int((min(done.expires for done in shaken) - time.time()) // _DAY_SECONDS)
    observed += f"; the first certificate expires in {count(days, 'day')}"
    return passed(_TLS_PROVES, _TLS_EXPECTED, observed, unsettled=context.store.partial)


def _check_plaintext_refused(context: Context) -> Outcome:
    if not context.connection.tls:
        return skipped("the store is declared without TLS")
    if context.connection.plaintext:
        return skipped("the store is declared to let in clients without TLS, too, while they move to it")

    def talk(address: Address) -> bool:
        return answers_in_plaintext(address, context.clock.step_seconds)

    results = side_by_side(talk, context.store.addresses, context.clock.remaining_for_checks)
    answered = [result.item for result in results if result.value]
    refused = [result.item for result in results if result.value is False]
    if answered:
        problem = "answers commands without TLS: encryption in transit is off, or a plaintext port is open beside it"
        return failed([f"{address}: {problem}" for address in answered], _PLAINTEXT_EXPECTED)
    unsettled = context.store.partial or any_heals(results)
    if not refused:
        return skipped("no connection came about to try it on; see dns and tls", unsettled=unsettled)
    observed = f"refused at {len(refused)} of {len(results)} addresses"
    return passed(_PLAINTEXT_PROVES, _PLAINTEXT_EXPECTED, observed, unsettled=unsettled)


TLS = Check("tls", _TLS_PROVES, _check_tls)
PLAINTEXT_REFUSED = Check("plaintext-refused", _PLAINTEXT_PROVES, _check_plaintext_refused)
