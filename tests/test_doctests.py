"""The examples in the library's docstrings are true."""

from __future__ import annotations

import ast
import doctest
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[1]


def examples() -> dict[str, str]:
    """Every docstring with an example, by the name of what it is about."""
    found = {}
    for path in sorted((ROOT / "manex").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        module = ".".join(part for part in parts if part != "__init__")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                text = ast.get_docstring(node) or ""
                if ">>>" in text:
                    found[f"{module}.{getattr(node, 'name', '')}".rstrip(".")] = text
    return found


EXAMPLES = examples()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_says_what_happens(name: str) -> None:
    """`torch` is there; all else an example imports."""
    test = doctest.DocTestParser().get_doctest(EXAMPLES[name], {"torch": torch}, name, None, None)
    report: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert "".join(report) == ""
