"""README's lines of Python, as a reader would run them."""

from __future__ import annotations

import re
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_readmes_python_walks_near_the_truth() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, list[float]] = {}
    exec(code, names)
    assert len(names["scores"]) == 2
    assert max(names["scores"]) < 0.05  # standing still scores 0.3


def test_readme_is_short() -> None:
    assert len(README.splitlines()) < 110
