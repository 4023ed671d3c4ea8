"""Tries with pauses, threads that hang, and values that are computed once."""

from __future__ import annotations

import contextlib
import signal
import ssl
import threading
import time
from pathlib import Path
from types import FrameType

import pytest

from cdk_redis_local import CertificateAuthority
from cdk_redis_runtime._client.trust import verifying_context
from cdk_redis_runtime._smoke_test.clock import MOST_THREADS, Clock, Once, UnfinishedError, side_by_side


def test_tries_last_for_seventy_percent_of_the_budget_with_growing_pauses() -> None:
    started = time.monotonic()
    times = [time.monotonic() - started for _ in Clock(2).tries()]
    assert 0.6 < times[-1] <= 1.4
    assert 4 <= len(times) <= 12


def test_there_are_no_more_tries_after_the_clock_is_stopped() -> None:
    clock = Clock(60)
    threading.Timer(0.3, clock.stop).start()
    started = time.monotonic()
    assert len(list(clock.tries())) > 1
    assert time.monotonic() - started < 2
    assert clock.remaining == clock.remaining_for_checks == clock.remaining_for_healing == 0


def test_item_that_hangs_is_reported_as_unfinished() -> None:
    release = threading.Event()

    def work(seconds: float) -> float:
        release.wait(seconds)
        return seconds

    started = time.monotonic()
    results = side_by_side(work, [0.0, 30.0], 0.2)
    assert time.monotonic() - started < 1
    release.set()
    assert results[0].value == 0.0
    assert isinstance(results[1].error, UnfinishedError)


def test_items_that_hang_do_not_block_other_items() -> None:
    release = threading.Event()
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        release.wait(30)

    side_by_side(work, list(range(20)), 0.5)
    release.set()
    assert sorted(begun) == list(range(20))


def test_more_items_than_threads_all_finish() -> None:
    results = side_by_side(lambda number: number, list(range(3 * MOST_THREADS)), 5)
    assert [result.value for result in results] == list(range(3 * MOST_THREADS))


def test_item_that_does_not_begin_in_time_is_not_run() -> None:
    release = threading.Event()
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        release.wait(30)

    results = side_by_side(work, list(range(MOST_THREADS + 10)), 0.5)
    release.set()
    time.sleep(0.1)
    assert sorted(begun) == list(range(MOST_THREADS))
    assert all(isinstance(result.error, UnfinishedError) for result in results)


def test_no_item_begins_without_time() -> None:
    begun: list[int] = []
    (result,) = side_by_side(begun.append, [1], 0.0)
    time.sleep(0.05)
    assert begun == []
    assert isinstance(result.error, UnfinishedError)


def test_errors_are_returned_in_the_order_of_the_items() -> None:
    def divide(number: int) -> float:
        return 1 / number

    results = side_by_side(divide, [1, 0, 2], 5)
    assert [result.value for result in results] == [1.0, None, 0.5]
    assert isinstance(results[1].error, ZeroDivisionError)


def test_once_calls_its_function_once_also_after_an_error() -> None:
    calls: list[int] = []

    def compute() -> int:
        calls.append(1)
        raise LookupError("gone")

    once = Once(compute)
    for _ in range(3):
        with pytest.raises(LookupError, match="gone"):
            once()
    assert len(calls) == 1


def test_concurrent_callers_of_once_get_the_same_value() -> None:
    calls: list[int] = []

    def compute() -> int:
        calls.append(1)
        time.sleep(0.05)
        return len(calls)

    once = Once(compute)
    assert [result.value for result in side_by_side(lambda _: once(), range(8), 5)] == [1] * 8


def test_tls_requires_a_verified_certificate_and_version_1_2() -> None:
    context = verifying_context()
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2])
def test_cluster_client_requires_tls_1_2_too(newest: ssl.TLSVersion, tmp_path: Path) -> None:
    # RedisCluster drops ssl_min_version; what is left is Python's default context, whose oldest version is named by
    # Python itself or, on Debian, by OpenSSL's configuration.
    authority = CertificateAuthority(tmp_path)
    certificate = authority.issue("old")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate.certificate_file, certificate.key_file)
    server.set_ciphers("ALL:@SECLEVEL=0")
    server.minimum_version = server.maximum_version = newest
    client = ssl.create_default_context(cafile=str(authority.ca_file))

    if newest is ssl.TLSVersion.TLSv1_2:
        assert _handshake(server, client) == "TLSv1.2"
    else:
        with pytest.raises(ssl.SSLError):
            _handshake(server, client)


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> str | None:
    """The negotiated version, without a network: each side reads what the other wrote."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    accepting = server.wrap_bio(to_server, to_client, server_side=True)
    dialling = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    waiting = [dialling, accepting]
    for _ in range(10):
        for side in tuple(waiting):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
                waiting.remove(side)
        if not waiting:
            return dialling.version()
    raise AssertionError("the handshake does not end")


def test_a_signal_that_another_thread_received_ends_the_wait_for_the_threads() -> None:
    class EndedError(BaseException):
        pass

    def end(number: int, frame: FrameType | None) -> None:
        raise EndedError

    def receive_signal(over: threading.Event) -> None:
        time.sleep(0.3)  # the main thread waits by then
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        over.wait(20)

    over, before = threading.Event(), signal.signal(signal.SIGUSR1, end)
    started = time.monotonic()
    try:
        with pytest.raises(EndedError):
            side_by_side(receive_signal, [over], 20)
    finally:
        signal.signal(signal.SIGUSR1, before)
        over.set()
    assert time.monotonic() - started < 10
