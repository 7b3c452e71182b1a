# SPDX-License-Identifier: BSD-3-Clause
"""Actors on the workers, each with the blocks that lie there, and the questions they are asked.

A question to an actor is no task: the scheduler passes it on at once, or it goes straight to the
worker where the client has direct_to_workers=True, which makes it a matter of milliseconds. Where a
worker is lost, all actors are dropped, the scheduler computes the blocks
again that were lost with it, new actors are bound to where the blocks lie then, and the same
question is asked once more. Questions change nothing, so the answer has the same bits.
"""

from __future__ import annotations

import asyncio
import pickle
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import Future as Awaited
from concurrent.futures import wait
from contextlib import suppress
from math import inf
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from distributed import CancelledError, get_worker
from distributed import wait as all_of
from distributed.comm import CommClosedError
from distributed.protocol import to_serialize
from distributed.scheduler import KilledWorker
from distributed.utils import sync

from ._blocks import join_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from distributed import Client, Future

    from ._blocks import Block, Cut

# Actors that are asked by one: the client, or an actor where there are more. Each costs it about
# two milliseconds.
DEGREE = 8
RETRIES = 3  # of one question
# How long a worker may be silent: seconds, median answers, and seconds before there are any.
SILENCE, ANSWERS, FIRST_ANSWER = 30.0, 10.0, 300.0
UNHEARD = 60.0  # seconds without a sign of life of the scheduler, or of a worker that is asked
GONE = 10.0  # seconds without an answer of the client's own loop
ABSENT = 300.0  # seconds without workers
LOOK = 0.5  # seconds between two looks whether the scheduler and the workers are still there
LOST = (OSError, RuntimeError, asyncio.TimeoutError, CancelledError, CommClosedError)


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


class Answer(NamedTuple):
    """What an actor returns. An error is not raised, which would look like a lost worker."""

    value: Any
    error: Exception | None


class SilentError(Exception):
    """An actor that another one has asked does not answer; its worker's address."""


def address_of(actor: Any) -> str:
    """Return the address of an actor's worker."""
    address: str = actor._address  # noqa: SLF001 (dask has no other way to it)
    return address


def apart(
    client: Client, do: Callable[..., Answered], *arguments: Any, limit: float = inf
) -> Answered:
    """Do what waits in the client's loop, in a thread that can be left behind there.

    The loop may be gone with the scheduler, and whatever waits in it would never return.
    """
    return _waited(client, _begun(do, *arguments), limit)


def _begun(do: Callable[..., Answered], *arguments: Any) -> Awaited[Answered]:
    """Begin to do something in a thread of its own."""
    done: Awaited[Answered] = Awaited()

    def run() -> None:
        try:
            done.set_result(do(*arguments))
        except BaseException as error:  # noqa: BLE001 (raised by whoever waits)
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return done


def _waited(client: Client, future: Awaited[Answered], limit: float) -> Answered:
    """Wait so long for a future, and less where the scheduler or the client's loop is gone."""
    now = time.monotonic()
    end = now + limit
    asked = seen = now  # the last question to the loop, and its last answer

    def see() -> None:
        nonlocal seen
        if client.status == "running":
            seen = time.monotonic()

    while not future.done():
        wait([future], min(LOOK, end - now))
        before, now = now, time.monotonic()
        stopped = max(0.0, now - before - LOOK)  # this process was, and heard nothing
        seen, end = min(now, seen + stopped), end + stopped
        if now - asked > LOOK:
            client.loop.add_callback(see)
            asked = now
        if now - seen > GONE:
            msg = "the scheduler does not answer; see its logs"
            raise ClusterError(msg)
        if now > end:
            raise TimeoutError
    return future.result()


