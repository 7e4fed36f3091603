"""Extraction in several processes, each with the model and one thread."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait

from eventune.errors import EventuneError
from eventune.inference.extractor import Extractor
from eventune.inference.pools import Facts, Options, Pool, PoolExtractor, PoolResult

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
"""What says how many threads the libraries take; the last is the tokenizers'."""
POOLS_A_WORKER = 3
"""So many pools are read ahead for each, so that none waits for one that takes longer."""


class Processes:
    """Extracts from pools in other processes; see `Crew`."""

    def __init__(self, executor: ProcessPoolExecutor, count: int) -> None:
        self._executor, self._most = executor, POOLS_A_WORKER * count
        with _explained():
            self.facts = executor.submit(_facts).result()

    def results(self, pools: Iterable[Pool]) -> Iterator[PoolResult]:
        """See `Crew`."""
        waiting: deque[Future[PoolResult]] = deque()
        with _explained():
            for pool in pools:
                waiting.append(self._executor.submit(_extract, pool))
                if len(waiting) == self._most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()


@contextmanager
def processes(load: Callable[[], Extractor], options: Options, count: int) -> Iterator[Processes]:
    """Start processes that extract; they end with the block, and with this process however it ends.

    Where the block fails, nobody waits for what they are at.

    Args:
        load: Loads the extractor; it is sent to the processes.
        options: What else decides what is found.
        count: How many processes.

    Raises:
        EventuneError: If the extractor cannot be loaded, or a process is ended from outside.
    """
    context = multiprocessing.get_context("spawn")
    waiting, ending = context.Pipe(duplex=False)
    executor = ProcessPoolExecutor(count, context, initializer=_begin, initargs=(load, options, waiting))
    try:
        yield Processes(executor, count)
    except BaseException:
        # All of them see the message, which none takes out.
        ending.send_bytes(b"end")
        raise
    finally:
        executor.shutdown(cancel_futures=True)
        waiting.close()
        ending.close()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool:
        raise EventuneError(
            "--workers: a process ended before its work was done, as for want of memory",
            "give the same command again, with fewer workers: it goes on where it stopped",
        ) from None


_load: Callable[[], PoolExtractor]
_extractor: PoolExtractor | None = None


def one_thread() -> None:
    """Let the libraries that are loaded from now on, and torch, take one thread."""
    os.environ.update(dict.fromkeys(THREADS, "1"))
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


def _begin(load: Callable[[], Extractor], options: Options, ending: Connection) -> None:
    """Prepare a process; the model is loaded with its first task, whose error somebody hears."""
    global _load
    one_thread()
    # Whoever interrupts the command reaches all its processes; it alone says so.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_when_told, args=(ending,), daemon=True).start()
    _load = lambda: PoolExtractor(load(), options)  # noqa: E731


def _end_when_told(ending: Connection) -> None:
    """End this process when the parent says so, or is gone."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([ending, parent.sentinel])
        os._exit(1)


def _loaded() -> PoolExtractor:
    global _extractor
    if _extractor is None:
        _extractor = _load()
        one_thread()
    return _extractor


def _facts() -> Facts:
    return _loaded().facts


def _extract(pool: Pool) -> PoolResult:
    return _loaded().extract(pool)
