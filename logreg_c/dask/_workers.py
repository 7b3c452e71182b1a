# SPDX-License-Identifier: BSD-3-Clause
"""Actors on the workers, each with the blocks that lie there, and the questions they are asked.

A question to an actor is no task: it goes straight to the worker, or through the scheduler where
the client does not reach all workers, or must not. The client first asks what the blocks are, then
says which examples of which blocks are parts of the whole, and where; actors fetch from each other
the few that lie elsewhere. Where a worker is lost, all actors are dropped, the scheduler computes
again what was lost with it, new actors are bound to where that lies then, and the same question is
asked once more. Questions change nothing, so the answer has the same bits.
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
from functools import partial
from itertools import chain
from math import inf
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import distributed
from distributed import CancelledError, get_worker
from distributed import wait as all_of
from distributed.comm import CommClosedError
from distributed.protocol import to_serialize
from distributed.scheduler import KilledWorker
from distributed.utils import sync

from ._blocks import are_scattered, described, join_blocks, make_block

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from distributed import Client, Future

    from ._blocks import Block, Cut, Described, Piece

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


def held_by(client: Client, futures: list[Future]) -> dict[Any, Sequence[str]]:
    """Return which workers hold what tasks return, once it is there."""

    def settled() -> None:
        with client.as_current():
            all_of(futures)

    awaited(client, settled)
    for future in futures:
        if future.status == "error":
            error = awaited(client, future.exception)
            raise _died(error) if isinstance(error, KilledWorker) else error
    keys = [future.key for future in futures]
    held: dict[Any, Sequence[str]]
    held, scattered = _by_scheduler(client, _holders, keys=keys)
    if scattered:
        msg = (
            "X, Y or sample_weight holds data that were scattered to the workers, which cannot be "
            "computed again if a worker is lost; expected collections that Dask knows how to make: "
            "read from files, or by dask.array.from_array and dask.dataframe.from_pandas"
        )
        raise ValueError(msg)
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


class Place(NamedTuple):
    """Where an actor is."""

    address: str
    key: Any


class Actor:
    """Blocks on one worker, the parts of the whole there, and the actors that are asked for it."""

    def __init__(self, blocks: dict[int, list[Any]], coded: Callable[[Any], Any] | None) -> None:
        """Take blocks, or what they are made of: X, Y and perhaps sample weights."""
        self._blocks: dict[int, Block] = {}
        for k, (first, *others) in blocks.items():
            weight = others[1] if len(others) > 1 else None
            made = first if not others else make_block(first, others[0], weight, k, coded)
            self._blocks[k] = made
        self._open: Callable[[], Any] | None = None
        self._parts: Any = None
        self._children: list[Any] = []

    def describe(self) -> Answer:
        """Return what the client has to know of the blocks."""
        return Answer({k: described(block) for k, block in self._blocks.items()}, None)

    def blocks(self) -> Answer:
        """Return the blocks, which are small."""
        return Answer(self._blocks, None)

    async def lend(self, pieces: list[Piece]) -> list[Block]:
        """Return pieces of blocks; at once, since whoever asks may be asked, too."""
        return [self._blocks[k].between(*ends) for k, *ends in pieces]

    async def take(
        self,
        limit: float,
        open_parts: Callable[..., Any],
        cuts: list[Cut],
        lenders: dict[int, Place],
    ) -> Answer:
        """Hold these parts from now on, with what other actors lend, each within a limit."""
        wanted = defaultdict(list)
        for piece in (piece for cut in cuts for piece in cut.pieces):
            if piece.block not in self._blocks:
                wanted[lenders[piece.block]].append(piece)
        lent: dict[Piece, Block] = {}
        for place, pieces in wanted.items():
            send = get_worker().rpc(place.address).actor_execute
            asked = _executed(send, place, "lend", to_serialize(pieces))
            try:
                lent |= zip(pieces, await asyncio.wait_for(asked, 0.9 * limit), strict=True)
            except TimeoutError:
                return Answer(None, SilentError(place.address))
            except OSError as error:
                return Answer(None, error)

        def joined(cut: Cut) -> tuple[Block, int]:
            found = [lent.get(p) or self._blocks[p.block].between(*p[1:]) for p in cut.pieces]
            return join_blocks(found), cut.at

        self._parts, self._open = None, lambda: open_parts(list(map(joined, cuts)))
        return Answer(None, None)

    async def adopt(self, children: list[Place]) -> Answer:
        """Ask these actors, too, from now on."""
        self._children = [distributed.Actor(Actor, *child, get_worker()) for child in children]
        return Answer(None, None)

    def answer(self, packed: bytes) -> Answer:
        """Return what the parts answer."""
        try:
            question, *arguments = pickle.loads(packed)  # noqa: S301 (the client's, as all tasks)
            if self._open is not None:
                self._parts, self._open = self._open(), None
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
        end, address = time.monotonic() + limit, child._address  # noqa: SLF001
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
    """Blocks of examples, and the parts of the whole, wherever they lie at present.

    `open_parts` makes, on a worker, the object that is asked about the parts.
    """

    def __init__(
        self,
        client: Client,
        blocks: list[tuple[Future, ...]],
        coded: Callable[[Any], Any] | None,
    ) -> None:
        self._client = client
        self._futures = blocks
        self._coded = coded  # makes numbers of labels
        self._held = self._settled()  # an error of a task is no loss
        self._open_parts: Callable[..., Any] | None = None
        self._cuts: list[Cut] = []
        self._kept: list[Future] = []  # keeps the actors on their workers
        self._actors: list[Place] = []
        self._owners: dict[int, Place] = {}  # of the blocks
        self._asked: list[Place] = []  # the actors that the client itself asks about parts
        self._reached: Awaited[bool] | None = None  # without the scheduler
        self._took: list[float] = []  # seconds of the last answers

    def described(self) -> list[Described]:
        """Return what is to be known of the blocks."""
        return self._of_blocks("describe")

    def blocks(self) -> list[Block]:
        """Return the blocks, which are small."""
        return self._of_blocks("blocks")

    def _of_blocks(self, method: str) -> list[Any]:
        found: dict[int, Any] = {}
        for some in self._retried(partial(self._of_all, method)):
            found |= some
        return [found[k] for k in range(len(self._futures))]

    def _of_all(self, method: str) -> list[Any]:
        asked = {place: self._call(place, method) for place in self._actors}
        return self._received(asked, FIRST_ANSWER)

    def arrange(self, open_parts: Callable[..., Any], cuts: list[Cut]) -> None:
        """Say what parts there are."""
        self._open_parts, self._cuts = open_parts, cuts
        self._asked = []

    def ask(self, question: str, *arguments: Any) -> list[Any]:
        """Return the answers of all parts, each merged from those of some parts."""
        return self._retried(partial(self._answers, question, arguments))

    def _retried(self, do: Callable[[], Answered]) -> Answered:
        """Do what asks the workers, from the start where one of them is lost meanwhile."""
        for attempt in range(RETRIES + 1):
            try:
                if not self._actors:
                    apart(self._client, self._bind)
                if self._cuts and not self._asked:
                    self._arrange()
                return do()
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

    def _call(self, place: Place, method: str, *arguments: Any) -> Awaited[Any]:
        """Begin to call a method of an actor."""
        client = self._client

        def proxied(**message: Any) -> Any:
            message["op"] = "actor_execute"
            return client.scheduler.proxy(worker=place.address, msg=message)

        async def call() -> Any:
            reached = self._reached is not None and self._reached.done() and self._reached.result()
            direct = client.direct_to_workers or reached
            send = client.rpc(place.address).actor_execute if direct else proxied
            return await _executed(send, place, method, *arguments)

        return asyncio.run_coroutine_threadsafe(call(), client.loop.asyncio_loop)

    def _answers(self, question: str, arguments: tuple[Any, ...]) -> list[Any]:
        began = time.monotonic()
        limit = max(SILENCE, ANSWERS * median(self._took)) if self._took else FIRST_ANSWER
        # once for all of them, and past Dask's own ways, which take a third of the time
        packed = pickle.dumps((question, *arguments), pickle.HIGHEST_PROTOCOL)
        asked = {place: self._call(place, "ask", limit, packed) for place in self._asked}
        values = self._received(asked, limit)
        self._took = [*self._took[-20:], time.monotonic() - began]
        return values

    def _received(self, asked: dict[Place, Awaited[Answer]], limit: float) -> list[Any]:
        """Wait for answers; have the scheduler give up a worker that is silent."""
        end, values = time.monotonic() + limit, []
        for place, future in asked.items():
            try:
                answer = self._waited_at(future, max(0.1, end - time.monotonic()))
            except TimeoutError:
                answer = Answer(None, SilentError(place.address))
            if isinstance(answer.error, SilentError):
                (address,) = answer.error.args
                _by_scheduler(self._client, _remove_worker, address=address)
                msg = f"{address} has been silent for {limit:.0f} s"
                raise TimeoutError(msg)
            if answer.error is not None:
                raise answer.error
            values.append(answer.value)
        return values

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
            missing = {place.address for place in self._actors} - watch.workers()
            if missing:
                msg = f"{', '.join(sorted(missing))} was lost"
                raise OSError(msg)

    def _settled(self) -> dict[Any, Sequence[str]]:
        """Return which workers hold the blocks, once these are there."""
        return held_by(self._client, list(chain.from_iterable(self._futures)))

    def _bind(self) -> None:
        """Make an actor on each worker that has some of the blocks."""
        client = self._client
        held, self._held = self._held or self._settled(), {}
        numbers: dict[str, list[int]] = defaultdict(list)
        for k, (future, *_) in enumerate(self._futures):
            # Anywhere rather than never: a worker may be lost before its actor is there.
            holders = held.get(future.key) or ("",)
            numbers[min(holders, key=lambda at: (len(numbers[at]), at))].append(k)
        self._kept = [
            client.submit(
                *(Actor, {k: list(self._futures[k]) for k in here}, self._coded),
                actor=True,
                workers=[address] if address else None,
                allow_other_workers=bool(address),
                pure=False,
            )
            for address, here in numbers.items()
            if here
        ]
        held = held_by(client, self._kept)
        actors: list[Place] = []
        owners: dict[int, Place] = {}
        for future, here in zip(self._kept, filter(None, numbers.values()), strict=True):
            if not held.get(future.key):
                msg = "blocks were lost"
                raise RuntimeError(msg)
            actors.append(Place(held[future.key][0], future.key))
            owners |= dict.fromkeys(here, actors[-1])
        self._actors, self._owners, self._asked = actors, owners, []
        self._reached = None
        if client.direct_to_workers is None and len(actors) <= DEGREE:
            reach = self._reach(actors)
            self._reached = asyncio.run_coroutine_threadsafe(reach, client.loop.asyncio_loop)

    async def _reach(self, actors: list[Place]) -> bool:
        """Return whether these can be asked without the scheduler, which takes half the time."""
        rpcs = [self._client.rpc(place.address).actor_execute for place in actors]
        asked = [_executed(rpc, at, "lend", []) for rpc, at in zip(rpcs, actors, strict=True)]
        try:
            await asyncio.wait_for(asyncio.gather(*asked), GONE)
        except OSError:
            return False
        return True

    def _arrange(self) -> None:
        """Have each part where most of its examples are."""
        owners = self._owners
        places: dict[Place, list[Cut]] = defaultdict(list)
        for cut in self._cuts:
            rows: Counter[Place] = Counter()
            for block, first, end in cut.pieces:
                rows[owners[block]] += end - first
            most = max(rows, key=lambda at: (rows[at], -len(places.get(at, ())), at))
            places[most].append(cut)
        taken = {}
        for place, cuts in places.items():
            blocks = {piece.block for cut in cuts for piece in cut.pieces}
            lenders = {k: owners[k] for k in blocks if owners[k] != place}
            given = map(to_serialize, (self._open_parts, cuts, lenders))
            taken[place] = self._call(place, "take", FIRST_ANSWER, *given)
        self._received(taken, FIRST_ANSWER)
        asked = list(places)
        addresses = {place.address for place in asked}
        # Within one process, an actor that waits for another one would hold up its loop.
        in_process = any(address.startswith("inproc") for address in addresses)
        if len(asked) > DEGREE and len(addresses) == len(asked) and not in_process:
            asked = self._tree(asked)
        self._asked = asked

    def _tree(self, actors: list[Place]) -> list[Place]:
        """Let actors ask others, so that nobody asks more than DEGREE; return those at the top."""
        adopted = {
            actor: self._call(actor, "adopt", to_serialize(children))
            for k, actor in enumerate(actors)
            if (children := actors[DEGREE * (k + 1) : DEGREE * (k + 2)])
        }
        self._received(adopted, FIRST_ANSWER)
        return actors[:DEGREE]


async def _executed(send: Callable[..., Any], place: Place, method: str, *arguments: Any) -> Any:
    """Have an actor do something.

    Dask's own call would use whichever client is current, and wait forever after an error.
    """
    try:
        reply = await send(function=method, actor=place.key, args=[*arguments], kwargs={})
    except Exception as error:
        msg = f"{place.address} does not answer: {type(error).__name__}: {error}"
        raise OSError(msg) from error
    if reply["status"] != "OK":
        msg = f"{place.address} has lost its blocks: {reply['exception']}"
        raise OSError(msg)
    return reply["result"]


def _holders(dask_scheduler: Any, keys: list[Any]) -> tuple[dict[Any, list[str]], bool]:
    """Return the workers that hold some data, and whether these were scattered."""
    tasks = (dask_scheduler.tasks[key] for key in keys if key in dask_scheduler.tasks)
    held = {task.key: [worker.address for worker in task.who_has or ()] for task in tasks}
    return held, are_scattered(dask_scheduler, keys)


def _last_heard(dask_scheduler: Any) -> dict[str, float]:
    return {address: worker.last_seen for address, worker in dask_scheduler.workers.items()}


async def _remove_worker(dask_scheduler: Any, address: str) -> None:
    await dask_scheduler.remove_worker(address, stimulus_id="logreg-c-silent", close=False)
