"""Dask's nanny starts its workers with MALLOC_TRIM_THRESHOLD_=65536; torch on a CPU is slow with that."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

ASK = """
import os
from pathlib import Path
import numpy as np
from pipeline.sweeps.work import keep_freed_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def kept():
    before = resident()
    block = np.ones(2**24, np.uint8)
    assert resident() - before > 2**23
    del block
    return resident() - before

handed_back = kept()
keep_freed_memory()
print(handed_back, kept())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc knows the variable")
def test_a_process_that_a_nanny_started_keeps_freed_memory() -> None:
    environment = os.environ | {"MALLOC_TRIM_THRESHOLD_": "65536"}
    run = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True)
    before, after = map(int, run.stdout.split())
    assert before < 2**23 < after
