"""Whose a run is: a store may be shared, and what one owner left unfinished another one must not remove."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from platform import node

import psutil

from pipeline.paths import Paths


def owner(paths: Paths) -> str:
    """User, host and project."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may know no name
        user = str(os.getuid())
    return f"{user}@{node()}:{paths.original.resolve()}"


def process(pid: int) -> str:
    """A process of this machine, told from a later one of the same number; "" if there is none."""
    try:
        return f"{pid} {psutil.Process(pid).create_time():.0f}"
    except psutil.Error:
        return ""


def lives(status: str, tags: Mapping[str, str]) -> bool:
    """Whether another process of this owner is still at work on a run."""
    known = tags.get("manex.process", "")
    pid = known.partition(" ")[0]
    return status == "RUNNING" and pid.isdecimal() and int(pid) != os.getpid() and process(int(pid)) == known
