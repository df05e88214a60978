"""Two own files may each import a neighbour of one name."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

import pytest

from pipeline.models import own_modules

FILES = {
    "net.py": """
import os.path
import dataclasses
import utils
import parts.inner as inner
from utils import value as taken
from parts import sibling
@dataclasses.dataclass
class Held: number: "int"
def seen(): return {utils.value, taken, inner.value, sibling.value, sibling.upwards}
def later():
    import late
    return late.value
""",
    "utils.py": "import late\nvalue = {value!r}\nassert late.value == value\n",
    "late.py": "value = {value!r}\n",
    "parts/__init__.py": "",
    "parts/inner.py": "from .sibling import value\n",
    "parts/sibling.py": "from utils import value as upwards\nvalue = {value!r}\n",
    "json/weights.txt": "no module: import json means Python's own",
}


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    for folder in ("a", "b"):
        for name, text in FILES.items():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("{value!r}", repr(folder)))
    return [tmp_path / "a", tmp_path / "b"]


def seen(folder: Path) -> tuple[set[str], str]:
    module = own_modules.load(folder / "net.py")
    return module.seen(), module.later()


def test_each_file_has_its_own_neighbours_in_any_order_also_when_a_function_imports_them(folders: list[Path]) -> None:
    before = list(sys.path)
    modules = [own_modules.load(folder / "net.py") for folder in (*folders, folders[0])]
    for module, value in zip(modules, ("a", "b", "a"), strict=True):
        assert module.seen() == {value}
        assert module.later() == value
        assert module.Held(number=1).number == 1
    assert len({module.__name__ for module in modules}) == 2
    assert sys.path == before
    assert not {"utils", "late", "parts", "net"} & set(sys.modules)


def test_the_worker_of_a_pool_keeps_them_apart_too(folders: list[Path]) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(seen, folders * 2)) == [({"a"}, "a"), ({"b"}, "b")] * 2


def test_two_files_of_one_folder_share_no_state(tmp_path: Path) -> None:
    (tmp_path / "state.py").write_text("held = []\n")
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(f"from state import held\nheld.append({name!r})\n")
    for name in ("one", "two", "one"):
        assert own_modules.load(tmp_path / f"{name}.py").held == [name]


def test_a_change_is_seen_at_the_next_load_and_no_bytecode_is_left(folders: list[Path]) -> None:
    own_modules.load(folders[0] / "net.py")
    for name in ("utils", "late", "parts/sibling"):
        path = folders[0] / f"{name}.py"
        path.write_text(path.read_text().replace("'a'", "'c'"))
    assert seen(folders[0]) == ({"c"}, "c")
    assert not list(folders[0].rglob("*.pyc"))


def test_a_folder_of_weights_does_not_hide_an_installed_module(folders: list[Path]) -> None:
    (folders[0] / "uses.py").write_text("import json\nfrom json import dumps\n")
    assert own_modules.load(folders[0] / "uses.py").json is sys.modules["json"]


@pytest.mark.parametrize("name", ["my-net", "net.v2", "1"])
def test_the_name_of_a_file_need_not_be_an_identifier(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.py").write_text("import utils\nvalue = utils.value\n")
    (tmp_path / "utils.py").write_text("value = 3\n")
    module: ModuleType = own_modules.load(tmp_path / f"{name}.py")
    assert module.value == 3


def test_a_file_and_its_neighbour_may_import_each_other(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("first = 1\nimport helper\nsecond = helper.first + 1\n")
    (tmp_path / "helper.py").write_text("from net import first\n")
    assert own_modules.load(tmp_path / "net.py").second == 2


def test_folders_that_a_file_puts_onto_the_path_are_its_own(folders: list[Path]) -> None:
    lines = ["import importlib, os, sys", "sys.path.insert(0, os.path.dirname(__file__))"]
    for folder in folders:
        (folder / "net.py").write_text("\n".join([*lines, "value = importlib.import_module('utils').value"]))
    before = list(sys.path)
    assert [own_modules.load(folder / "net.py").value for folder in folders] == ["a", "b"]
    assert sys.path == before
    assert "utils" not in sys.modules
