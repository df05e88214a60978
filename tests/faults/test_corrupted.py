"""What stages read, spoilt: bits flipped, cut short, or replaced by what is whole but wrong."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tiny
import torch
from safetensors.torch import load_file, save_file

from pipeline.storage.artifacts import seal

D = tiny.DATASET
EVALUATE, GEOMETRY, SPECTRUM = ("evaluate", D), ("analyse", D, "geometry"), ("analyse", D, "spectrum")
READ = {
    "data/raw/mnist/digits.safetensors": [("prepare", D)],
    f"data/prepared/{D}/frames.safetensors": [
        ("train", D, "resunet"),
        ("extrapolate", D, "walked"),
        EVALUATE,
        GEOMETRY,
    ],
    f"data/prepared/{D}/dataset.json": [("train", D, "resunet"), EVALUATE, ("table",)],
    f"models/{D}/resunet/weights.safetensors": [("extrapolate", D, "walked"), SPECTRUM, GEOMETRY],
    f"models/{D}/resunet/model.json": [("extrapolate", D, "linear"), ("table",)],
    f"models/{D}/resunet/history.csv": [("figures",)],
    f"data/extrapolated/{D}/walked/trials.safetensors": [EVALUATE, ("figures",)],
    f"data/scores/{D}/scores.csv": [("table",), ("figures",)],
    f"data/scores/{D}/frames.csv": [("table",), ("figures",)],
    f"data/scores/{D}/walks.csv": [("table",)],
    f"data/scores/{D}/diagnoses.csv": [("table",)],
    f"data/scores/{D}/not_run.json": [("table",)],
    f"data/analyses/{D}/geometry/denoisers.csv": [("table",)],
    f"data/analyses/{D}/geometry/facts.json": [("table",)],
    f"data/analyses/{D}/spectrum/pictures.safetensors": [("figures",)],
    f"data/analyses/{D}/spectrum/eigenvalues.csv": [("figures",)],
    f"data/analyses/{D}/card/card.csv": [("findings",)],
    f"data/analyses/{D}/card/card_images.csv": [("findings",)],
}
"""Every artifact, with the commands that read it."""
PAIRS = [(artifact, words) for artifact, commands in READ.items() for words in commands]
QUICK = [pair for pair in PAIRS if pair[1][0] not in {"figures", "analyse", "train"}]


def flip(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def cut(path: Path, chance: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(len(content))])


def overwrite(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    start = chance.randrange(len(content))
    content[start : start + 512] = chance.randbytes(len(content[start : start + 512]))
    path.write_bytes(content)


def other_content(path: Path, chance: random.Random) -> None:
    """A file that is whole, and sealed, but not what the stage writes."""
    if path.suffix == ".json":
        _other_json(path, chance)
    elif path.suffix == ".csv":
        _other_table(path, chance)
    else:
        _other_tensors(path, chance)
    seal(path.parent)


def _other_json(path: Path, chance: random.Random) -> None:
    values = json.loads(path.read_text())
    section = values
    while True:
        name = chance.choice(sorted(section) or ["new"])
        if not section.get(name) or not isinstance(section[name], dict) or chance.random() < 0.4:
            break
        section = section[name]
    if name in section and chance.random() < 0.3:
        del section[name]
    else:
        section[name] = chance.choice([None, [], {}, "word", -1, 10**12, True, [[1]], {"a": 1}])
    path.write_text(json.dumps(values))


def _other_table(path: Path, chance: random.Random) -> None:
    rows = [line.split(",") for line in path.read_text().splitlines()]
    row, column = chance.randrange(len(rows)), chance.randrange(len(rows[0]))
    kind = chance.choice(["cell", "lost column", "lost rows", "one more"])
    if kind == "cell":
        rows[row][column] = chance.choice(["word", "", "inf", "nan", "1e999"])
    elif kind == "lost column":
        rows = [line[:column] + line[column + 1 :] for line in rows]
    elif kind == "lost rows":
        rows = rows[:row]
    else:
        rows[row] = [*rows[row], "9"]
    path.write_text("\n".join(",".join(line) for line in rows) + "\n")


def _other_tensors(path: Path, chance: random.Random) -> None:
    tensors = load_file(path)
    name = chance.choice(sorted(tensors))
    tensor = tensors[name]
    changes: list[Callable[[], torch.Tensor]] = [
        lambda: tensor[:0],
        lambda: tensor.flatten(),
        lambda: tensor[None],
        lambda: tensor.to(torch.int32),
        lambda: tensor.to(torch.float16),
        lambda: tensor.bool(),
        lambda: tensor.double() * 1e30,
        lambda: torch.full(tensor.shape, float("nan")),
        lambda: torch.full(tensor.shape, float("inf")),
        lambda: -tensor.double().to(tensor.dtype) - 1 if tensor.dtype != torch.uint8 else tensor[..., :5],
        lambda: tensor.transpose(0, -1)[..., 1:],
    ]
    if chance.random() < 0.15:
        del tensors[name]
    else:
        tensors[name] = chance.choice(changes)().contiguous().clone()
    save_file(tensors, path)


DAMAGES = (flip, cut, overwrite, other_content)


@pytest.fixture(autouse=True)
def _torch_as_it_was() -> Iterator[None]:
    yield
    torch.use_deterministic_algorithms(False)


def spoilt(project: Path, to: Path, seed: int, pairs: list[tuple[str, tuple[str, ...]]]) -> tuple[str, tiny.Ending]:
    chance = random.Random(seed)
    damage, (artifact, words) = DAMAGES[seed % len(DAMAGES)], chance.choice(pairs)
    shutil.copytree(project, to)
    before = (to / artifact).read_bytes()
    damage(to / artifact, chance)
    same = (to / artifact).read_bytes() == before
    ending = tiny.manex(to, *words)
    what = (
        f"seed {seed}: {damage.__name__} {artifact}, then {' '.join(words)}: {ending.code} {ending.said}{ending.trace}"
    )
    if damage is other_content or same:
        assert ending.clear or (ending.code == 0 and not ending.trace), what
    else:
        assert ending.clear, what
        assert "make it again with: manex " in ending.said or "not found" in ending.said, what
    return what, ending


@pytest.mark.parametrize("seed", range(16))
def test_spoilt_input_ends_in_a_clear_line(seed: int, tiny_project: Path, tmp_path: Path) -> None:
    spoilt(tiny_project, tmp_path / "project", seed, QUICK)


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(100, 400))
def test_spoilt_input_ends_in_a_clear_line_long(seed: int, tiny_project: Path, tmp_path: Path) -> None:
    spoilt(tiny_project, tmp_path / "project", seed, PAIRS)
