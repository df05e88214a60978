"""docs/samplers.md: its lines of Python run, and its tasks are those that there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch

from pipeline.config.entries import kinds, model_of
from pipeline.config.measurements import MeasurementEntry

PAGE = (Path(__file__).parents[2] / "docs" / "samplers.md").read_text()


def test_the_lines_of_python_fill_the_hole() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    torch.testing.assert_close(names["restored"], names["frames"][:1].expand(4, -1, -1, -1), atol=0.01, rtol=0)


def test_the_table_has_every_task_with_its_fields() -> None:
    rows = {kind: re.findall(r"`(\w+)`", fields) for kind, fields in re.findall(r"^\| `(\w+)` \| (.*?) \|", PAGE, re.M)}
    tasks = {kind: fields for kind, fields in rows.items() if not kind.endswith("_py")}
    models = {kind: model_of(MeasurementEntry, kind) for kind in kinds(MeasurementEntry)}
    assert tasks == {
        kind: [field for field in model.model_fields if field != "kind"] for kind, model in models.items() if model
    }
