"""Where tasks run: in this process, in processes of this machine (joblib), or on a Dask cluster."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError

from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import BrokenProcessPool

from pipeline.errors import UserError
from pipeline.sweeps.tasks import Outcome, Task
from pipeline.sweeps.work import attempt

ANSWERS_WITHIN = 20
"""Seconds in which a scheduler must answer."""


def completed(tasks: Sequence[Task], at_once: int, scheduler: str | None) -> Iterator[Outcome]:
    """One outcome a task, as they come.

    Args:
        at_once: tasks at a time on this machine; more than one go to processes of their own.
        scheduler: address of a Dask scheduler, whose workers do the tasks instead.

    Raises:
        UserError: the pool is lost; what was yielded before is all there is.
    """
    if not tasks:
        return
    if scheduler:
        yield from _on_dask(tasks, scheduler)
    elif min(at_once, len(tasks)) == 1:
        yield from map(attempt, tasks)
    else:
        pool = Parallel(min(at_once, len(tasks)), return_as="generator_unordered", batch_size=1)
        try:
            yield from pool(delayed(attempt)(task) for task in tasks)
        except BrokenProcessPool:
            raise UserError(
                "a worker process was killed, perhaps for want of memory; what is done is kept: run the sweep again, "
                "with fewer at once (MANEX_WORKERS)"
            ) from None


def _on_dask(tasks: Sequence[Task], scheduler: str) -> Iterator[Outcome]:
    """The scheduler gives the tasks of a worker that dies to others; one that killed three workers has failed."""
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise UserError(
            'MANEX_SCHEDULER: Dask is not installed: pip install -c constraints.txt -e ".[dask]"; or unset it'
        ) from None
    try:
        client = Client(scheduler, timeout=ANSWERS_WITHIN, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise UserError(
            f"MANEX_SCHEDULER: no scheduler answers at {scheduler} ({type(error).__name__}); start one: dask scheduler"
        ) from None
    with client:
        if not client.scheduler_info()["workers"]:
            sys.stderr.write(f"manex: {scheduler} has no workers yet: dask worker {scheduler} --nthreads 1\n")
        futures = [client.submit(attempt, task, key=f"manex-{task.key}", pure=False) for task in tasks]
        waiting = as_completed(futures, loop=client.loop)
        del futures  # a future that nobody holds lets its worker forget the result
        for future in waiting:
            try:
                outcome = future.result()  # if its worker has died since, it is done anew
            except CancelledError:
                message = f"the scheduler at {scheduler} is gone; what is done is kept: run the sweep again"
                raise UserError(message) from None
            except Exception as error:
                outcome = Outcome(future.key.removeprefix("manex-"), None, _told(error))
            yield outcome


def _told(error: Exception) -> str:
    name = type(error).__name__
    if name == "KilledWorker":
        return "the workers that tried it died, perhaps for want of memory"
    return f"{name}: {' '.join(str(error).split())[:300]}"
