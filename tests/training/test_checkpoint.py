from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from manex.training.checkpoint import Checkpoint, fingerprint

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
STATE = {"network.0.weight": torch.arange(6.0).reshape(2, 3), "run.generator": torch.arange(5, dtype=torch.uint8)}


@given(st.text(max_size=32), st.lists(st.dictionaries(st.text(max_size=8), NUMBERS, max_size=4), max_size=4))
def test_a_checkpoint_reads_back_as_it_was(key: str, history: list[dict[str, float]]) -> None:
    found = Checkpoint.of(Checkpoint(key, history, STATE).tensors())
    assert (found.key, found.history) == (key, history)
    assert found.state.keys() == STATE.keys()
    assert all(torch.equal(found.state[name], tensor) for name, tensor in STATE.items())


def bytes_of(text: str) -> torch.Tensor:
    return torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8)


@pytest.mark.parametrize(
    "tensors",
    [
        {},
        STATE,
        {"header": bytes_of("{")},
        {"header": bytes_of("[]")},
        {"header": bytes_of(json.dumps({"key": "a"}))},
        {"header": torch.tensor([1.5])},
        {"header": torch.tensor([-1])},
    ],
)
def test_other_tensors_are_no_checkpoint(tensors: dict[str, torch.Tensor]) -> None:
    with pytest.raises(ValueError, match="not a checkpoint"):
        Checkpoint.of(tensors)


@pytest.mark.parametrize("name", ["header", *STATE])
def test_a_bit_that_flips_is_noticed(name: str) -> None:
    tensors = {key: tensor.clone() for key, tensor in Checkpoint("key", [{"step": 10}], STATE).tensors().items()}
    tensors[name].view(torch.uint8).flatten()[9 if name == "header" else -1] ^= 1
    with pytest.raises(ValueError, match="not the bytes that were written"):
        Checkpoint.of(tensors)


def test_the_fingerprint_is_of_the_values_not_of_where_they_lie() -> None:
    frames = torch.rand(4, 1, 3, 3)
    assert fingerprint("{}", frames) == fingerprint("{}", frames.clone())
    assert fingerprint("{}", frames) == fingerprint("{}", frames.transpose(2, 3).contiguous().transpose(2, 3))


def test_another_setting_has_another_fingerprint() -> None:
    assert fingerprint('{"steps": 1}', torch.zeros(1)) != fingerprint('{"steps": 2}', torch.zeros(1))


def test_the_least_change_of_a_frame_has_another_fingerprint() -> None:
    frames = torch.rand(4, 1, 3, 3)
    other = frames.clone()
    other[3, 0, 2, 2] += 1e-6
    assert fingerprint("{}", frames) != fingerprint("{}", other)
