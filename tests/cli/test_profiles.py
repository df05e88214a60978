from __future__ import annotations

from pathlib import Path

from small import manex, small


def test_a_profile_is_shown_with_its_changes(project: Path) -> None:
    assert "profile cpu, as it is in profiles/cpu.yaml" in manex("profile", "show").stdout
    (project / "params.yaml").write_text(small("cpu", 50))
    shown = manex("profile", "show").stdout.splitlines()
    assert shown[0] == "params.yaml: profile cpu, changed from profiles/cpu.yaml"
    assert shown[1] == "  data.rotated_mnist.frames: 50 (profile: 100)"


def test_a_profile_is_put_to_use_byte_for_byte(project: Path) -> None:
    assert manex("profile", "use", "smoke").exit_code == 0
    assert (project / "params.yaml").read_bytes() == (project / "profiles" / "smoke.yaml").read_bytes()
    (project / "params.yaml").unlink()
    assert manex("profile", "use", "cpu").exit_code == 0
    assert {path.name for path in project.iterdir()} == {"params.yaml", "profiles"}


def test_changes_of_ones_own_are_not_overwritten_unasked(project: Path) -> None:
    mine = small("cpu", 50)
    (project / "params.yaml").write_text(mine)
    done = manex("profile", "use", "smoke")
    assert done.exit_code == 1
    assert "data.rotated_mnist.frames: 50 (profile: 100)" in done.stderr
    assert (project / "params.yaml").read_text() == mine
    assert manex("profile", "use", "smoke", "--force").exit_code == 0


def test_a_profile_that_is_not_valid_changes_nothing(project: Path) -> None:
    before = (project / "params.yaml").read_bytes()
    (project / "profiles" / "smoke.yaml").write_text(small("smoke", "many"))
    done = manex("profile", "use", "smoke")
    assert done.exit_code == 1
    assert done.stderr.startswith("manex: smoke.yaml: data.rotated_mnist.frames: ")
    assert (project / "params.yaml").read_bytes() == before
