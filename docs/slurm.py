"""A sweep on a Slurm cluster, through dask-jobqueue: python docs/slurm.py sweeps/example.yaml 50

Run it where jobs are submitted, in the project's folder, which all nodes must see under the same path. It submits 50
jobs with one worker each, runs the sweep, and ends the jobs. Adapt queue, memory and time to your cluster.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from dask_jobqueue import SLURMCluster


def cluster(threads: int) -> SLURMCluster:
    """Jobs with one worker each, which does one cell at a time with `threads` threads (the grid's `threads`)."""
    return SLURMCluster(
        cores=1,
        job_cpu=threads,
        memory="2GB",
        walltime="02:00:00",
        python=shlex.quote(sys.executable),
        job_script_prologue=[f"export PYTHONPATH={shlex.quote(str(Path.cwd()))}", "export MANEX_DEVICE=cpu"],
    )


if __name__ == "__main__":
    grid, jobs = sys.argv[1], int(sys.argv[2])
    with cluster(threads=1) as slurm:
        slurm.scale(jobs=jobs)
        environment = os.environ | {"MANEX_SCHEDULER": slurm.scheduler_address, "MANEX_DEVICE": "cpu"}
        sys.exit(subprocess.run([sys.executable, "-m", "pipeline", "sweep", grid], env=environment).returncode)
