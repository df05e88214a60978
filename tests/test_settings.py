from __future__ import annotations

import os

import pytest
import torch
from pydantic import ValidationError

from pipeline.errors import UserError
from pipeline.settings import Settings, settings


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DEVICE", "WORKERS", "MIRROR", "TRACKING", "SCHEDULER"):
        monkeypatch.delenv(f"MANEX_{name}", raising=False)


def test_unset_the_workers_are_the_cores_this_process_may_use() -> None:
    assert settings().workers == len(os.sched_getaffinity(0))


def test_unset_runs_are_tracked() -> None:
    assert settings().tracking == "on"


@pytest.mark.parametrize(
    ("name", "value", "attribute", "expected"),
    [
        ("WORKERS", "3", "workers", 3),
        ("TRACKING", "off", "tracking", "off"),
        ("DEVICE", "cpu", "device", "cpu"),
        ("SCHEDULER", "tcp://a:8786", "scheduler", "tcp://a:8786"),
    ],
)
def test_a_variable_sets_its_value(
    name: str, value: str, attribute: str, expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"MANEX_{name}", value)
    assert getattr(settings(), attribute) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKERS", "0"),
        ("WORKERS", "two"),
        ("WORKERS", "5000"),
        ("DEVICE", "tpu"),
        ("TRACKING", "maybe"),
        ("SCHEDULER", "10.0.0.1"),
    ],
)
def test_a_variable_that_does_not_fit_is_named_with_its_value(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"MANEX_{name}", value)
    with pytest.raises(UserError, match=f"^MANEX_{name}: .*not '{value}'$"):
        settings()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device that must be missing")
def test_a_device_that_is_not_there_is_refused_with_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANEX_DEVICE", "cuda")
    with pytest.raises(UserError, match=r"MANEX_DEVICE=cuda: torch sees no such device.*MANEX_DEVICE=cpu"):
        settings().torch_device()


def test_the_device_of_auto_can_hold_a_tensor() -> None:
    assert torch.ones(1, device=settings().torch_device()).item() == 1


def test_settings_never_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().workers = 2
