# SPDX-License-Identifier: BSD-3-Clause
"""Waiting for a cluster, which may never answer, in time that ends."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future as Awaited
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

from distributed import CancelledError
from distributed.scheduler import KilledWorker

if TYPE_CHECKING:
    from collections.abc import Callable

    from distributed import Client

SILENCE = 30.0  # seconds that a worker or the scheduler has for an answer
UNHEARD = 60.0  # seconds without a sign of life of a worker
GONE = 10.0  # seconds without a scheduler
ABSENT = 300.0  # seconds without workers, or of a scheduler that is given new tasks
LOOK = 0.5  # seconds between two looks whether the scheduler and the workers are still there
LONGEST_GAP = 5.0  # seconds between two looks at a clock; beyond that, this process was stopped
LEAST_PAUSE, LONGEST_PAUSE = 1e-4, 2e-3  # seconds between two looks for an answer

Answered = TypeVar("Answered")


class ClusterError(RuntimeError):
    """The cluster could not answer: it is gone, or lost workers again and again.

    Attributes
    ----------
    w : ndarray of shape (n_x, 1), or None
    b : float, or None
        Weights and bias after the last complete step, if there was one.
    """

    __module__ = "logreg_c.dask"

    w: Any = None
    b: Any = None


class Clock:
    """Seconds since it was made, less those in which this process was stopped and heard nothing."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._last = time.monotonic()

    def now(self) -> float:
        """Return the seconds; to be asked every few of them."""
        last, self._last = self._last, time.monotonic()
        self._seconds += min(self._last - last, LONGEST_GAP)
        return self._seconds


def apart(
    client: Client, do: Callable[..., Answered], *arguments: Any, limit: float = inf
) -> Answered:
    """Do what waits in the client's loop, in a thread that can be left behind there.

    The loop may be gone with the scheduler, and whatever waits in it would never return.
    """
    done = begun(do, *arguments)
    try:
        return waited(client, done, limit)
    except TimeoutError:
        if done.done():
            raise
        msg = f"the scheduler has been silent for {limit:.0f} s; see its logs"
        raise ClusterError(msg) from None


def begun(do: Callable[..., Answered], *arguments: Any) -> Awaited[Answered]:
    """Begin to do something in a thread of its own."""
    done: Awaited[Answered] = Awaited()

    def run() -> None:
        try:
            done.set_result(do(*arguments))
        except BaseException as error:  # noqa: BLE001 (raised by whoever waits)
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return done


def waited(client: Client, future: Awaited[Answered], limit: float) -> Answered:
    """Wait so long for a future, and less where the scheduler or the client's loop is gone."""
    clock, pause = Clock(), LEAST_PAUSE
    now = asked = heard = seen = 0.0  # the last question to the loop, its last answer, a good one

    def see() -> None:
        nonlocal heard, seen
        heard = now
        if client.status == "running":
            seen = now

    while not future.done():
        time.sleep(pause)
        pause = min(1.5 * pause, LONGEST_PAUSE)
        now = clock.now()
        if now - asked > LOOK:
            client.loop.add_callback(see)
            asked = now
        # A loop that runs but does not answer may be busy: a scheduler may run in it, too.
        is_busy = heard == seen and client.loop.asyncio_loop.is_running()
        if now - seen > (ABSENT if is_busy else GONE):
            msg = "the scheduler does not answer; see its logs"
            raise ClusterError(msg)
        if now > limit:
            raise TimeoutError
    return future.result()


class Watch:
    """Looks, now and then during one wait, for the workers that are there.

    The scheduler is told to give up those that it has not heard for long. It has so many seconds
    for its own answer.
    """

    def __init__(self, client: Client, limit: float) -> None:
        self._client = client
        self._limit = limit
        self._clock = Clock()
        self._heard: dict[str, tuple[float, float]] = {}  # when, there and here
        self._there = 0.0  # the last time that there were workers

    def addresses(self) -> set[str]:
        """Return where there are workers."""
        client = self._client
        heard = apart(client, client.run_on_scheduler, _heard, limit=self._limit)
        now = self._clock.now()
        found = set()
        for address, when in heard.items():
            before, since = self._heard.get(address, (None, now))
            if before != when:
                since = now
            self._heard[address] = when, since
            if now - since > UNHEARD:
                give_up(client, address)
            else:
                found.add(address)
        if found:
            self._there = now
        return found

    def check(self) -> None:
        """Raise if there have been no workers for long; those that are replaced are waited for."""
        if not self.addresses() and self._clock.now() - self._there > ABSENT:
            msg = f"there have been no workers for {ABSENT:.0f} s; see its dashboard"
            raise ClusterError(msg)


def awaited(client: Client, do: Callable[..., Answered], *arguments: Any) -> Answered:
    """Do what waits for tasks, as `apart` does, and wait less where there are no workers for long.

    A worker that hangs is given up, and one that is replaced is waited for.
    """
    done, watch = begun(do, *arguments), Watch(client, ABSENT)
    while True:
        try:
            return waited(client, done, LOOK)
        except KilledWorker as error:
            raise died(error) from None
        except CancelledError as error:
            msg = f"the cluster has given up what was computed: {error}"
            raise ClusterError(msg) from error
        except TimeoutError:
            if done.done():
                return done.result()
        watch.check()


def died(error: Exception) -> ClusterError:
    """Return what is said about rows that take their workers along."""
    return ClusterError(f"workers died again and again, at the same rows ({error}); see their logs")


def give_up(client: Client, address: str) -> None:
    """Have the scheduler give up a worker, and compute elsewhere what it holds."""
    apart(client, lambda: client.run_on_scheduler(_remove, address=address), limit=SILENCE)


def _heard(dask_scheduler: Any) -> dict[str, float]:
    """Return when the scheduler has heard each worker last."""
    return {address: worker.last_seen for address, worker in dask_scheduler.workers.items()}


async def _remove(dask_scheduler: Any, address: str) -> None:
    await dask_scheduler.remove_worker(address, stimulus_id="logreg-c-silent", close=False)
