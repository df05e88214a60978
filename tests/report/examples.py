"""A small report with everything on it."""

import torch

from pipeline.report.page import Card, Detail, Difference, Judged, Picture, Report, Row, Section
from pipeline.report.sprites import data_address, sprite

SVG = data_address(b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "image/svg+xml")


def report(channels: int = 1) -> Report:
    generator = torch.Generator().manual_seed(0)
    videos = torch.rand(2, 3, 12, channels, 8, 6, generator=generator)
    detail = Detail(["truth", "linear", "tangent_flow"], [sprite(list(v)) for v in videos], [["0.5", "0.1"]] * 2, 6, 8)
    rows = [
        Row("linear", {"DTW-SSID": "0.5"}),
        Row("tangent_flow", {"DTW-SSID": "0.1"}, best=True),
        Row("oracle", {}, not_run="no true <manifold>"),
    ]
    difference = Difference("tangent_flow", "linear", "-0.4", "-0.5 to -0.3", "better")
    pictures = [Picture("a", SVG, "a figure", "what it shows"), Picture("b", SVG, "it moves", "moving", moving=True)]
    section = Section("digits", rows, [difference], pictures, detail)
    kept = Section("films", rows[:1], [], [], None, note="Not computed here: kept & committed.")
    return Report(
        profile="smoke",
        sections=[section, kept],
        pictures=pictures[:1],
        columns=["DTW-SSID"],
        settings={"trials": "trials: {seeds: [0]}"},
        provenance={"sha256 of dvc.lock": "0123456789abcdef" * 4},
        times=[["train", "digits-resunet", "1.5", "200", "abc"]],
        absent=[("digits, oracle", "no true <manifold>")],
        claims=[Judged("14.3", "a <claim>", "a source", "0.2", "0.1 to 0.3", "at least 0.1", "holds")],
        cards=[Card("digits", ["energy"], [("exact", ["1"]), ("unet", ["1.02"])], ["a note"])],
    )
