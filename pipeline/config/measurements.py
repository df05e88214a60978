"""What is measured of a picture, as the command line has it."""

from __future__ import annotations

from typing import ClassVar

from manex.measurements.base import Measurement
from manex.settings import Name
from pipeline.config.entries import Entry, Skipped, named, parse_entry
from pipeline.errors import UserError


class MeasurementEntry(Entry):
    """A measurement; its kind is a file of manex/measurements/."""

    discriminator: ClassVar[str] = "kind"
    package: ClassVar[str] = "manex.measurements"
    root: ClassVar[str] = "manex.measurements.base:Measured"

    kind: Name

    def of(self, shape: tuple[int, int, int]) -> Measurement:
        """The measurement of images of a shape, (channel, height, width).

        Raises:
            UserError: it does not fit them.
        """
        try:
            made: Measurement = named(f"{self.module}:{self.kind}")(self.library_settings, shape)
        except ValueError as error:
            raise UserError(f"--task {self.kind}: {error}") from None
        return made


def parse_task(text: str) -> MeasurementEntry:
    """A measurement from words such as `hole top=6 left=6 height=8 width=8`.

    Raises:
        UserError: they name no kind, or its fields do not fit.
    """
    kind, *words = text.split() or [""]
    pairs = [word.partition("=") for word in words]
    if bad := [word for word, (_, sign, _) in zip(words, pairs, strict=True) if not sign]:
        raise UserError(f'--task: "{bad[0]}" is not NAME=VALUE')
    values = {name: value for name, _, value in pairs}
    entry = parse_entry(MeasurementEntry, {"kind": kind, **values}, "--task")
    if isinstance(entry, Skipped):
        raise UserError("--task: name what is measured")
    return entry
