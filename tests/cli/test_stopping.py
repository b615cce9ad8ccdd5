"""Ctrl-C and SIGTERM wait for the verb's next step; a second one does not."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from perma_agent.cli.stopping import stop_requests


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_a_question(by: signal.Signals) -> None:
    before = signal.getsignal(by)
    with stop_requests() as stopped:
        assert not stopped()
        signal.raise_signal(by)
        assert stopped()
        assert stopped()
    assert signal.getsignal(by) is before


@pytest.fixture
def ctrl_c_interrupts() -> Iterator[None]:
    """What a shell's foreground has; in its background Ctrl-C is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_interrupts")
def test_a_second_ctrl_c_interrupts() -> None:
    with pytest.raises(KeyboardInterrupt), stop_requests():
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_handlers_come_back_after_an_error() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(ZeroDivisionError), stop_requests():
        raise ZeroDivisionError
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_another_thread_holds_nothing_back() -> None:
    found: list[bool] = []

    def work() -> None:
        with stop_requests() as stopped:
            found.append(stopped())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]
