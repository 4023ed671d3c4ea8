"""Whether the store's host names resolve to private addresses."""

from __future__ import annotations

import ipaddress

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._smoke_test.checks.context import Check, Context, Problem, count, failed, passed
from cdk_redis_runtime._smoke_test.checks.store import explain_resolution
from cdk_redis_runtime._smoke_test.clock import side_by_side
from cdk_redis_runtime._smoke_test.diagnosis import heals
from cdk_redis_runtime._smoke_test.report import Outcome

_EXPECTED = "each host name resolves to private addresses"
_PROVES = "every host name of the store resolves to private addresses"


def _check_dns(context: Context) -> Outcome:
    hosts = list(dict.fromkeys(address.host for address in context.store.addresses))
    results = side_by_side(context.store.resolve, hosts, context.clock.remaining_for_checks)
    problems: list[str | Problem] = [
        Problem(f"{result.item}: {explain_resolution(result.error)}", heals(result.error))
        for result in results
        if result.error
    ]
    problems += [
        f"{result.item}: resolves to the public address {address}: the name belongs to something outside the VPC"
        for result in results
        for address in result.value or ()
        if not is_private(address)
    ]
    service = context.connection.service
    problems += [
        f"{host}: is a host name of {other} (declared: {service}): it is another store, or give --service {other}"
        for host in hosts
        if (other := service_of(host)) not in (None, service)
    ]
    found = {address for result in results for address in result.value or ()}
    observed = f"{count(len(hosts), 'name')}, {len(found)} IP addresses in all"
    if problems:
        return failed(problems, _EXPECTED, observed)
    return passed(_PROVES, _EXPECTED, observed, unsettled=context.store.nodes_pending)


def is_private(address: str) -> bool:
    """Whether an address is private, loopback or carrier-grade NAT.

    IPv6 addresses of a VPC are global, and only its routes keep them private: all of them count.
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return parsed.version == 6 or not parsed.is_global


def service_of(host: str) -> str | None:
    """The service whose stores have such host names; None if the name does not tell."""
    labels = host.lower().rstrip(".").removesuffix(".cn").split(".")
    if labels[-3:] == ["cache", "amazonaws", "com"]:
        return env.ELASTICACHE
    # NAME.memorydb.REGION.amazonaws.com
    return env.MEMORYDB if labels[-2:] == ["amazonaws", "com"] and labels[-4:-3] == ["memorydb"] else None


DNS = Check("dns", _PROVES, _check_dns)
