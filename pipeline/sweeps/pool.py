"""The tasks of a sweep, done in this process or by the engine's pool."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.engine.pool import open_pool
from pipeline.sweeps.tasks import Outcome, Task
from pipeline.sweeps.work import attempt


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
    if scheduler is None and min(at_once, len(tasks)) == 1:
        yield from map(attempt, tasks)
        return
    left, at_work = list(reversed(tasks)), 0
    with open_pool(at_once, scheduler, tasks[0].root) as pool:
        while left or at_work:
            while left and at_work < pool.size:
                task = left.pop()
                pool.submit(task.key, attempt, task)
                at_work += 1
            for done in pool.ended(within=60):
                at_work -= 1
                yield done.answer or Outcome(done.key, None, done.lost)
