"""What depends on the machine and must not reach dvc.lock: the MANEX_* environment variables."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.errors import UserError
from pipeline.redaction import redacted


class Settings(BaseSettings):
    """MANEX_DEVICE, MANEX_WORKERS, MANEX_THREADS, MANEX_MIRROR, MANEX_TRACKING, MANEX_SCHEDULER, MANEX_TF32."""

    model_config = SettingsConfigDict(env_prefix="MANEX_", frozen=True)

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    workers: int = Field(default_factory=lambda: len(os.sched_getaffinity(0)), ge=1, le=1024)
    threads: int = Field(1, ge=1, le=1024)
    mirror: Path | None = None
    tracking: Literal["on", "off"] = "on"
    tf32: Literal["on", "off"] = "off"
    scheduler: str | None = Field(None, pattern=r"^(tcp|tls)://[\w.\[\]:-]+:\d+$")

    @field_validator("mirror", mode="before")
    @classmethod
    def _is_folder(cls, mirror: object) -> object:
        if "://" in str(mirror):
            raise ValueError("a folder of this machine is needed")
        return mirror

    def torch_device(self) -> str:
        """The device to compute on; `auto` takes a GPU where torch sees one.

        Raises:
            UserError: the device asked for is not there.
        """
        import torch

        present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
        if self.device == "auto":
            return next(name for name, here in present.items() if here)
        if not present[self.device]:
            raise UserError(f"MANEX_DEVICE={self.device}: torch sees no such device here; use MANEX_DEVICE=cpu or auto")
        return self.device

    def prepare_torch(self) -> str:
        """Set the number of threads and deterministic kernels, once a process; returns the device.

        Sums depend on the number of threads, so it is a setting and not the number of cores.
        """
        import torch
        from threadpoolctl import threadpool_limits

        torch.set_num_threads(self.threads)
        threadpool_limits(self.threads)  # numpy's and scipy's
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = self.tf32 == "on"
        return self.torch_device()


def settings() -> Settings:
    """The environment, checked.

    Raises:
        UserError: a MANEX_* variable that does not fit.
    """
    try:
        return Settings()
    except ValidationError as error:
        issue = error.errors()[0]
        given = redacted(str(issue["input"]))  # an address may hold a password
        raise UserError(f"MANEX_{str(issue['loc'][0]).upper()}: {issue['msg']}, not {given!r}") from None
