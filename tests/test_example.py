"""The script of the documentation, as a reader would run it."""

import ast
import runpy
from pathlib import Path

import manex

SCRIPT = Path(__file__).parents[1] / "docs" / "example.py"


def test_the_example_finds_the_tangent_and_the_flow_beats_the_line(capsys) -> None:
    found = runpy.run_path(str(SCRIPT))["main"]()
    assert found["tangent_angle"] < 10
    assert found["flow"] < found["linear"] / 10
    assert "held-out PSNR" in capsys.readouterr().out


def test_the_example_is_short() -> None:
    assert len(SCRIPT.read_text().splitlines()) < 60


def test_the_example_needs_the_names_of_manex_alone() -> None:
    tree = ast.parse(SCRIPT.read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    used = {node.attr for node in attributes if isinstance(node.value, ast.Name) and node.value.id == "manex"}
    assert imported == {"torch", "manex"}
    assert used <= set(manex.__all__)
