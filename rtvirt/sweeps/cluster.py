"""A sweep on a Dask cluster: batches out, records in; whatever workers do, every point comes back once."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from math import ceil
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ..errors import Problem, RtvirtError, SpecError
from .carried import modules_of, packed
from .spelling import model_version
from .worker import Job, run, stop

if TYPE_CHECKING:
    from distributed import Client, Future

    from .running import Work

TARGET = 1.0          # [s] a batch at least: what Dask does for it, some milliseconds, should not matter
LONGEST = 4.0         # [s] a batch of a long sweep
PART_OF = 20          # a batch takes no more of the time so far, so that whoever is killed loses little
GROWTH = 8            # a batch to the next, at most: the first points may be the cheap ones
MOST = 50_000         # points a batch
LIMIT = 2             # times as long, and it comes back with what it has: points may cost more than those before them
AHEAD = 2             # batches a thread: one in hand, one waiting
PARTS = 8             # of a batch that killed its worker
LOOK = 0.5            # [s] between two looks for Ctrl-C and for lost clusters
PATIENCE = 30.0       # [s] without a cluster
FETCH = 2, 4, 8, 16   # [s] for a batch that is done; longer and longer: it may be large, and the network slow
QUIET = {             # what Dask does all the time, beside the work: looking at itself, for tasks of milliseconds and arrays of gigabytes
    "distributed.deploy.lost-worker-timeout": "1h",       # (of a LocalCluster) after which a killed worker that is still starting again is given up
    "distributed.worker.profile.enabled": False, "distributed.admin.tick.interval": "500ms", "distributed.admin.system-monitor.interval": "5s",
    "distributed.scheduler.work-stealing-interval": "1s", "distributed.scheduler.active-memory-manager.start": False,
    "distributed.worker.memory.monitor-interval": "1s"}


@contextmanager
def connected(client: Any, workers: int) -> Iterator[Client]:
    """A client of the cluster that `client` names; what is opened for it is closed again."""
    try:
        from dask import config
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise RtvirtError("a sweep with client= needs Dask: install the extra with `pip install 'rtvirt[cluster]'`, or leave client out") from error
    if isinstance(client, Client):
        if client.asynchronous:
            raise SpecError([Problem("client", client, "a client that is not asynchronous", "make it with Client(address)")])
        yield client
    elif client == "local":
        with config.set(QUIET), \
                LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None) as cluster, \
                Client(cluster, set_as_default=False) as made:
            yield made
    elif isinstance(client, str) or hasattr(client, "scheduler_address"):
        try:
            made = Client(client, set_as_default=False, timeout=f"{PATIENCE:.0f}s")
        except (OSError, ValueError) as error:
            raise RtvirtError(f"no cluster answers at {client}: {error}; give the address that its scheduler prints, as tcp://host:port") from None
        with made:
            yield made
    else:
        raise SpecError([Problem("client", client, "a dask.distributed Client or cluster, its scheduler's address, or 'local'",
                                 "write client='local' for processes of this machine")])


def revive(cluster: Any) -> None:
    """Open workers of a cluster of this machine again that Dask has given up: those that were killed, and had not started again 15 s later."""
    from distributed import LocalCluster

    if isinstance(cluster, LocalCluster) and len(cluster.workers) < len(cluster.worker_spec):
        cluster.scale(len(cluster.worker_spec))


def on_cluster(work: Work, order: list[int], client: Client) -> Generator[int]:
    """Do the points, yielding how many are done whenever some are."""
    flight = Flight(work, order, client)
    try:
        yield from flight.steps()
    finally:
        flight.end()


class Flight:
    """Batches under way.

    Attributes
    ----------
    again : list of list of int
        Points that came back undone.
    suspects : list of int
        Points whose workers died, whose fault it may be: each is tried alone at the end.
    """

    def __init__(self, work: Work, order: list[int], client: Client) -> None:
        self.work, self.client, self.order, self.next = work, client, order, 0
        self.again: list[list[int]] = []
        self.suspects: list[int] = []
        self.flying: dict[Future, list[int]] = {}
        self.landed: SimpleQueue[Future] = SimpleQueue()
        self.size, self.alone, self.threads, self.looked, self.began = 1, False, 0, 0.0, time.monotonic()
        self.heard = self.began
        schedulers = {one.kernel_name for values in work.points.values for one in values if hasattr(one, "kernel_name")}
        self.own = modules_of((work.function, work.points.values))
        self.job = Job(f"sweep-{uuid4().hex[:12]}", model_version(), sys.version_info[:2], packed(work.function, "function", self.own),
                       tuple(work.points.names), tuple(sorted(schedulers)), work.errors)

    def steps(self) -> Generator[int]:
        """Until nothing is left."""
        while True:
            self.fill()
            if not self.flying:
                return
            for future in self.arrivals():
                if future in self.flying:         # not one that was taken for lost, and came back
                    yield self.take(future, self.flying.pop(future))

    # ------------------------------------------------------------------ out

    def fill(self) -> None:
        """Send batches, so that no thread waits."""
        self.count_threads()
        while len(self.flying) < max(AHEAD * self.threads, AHEAD) and not self.alone and (points := self.batch()):
            self.send(points)
        if not self.flying and self.suspects:
            self.alone = True
            self.send([self.suspects.pop()])

    def batch(self) -> list[int]:
        """The next points to send; towards the end fewer, so that all threads end together."""
        if self.again:
            return self.again.pop()
        size = min(self.size, ceil((len(self.order) - self.next) / max(AHEAD * self.threads, 1)))
        self.next += size
        return self.order[self.next - size:self.next]

    def target(self) -> float:
        """How long a batch should take [s]."""
        return min(LONGEST, max(TARGET, (time.monotonic() - self.began) / PART_OF))

    def send(self, points: list[int]) -> None:
        """Put a batch on its way."""
        values = packed([self.work.points.values_of(i) for i in points], "grid", self.own)
        try:
            future = self.client.submit(run, self.job, values, LIMIT * self.target(), key=f"{self.job.name}-{uuid4().hex[:12]}", pure=False)
        except Exception as error:
            raise self.gone() from error
        self.flying[future] = points
        future.add_done_callback(self.landed.put)

    def count_threads(self) -> None:
        """Ask now and then how many threads the cluster has: workers come and go."""
        now = time.monotonic()
        if now - self.looked > (2.0 if self.threads else 0.2):
            self.looked = now
            try:
                self.threads = sum(self.client.nthreads().values())
            except Exception as error:
                raise self.gone() from error
            revive(self.client.cluster)
            if self.threads:
                self.heard = now
            elif now - self.heard > PATIENCE:
                warnings.warn("the cluster has no workers; the sweep goes on when some arrive", RuntimeWarning, stacklevel=2)
                self.heard = now + 1e9

    # ------------------------------------------------------------------ in

    def arrivals(self) -> list[Future]:
        """Batches that are back, or lost; none after a while, so that the caller can look around."""
        try:
            return [self.landed.get(timeout=LOOK)]
        except Empty:
            if self.client.status not in ("running", "connecting"):
                raise self.gone() from None
            return [future for future in self.flying if future.status == "lost"]

    def take(self, future: Future, points: list[int]) -> int:
        """Keep what a batch brought; how many points that is."""
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        alone, self.alone = self.alone, False
        try:
            if future.status == "lost":
                raise FutureCancelledError(future.key, "lost")
            batch = self.fetch(future)
        except (FutureCancelledError, TimeoutError):          # the cluster was restarted, or does not answer now
            self.wait_for_cluster()
            self.again.append(points)
            return 0
        except KilledWorker:
            return self.killed(points, alone)
        except RtvirtError as error:
            raise error from None
        except Exception as error:
            raise RtvirtError(f"a worker cannot compute: {type(error).__name__}: {error}; every worker needs the same rtvirt, and the libraries that "
                              "the function imports") from error
        done = len(batch.records)
        self.work.keep(points[:done], batch.records)
        if batch.error is not None:
            raise batch.error
        if done < len(points):
            self.again.append(points[done:])
        if done:
            self.size = max(1, min(int(self.target() * done / max(batch.seconds, 1e-9)), GROWTH * len(points), MOST))
        return done

    def fetch(self, future: Future) -> Any:
        """What a batch brought. If its worker died with it, another one computes it again, which may have to be opened first."""
        for patience in FETCH:
            try:
                return future.result(timeout=patience)
            except TimeoutError:
                self.count_threads()
        raise TimeoutError

    def killed(self, points: list[int], alone: bool) -> int:
        """A batch whose workers died again and again: find the point that kills them, if there is one."""
        if len(points) > 1:
            step = ceil(len(points) / PARTS)
            self.again += [points[k:k + step] for k in range(0, len(points), step)]
            return 0
        if not alone:
            self.suspects += points
            return 0
        text = "KilledWorker: each worker that computed this point alone died: too little memory, or a crash in compiled code"
        if self.work.errors == "raise":
            raise RtvirtError(f"{text}; the point is {self.work.points.point(points[0])}")
        self.work.keep(points, [{"error": text}])
        return 1

    def wait_for_cluster(self) -> None:
        """Give a cluster that was restarted the time to be there again."""
        ends = time.monotonic() + PATIENCE
        while self.client.status != "running":
            if self.client.status != "connecting" or time.monotonic() > ends:
                raise self.gone()
            time.sleep(0.1)

    def gone(self) -> RtvirtError:
        """What to say when there is no cluster any more."""
        kept = self.work.kept
        return RtvirtError("the cluster is gone; " + ("its results are lost: give store=... to keep them next time" if kept is None else
                           f"the {len(kept.results)} points in {kept.path} are safe: start a cluster, and call the same sweep again to go on"))

    def end(self) -> None:
        """Let batches under way come back after the point in progress, and keep what they bring. A second Ctrl-C does not wait."""
        if not self.flying or self.client.status != "running":
            return
        self.client.run(stop, self.job.name, on_error="ignore")
        while self.flying and self.client.status == "running" and self.client.nthreads():
            try:
                future = self.landed.get(timeout=LOOK)
            except Empty:
                continue
            points = self.flying.pop(future, [])
            try:
                records = future.result(timeout=PATIENCE).records
            except Exception:             # whatever it is, these points are computed next time
                continue
            self.work.keep(points[:len(records)], records)