def awaited(client: Client, do: Callable[..., Answered], *arguments: Any) -> Answered:
    """Do what waits for tasks, as `apart` does, and wait less where there are no workers for long.

    A worker that is replaced is waited for, and so is a scheduler that is busy with new tasks.
    """
    done = _begun(do, *arguments)
    there = time.monotonic()  # the last time that there were workers
    while True:
        began = time.monotonic()
        try:
            return _waited(client, done, LOOK)
        except KilledWorker as error:
            raise _died(error) from None
        except TimeoutError:
            if done.done():
                return done.result()
        there += max(0.0, time.monotonic() - began - LOOK)  # this process was stopped
        workers = None
        with suppress(OSError):  # of a connection, or of no answer
            workers = apart(client, client.nthreads, limit=SILENCE)
        if workers:
            there = time.monotonic()
        if time.monotonic() - there > ABSENT:
            msg = f"there have been no workers for {ABSENT:.0f} s; see its dashboard"
            if workers is None:
                msg = "the scheduler does not answer; see its logs"
            raise ClusterError(msg)


def _died(error: Exception) -> ClusterError:
    return ClusterError(f"workers died again and again, at the same rows ({error}); see their logs")


def _by_scheduler(client: Client, do: Callable[..., Any], **arguments: Any) -> Any:
    """Have the scheduler do something that takes no time."""
    try:
        return apart(client, lambda: client.run_on_scheduler(do, **arguments), limit=UNHEARD)
    except OSError as error:  # of a connection, or of no answer
        msg = f"the scheduler does not answer ({type(error).__name__}); see its logs"
        raise ClusterError(msg) from error


def held_by(client: Client, blocks: list[Future]) -> dict[Any, Sequence[str]]:
    """Return which workers hold each block, once these are there."""

    def settled() -> None:
        with client.as_current():
            all_of(blocks)

    awaited(client, settled)
    for block in blocks:
        if block.status == "error":
            error = awaited(client, block.exception)
            raise _died(error) if isinstance(error, KilledWorker) else error
    held: dict[Any, Sequence[str]] = awaited(client, client.who_has, blocks)
    return held


