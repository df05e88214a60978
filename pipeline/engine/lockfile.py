"""dvc.lock, written for many cells at once."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from pipeline.storage.artifacts import write_json, write_text

SHARE_FOR_LOCK = 0.03
"""Of the time, what may be spent writing dvc.lock: for every second that a write takes, the next one waits."""


class LockFile:
    """dvc.lock, written in the order in which a serial `dvc repro` would have written it.

    That one appends what is new as it goes. So what was there when a run began comes first, even if the run was broken
    off and this one goes on with it, and then the new cells in the order of the plan.
    """

    def __init__(self, root: Path, plan: list[Any]) -> None:
        self._plan, self._began = plan, root / ".dvc" / "tmp" / "manex-began.json"
        self._last = self._took = 0.0

    @property
    def due(self) -> bool:
        """Whether the last writing is long enough ago."""
        return time.monotonic() - self._last > self._took / SHARE_FOR_LOCK

    def write(self, stages: list[Any]) -> None:
        """Add what is noted of the stages."""
        from dvc.stage import PipelineStage

        began = time.monotonic()
        files: dict[str, list[Any]] = {}
        for stage in stages:
            if isinstance(stage, PipelineStage):
                files.setdefault(stage.path, []).append(stage)
            else:
                stage.dump(update_pipeline=False)
        for path, members in files.items():
            self._write_one(path, members)
        self._last = time.monotonic()
        self._took = self._last - began

    def _write_one(self, path: str, stages: list[Any]) -> None:
        from dvc.stage.serialize import to_lockfile
        from dvc.utils.serialize import dumps_yaml, parse_yaml_for_update

        file = Path(path).with_suffix(".lock")
        content: dict[str, Any] = {"schema": "2.0"}
        if file.exists():
            content = parse_yaml_for_update(file.read_text(), str(file)) or content
        written = content["stages"] = content.get("stages", {})
        first = self._first(path, list(written))
        for stage in stages:
            written.update(to_lockfile(stage))
        planned = [stage.name for stage in self._plan if stage.path == path]
        for name in dict.fromkeys((*first, *planned, *written)):
            if name in written:
                written[name] = written.pop(name)
        write_text(file, dumps_yaml(content))  # whole or not at all, unlike DVC's own
        stages[0].repo.scm_context.track_file(str(file))

    def _first(self, path: str, present: list[str]) -> list[str]:
        """The stages that dvc.lock held when the run began that is not complete yet."""
        try:
            known: dict[str, list[str]] = json.loads(self._began.read_text())
        except (OSError, ValueError):
            known = {}
        if path not in known:
            write_json(self._began, known | {path: present})
        return known.get(path, present)

    def complete(self) -> None:
        """Forget where the run began."""
        self._began.unlink(missing_ok=True)
