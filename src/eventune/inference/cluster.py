"""Extraction on a Ray cluster, by Ray Data: pools flow through a queue to workers that each load the model once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from eventune.backbones.arguments import AUTO
from eventune.errors import EventuneError, require_library
from eventune.inference.extractor import Extractor
from eventune.inference.pools import Facts, Options, Pool, PoolExtractor, PoolResult
from eventune.inference.ray_cluster import connected, explained, gpus_of
from eventune.inference.workers import POOLS_A_WORKER, one_thread

_COLUMN = "value"
_END = b""


class RayData:
    """Extracts from pools on a cluster; see `Crew`."""

    def __init__(
        self, ray: Any, load: Callable[[], Extractor], options: Options, workers: int, needs: Mapping[str, int]
    ) -> None:
        self._ray, self._pickle = ray, ray.cloudpickle
        self._queue = require_library("ray.util.queue", "--ray", "").Queue(maxsize=POOLS_A_WORKER * workers)
        self._rows = _stream(ray, self._queue, load, options, workers, needs)
        with explained(ray):
            self._ask(None)
            self.facts: Facts = self._answer()

    def results(self, pools: Iterable[Pool]) -> Iterator[PoolResult]:
        """See `Crew`; the pools are read in a thread, as far ahead as the queue has room."""
        failures: list[BaseException] = []
        asked = threading.Semaphore(0)
        feeder = threading.Thread(target=self._feed, args=(pools, asked, failures), daemon=True)
        feeder.start()
        with explained(self._ray):
            while asked.acquire():
                if failures:
                    raise failures[0]
                row = next(self._rows, None)
                if row is None:
                    return
                yield self._value(row)

    def _feed(self, pools: Iterable[Pool], asked: threading.Semaphore, failures: list[BaseException]) -> None:
        try:
            for pool in pools:
                self._ask(pool)
                asked.release()
            self._queue.put(_END)
        except BaseException as error:
            failures.append(error)
        asked.release()

    def _ask(self, pool: Pool | None) -> None:
        self._queue.put(self._pickle.dumps(pool))

    def _answer(self) -> Any:
        return self._value(next(self._rows))

    def _value(self, row: Any) -> Any:
        value = self._pickle.loads(row[_COLUMN][0].as_py())
        if isinstance(value, EventuneError):
            raise value
        return value


@contextmanager
def on_ray(
    address: str, load: Callable[[], Extractor], options: Options, workers: int | None, *, device: str = AUTO
) -> Iterator[RayData]:
    """Start workers on a cluster.

    Args:
        address: See `connected`.
        load: Loads the extractor; it is sent to the workers, which find the run's files at the same places.
        options: What else decides what is found.
        workers: How many, with one thread each; by default one a core of the cluster, or one a GPU.
        device: Where the extractor lies, see `gpus_of`.

    Raises:
        EventuneError: If Ray is missing, the cluster cannot be reached, the extractor cannot be loaded, or a process is
            ended from outside.
    """
    hint = "pip install 'eventune[ray]'"
    require_library("ray.data", "--ray: expected Ray Data with pyarrow and pandas, which are not all installed", hint)
    with connected(address) as ray:
        gpus = gpus_of(ray, device)
        room = int(ray.cluster_resources().get("GPU" if gpus else "CPU", 1))
        # Ray Data adds a core to a GPU.
        yield RayData(ray, load, options, workers or max(1, room), {"num_gpus": gpus} if gpus else {"num_cpus": 1})


def _stream(
    ray: Any, queue: Any, load: Callable[[], Extractor], options: Options, workers: int, needs: Mapping[str, int]
) -> Iterator[Any]:
    """Return what the workers make of the queue's values, in their order, as it is made, a table of one row each."""
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    # A block a pool: larger ones would wait for pools that are not read yet.
    context.target_max_block_size = 1
    # One item, which is drained into all values; it takes no core from the workers.
    values = ray.data.from_items([0]).flat_map(partial(_drained, queue), num_cpus=0)
    found = values.map_batches(
        _Worker,
        batch_size=1,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=workers),
        fn_constructor_args=(load, options),
        **needs,
    )
    # Nothing is fetched ahead: what is there would wait for what may never come.
    return iter(found.iter_batches(batch_size=1, batch_format="pyarrow", prefetch_batches=0))


def _drained(queue: Any, _: Mapping[str, Any]) -> Iterator[dict[str, bytes]]:
    while value := queue.get():
        yield {_COLUMN: value}


class _Worker:
    """Has the model, and extracts from the pools that are sent to it; errors are sent back as they are."""

    def __init__(self, load: Callable[[], Extractor], options: Options) -> None:
        one_thread()
        self._load, self._options = load, options
        self._extractor: PoolExtractor | None = None

    def __call__(self, batch: Any) -> dict[str, list[bytes]]:
        import ray

        values = batch[_COLUMN].to_pylist()
        return {_COLUMN: [ray.cloudpickle.dumps(self._result(ray.cloudpickle.loads(value))) for value in values]}

    def _result(self, pool: Pool | None) -> PoolResult | Facts | EventuneError:
        try:
            if self._extractor is None:
                self._extractor = PoolExtractor(self._load(), self._options)
                one_thread()
            return self._extractor.facts if pool is None else self._extractor.extract(pool)
        except EventuneError as error:
            return error