class Watch:
    """Looks, again and again during one wait, for the workers that are there.

    Those without a sign of life at many looks are given up. Seconds are not counted, which pass
    also while this process or the scheduler is stopped, and no worker is to blame.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._heard: dict[str, float] = {}  # when the scheduler heard each worker last
        self._unheard: Counter[str] = Counter()  # looks since then

    def workers(self) -> set[str]:
        """Return the addresses of the workers that are there."""
        heard = _by_scheduler(self._client, _last_heard)
        for address, when in heard.items():
            is_same = self._heard.get(address) == when
            self._unheard[address] = self._unheard[address] + 1 if is_same else 0
        self._heard = heard
        silent = {address for address in heard if self._unheard[address] * LOOK > UNHEARD}
        for address in silent:
            _by_scheduler(self._client, _remove_worker, address=address)
        return set(heard) - silent


class Stretches(NamedTuple):
    """Which examples [first, end) of some blocks, and the number `at` of the first of the whole."""

    ends: list[tuple[int, int]]
    at: int


def _joined(blocks: list[Block], cut: Stretches) -> tuple[Block, int]:
    pieces = [block.between(*ends) for block, ends in zip(blocks, cut.ends, strict=True)]
    return join_blocks(pieces), cut.at


class Actor:
    """Parts of the whole on one worker, and the actors that are asked on behalf of the client."""

    def __init__(
        self, open_parts: Callable[..., Any], blocks: list[list[Block]], cuts: list[Stretches]
    ) -> None:
        self._parts = open_parts(list(map(_joined, blocks, cuts)))
        self._children: list[Any] = []

    def adopt(self, children: list[Any]) -> None:
        """Ask these actors, too, from now on."""
        self._children = children

    def answer(self, packed: bytes) -> Answer:
        """Return what the parts answer."""
        try:
            question, *arguments = pickle.loads(packed)  # noqa: S301 (the client's, as all tasks)
            return Answer(getattr(self._parts, question)(*arguments), None)
        except Exception as error:  # noqa: BLE001 (the client raises it)
            return Answer(None, error)

    def ask(self, limit: float, packed: bytes) -> Answer:
        """Return what the parts answer, merged with what the children do; each within a limit."""
        asked = [child.ask(0.9 * limit, packed) for child in self._children]
        own = self.answer(packed)
        if own.error is not None:
            return own
        value = own.value
        for child, future in zip(self._children, asked, strict=True):
            answer = self._received(child, future, 0.9 * limit)
            if answer.error is not None:
                return Answer(None, answer.error)
            value.merge(answer.value)
        return Answer(value, None)

    @staticmethod
    def _received(child: Any, future: Any, limit: float) -> Answer:
        """Wait so long for a child's answer, and less where its worker is lost.

        Whoever is asked waits here, and so hears nothing of a new question.
        """
        end, address = time.monotonic() + limit, address_of(child)
        while (left := end - time.monotonic()) > 0.0:
            try:
                answer: Answer = future.result(timeout=min(LOOK, left))
            except TimeoutError:
                worker = get_worker()
                if address not in sync(worker.loop, worker.scheduler.ncores):
                    return Answer(None, OSError(f"{address} was lost"))
            else:
                return answer
        return Answer(None, SilentError(address))


class Workers:
    """The parts of the whole, wherever they lie at present.

    `open_parts` makes, on a worker, the object that is asked.
    """

    def __init__(self, client: Client, open_parts: Callable[..., Any], cuts: Sequence[Cut]) -> None:
        self._client = client
        self._open_parts = open_parts
        self._cuts = cuts
        self._actors: list[Any] = []
        self._held: list[Future] = []  # keeps the actors on their workers
        self._asked: list[Any] = []  # the actors that the client itself asks
        self._took: list[float] = []  # seconds of the last answers

    def ask(self, question: str, *arguments: Any) -> list[Any]:
        """Return the answers of all parts, each merged from those of some parts."""
        return self.retried(self._answers, question, arguments)

    def retried(self, do: Callable[..., Answered], *arguments: Any) -> Answered:
        """Do what asks the workers, from the start where one of them is lost meanwhile."""
        for attempt in range(RETRIES + 1):
            try:
                if not self._actors:
                    apart(self._client, self._bind)
                return do(*arguments)
            except ClusterError:
                raise
            except LOST as error:
                self._actors = []
                if attempt == RETRIES or self._client.status != "running":
                    msg = (
                        f"the cluster does not answer ({type(error).__name__}: {error}) after "
                        f"{attempt + 1} attempts; see its dashboard and the logs of its workers"
                    )
                    raise ClusterError(msg) from error
        raise AssertionError  # the last attempt returns or raises

    def _call(self, actor: Any, method: str, *arguments: Any) -> Awaited[Answer]:
        """Begin to call a method of an actor.

        Dask's own call would use whichever client is current, and wait forever after an error.
        """
        client = self._client
        message: dict[str, Any] = {
            "function": method,
            "actor": actor.key,
            "args": arguments,
            "kwargs": {},
        }

        async def call() -> Answer:
            address = address_of(actor)
            try:
                if client.direct_to_workers:
                    reply = await client.rpc(address).actor_execute(**message)
                else:
                    message["op"] = "actor_execute"
                    reply = await client.scheduler.proxy(worker=address, msg=message)
            except Exception as error:
                msg = f"{address} does not answer: {type(error).__name__}: {error}"
                raise OSError(msg) from error
            if reply["status"] != "OK":
                msg = f"{address} has lost its blocks: {reply['exception']}"
                raise OSError(msg)
            answer: Answer = reply["result"]
            return answer

        return asyncio.run_coroutine_threadsafe(call(), client.loop.asyncio_loop)

    def _answers(self, question: str, arguments: tuple[Any, ...]) -> list[Any]:
        began = time.monotonic()
        limit = max(SILENCE, ANSWERS * median(self._took)) if self._took else FIRST_ANSWER
        # once for all of them, and past Dask's own ways, which take a third of the time
        packed = pickle.dumps((question, *arguments), pickle.HIGHEST_PROTOCOL)
        asked = [self._call(actor, "ask", limit, packed) for actor in self._asked]
        values = [
            self._received(actor, future, max(0.1, began + limit - time.monotonic()))
            for actor, future in zip(self._asked, asked, strict=True)
        ]
        self._took = [*self._took[-20:], time.monotonic() - began]
        return values

    def _received(self, actor: Any, future: Any, limit: float) -> Any:
        """Wait for an answer; have the scheduler give up a worker that is silent."""
        try:
            answer = self._waited_at(future, limit)
        except TimeoutError:
            answer = Answer(None, SilentError(address_of(actor)))
        if isinstance(answer.error, SilentError):
            (address,) = answer.error.args
            _by_scheduler(self._client, _remove_worker, address=address)
            msg = f"{address} has been silent for {limit:.0f} s"
            raise TimeoutError(msg)
        if answer.error is not None:
            raise answer.error
        return answer.value

    def _waited_at(self, future: Any, limit: float) -> Any:
        """Wait so long for an actor's answer, and less where a worker is lost.

        Dask tries for 30 seconds to connect to a worker that is not there.
        """
        left, watch = limit, Watch(self._client)
        while True:
            try:
                return _waited(self._client, future, min(LOOK, left))
            except TimeoutError:
                left -= LOOK
                if left <= 0.0:
                    raise
            missing = set(map(address_of, self._actors)) - watch.workers()
            if missing:
                msg = f"{', '.join(sorted(missing))} was lost"
                raise OSError(msg)

    def _bind(self) -> None:
        """Make an actor on each worker that has some of the blocks."""
        client = self._client
        held = held_by(client, [piece.block for cut in self._cuts for piece in cut.pieces])
        places: dict[str, list[Cut]] = defaultdict(list)
        for cut in self._cuts:
            rows: Counter[str] = Counter()
            for block, first, end in cut.pieces:
                if not held.get(block.key):
                    msg = "a block was lost"
                    raise RuntimeError(msg)
                rows.update(dict.fromkeys(held[block.key], end - first))
            most = max(rows, key=lambda at: (rows[at], -len(places.get(at, ())), at))
            places[most].append(cut)
        # Elsewhere rather than never: a worker may be lost before its actor is there.
        self._held = [
            client.submit(
                *(Actor, self._open_parts),
                [[piece.block for piece in cut.pieces] for cut in cuts],
                [Stretches([piece[1:] for piece in cut.pieces], cut.at) for cut in cuts],
                actor=True,
                workers=[address],
                allow_other_workers=True,
                pure=False,
            )
            for address, cuts in places.items()
        ]
        actors = awaited(client, self._made)
        self._asked = actors
        addresses = set(map(address_of, actors))
        # Within one process, an actor that waits for another one would hold up its loop.
        in_process = any(address.startswith("inproc") for address in addresses)
        if len(actors) > DEGREE and len(addresses) == len(actors) and not in_process:
            self._make_tree(actors)
        self._actors = actors

    def _made(self) -> list[Any]:
        """Wait for the actors."""
        with self._client.as_current():  # to which Dask binds what it unpickles
            return [future.result() for future in self._held]

    def _make_tree(self, actors: list[Any]) -> None:
        """Let actors ask others, so that nobody asks more than DEGREE."""
        self._asked = actors[:DEGREE]
        adopted = [
            self._call(actor, "adopt", to_serialize(children))
            for k, actor in enumerate(actors)
            if (children := actors[DEGREE * (k + 1) : DEGREE * (k + 2)])
        ]
        for done in adopted:
            _waited(self._client, done, FIRST_ANSWER)


def _last_heard(dask_scheduler: Any) -> dict[str, float]:
    return {address: worker.last_seen for address, worker in dask_scheduler.workers.items()}


async def _remove_worker(dask_scheduler: Any, address: str) -> None:
    await dask_scheduler.remove_worker(address, stimulus_id="logreg-c-silent", close=False)
