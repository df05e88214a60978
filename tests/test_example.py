"""The script of the documentation, as a reader would run it."""

import runpy
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "docs" / "example.py"


def test_the_example_finds_the_tangent_and_the_flow_beats_the_line(capsys) -> None:
    found = runpy.run_path(str(SCRIPT))["main"]()
    assert found["tangent_angle"] < 10
    assert found["flow"] < found["linear"] / 10
    assert "held-out PSNR" in capsys.readouterr().out


def test_the_example_is_short() -> None:
    assert len(SCRIPT.read_text().splitlines()) < 60
