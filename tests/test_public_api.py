"""What `import manex` gives."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import manex

ROOT = Path(__file__).parents[1]


def run(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_it_imports_neither_torch_nor_numpy_nor_pydantic() -> None:
    assert run("import sys, manex; print({'torch', 'numpy', 'pydantic'} & set(sys.modules))") == "set()"


def test_listing_its_names_imports_nothing_either() -> None:
    assert run("import sys, manex; dir(manex); print('torch' in sys.modules)") == "False"


def test_errors_and_settings_do_not_import_torch() -> None:
    assert run("import sys, manex; manex.WalkError; print('torch' in sys.modules)") == "False"


@pytest.mark.parametrize("name", manex.__all__)
def test_every_name_is_there_and_has_a_documented_example(name: str) -> None:
    value: Any = getattr(manex, name)
    assert value.__name__ == name
    assert name in dir(manex)
    assert ">>>" in value.__doc__


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'walks'"):
        manex.walks  # noqa: B018


def test_a_star_import_brings_every_name() -> None:
    assert run("from manex import *; print(walk.__module__, WalkState.__name__)") == "manex.front.walk WalkState"


def test_type_checkers_see_the_same_names_in_the_same_places() -> None:
    tree = ast.parse(Path(manex.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.asname: f"{node.module}:{alias.name}"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == manex._PUBLIC


def test_the_package_says_that_it_is_typed() -> None:
    assert Path(manex.__file__).with_name("py.typed").is_file()
