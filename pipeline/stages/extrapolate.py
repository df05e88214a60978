"""extrapolate: the videos that a method continues from their first two frames, all videos and trials as one batch."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from itertools import islice

import torch
from jaxtyping import Float
from torch import Tensor, nn

from manex.denoisers.base import Denoiser
from manex.errors import WalkError
from manex.extrapolators.base import WalkState
from manex.extrapolators.walk import walk
from manex.noises.draws import ItemNoise
from pipeline.config.methods import MethodEntry
from pipeline.errors import UserError
from pipeline.models.load import load_model, read_for
from pipeline.paths import Paths
from pipeline.progress import track
from pipeline.settings import settings
from pipeline.storage.artifacts import replacing_folder, write_tensors
from pipeline.storage.origins import origins
from pipeline.storage.prepared import load_prepared
from pipeline.tracking.record import recorded

Videos = Float[Tensor, "item frame channel height width"]


def extrapolate(name: str, method: str, entry: MethodEntry, seeds: Sequence[int], paths: Paths) -> None:
    """Write data/extrapolated/NAME/METHOD: the frames of every trial and what the walk recorded, unmeasured."""
    device = settings().prepare_torch()
    dataset = load_prepared(name, paths)
    model = load_model(name, method, entry, dataset, paths, device)
    made_from = origins(paths, paths.prepared(name), *read_for(name, entry, paths))
    with recorded(paths, "extrapolate", f"{name}-{method}", entry.spelled_out) as run:
        run.facts["warnings"] = _warnings(entry, model, f"params.yaml: extrapolate.{name}.{method}")
        given = dataset.videos[:, :2].to(device).repeat(len(seeds), 1, 1, 1, 1)
        keys = [(seed, video) for seed in seeds for video in range(len(dataset.videos))]
        try:
            walked = list(track(states(entry, model, given, keys), f"extrapolate {name} {method}", entry.frames))
        except WalkError as error:  # counts the items of the batch
            video = re.sub(
                r"\bvideo (\d+)",
                lambda found: f"video {dataset.name_of(int(found[1]) % len(dataset.videos))}",
                str(error),
            )
            raise UserError(f"{name}, {method}, {video}") from None
        videos = as_videos(given, walked)
        run.facts["seconds_per_frame"] = run.seconds / (len(given) * entry.frames)
        tensors = {"frames": videos, **_recorded(walked)}
        shape = (len(seeds), len(dataset.videos))
        by_trial = {key: tensor.reshape(*shape, *tensor.shape[1:]) for key, tensor in tensors.items()}
        with replacing_folder(paths.extrapolated(name, method), sealed=True, made_from=made_from) as folder:
            write_tensors(folder / "trials.safetensors", {**by_trial, "seeds": torch.tensor(seeds)})


def states(
    entry: MethodEntry, model: nn.Module | None, given: Videos, keys: Sequence[tuple[int, int]]
) -> Iterator[WalkState]:
    """The walk from the first two frames of each item; the law of its noise is the denoiser's.

    Args:
        keys: the trial's seed and the video of each item: its noise depends on nothing else.
    """
    noise = ItemNoise(keys, model.noise) if isinstance(model, Denoiser) else ItemNoise(keys)
    return islice(walk(entry.settings, model, given[:, 0], given[:, 1], noise), entry.frames)


def as_videos(given: Videos, walked: Sequence[WalkState]) -> Videos:
    """The given frames and those of the walk, as they are scored."""
    return torch.cat([given, torch.stack([state.frame for state in walked], 1)], 1).clamp(0, 1)


def _recorded(walked: Sequence[WalkState]) -> dict[str, Tensor]:
    """What the algorithm recorded, (item, frame, ...): its headings and numbers, if it has any."""
    found = {f"record.{key}": torch.stack([state.record[key] for state in walked], 1) for key in walked[0].record}
    headings = [state.heading for state in walked if state.heading is not None]
    return {**found, "headings": torch.stack(headings, 1)} if headings else found


def _warnings(entry: MethodEntry, model: nn.Module | None, section: str) -> list[str]:
    """What a reader of the results should know; shown at once, and kept in the record."""
    sigma = getattr(entry.settings, "sigma", None)
    if sigma is None or not isinstance(model, Denoiser):
        return []
    found = []
    low, high = model.sigma_range or (0, float("inf"))
    if not low <= sigma <= high:
        found.append(
            f"{section}.sigma_255: {255 * sigma:g} is outside the trained range {255 * low:g}-{255 * high:g}; "
            "expect a poor walk, or train with a larger sigma_max_255"
        )
    if model.homogeneous and not getattr(entry.settings, "remove_brightness", True):
        found.append(
            f"{section}.remove_brightness: false, but the denoiser is homogeneous: the image itself is a top direction "
            "of its Jacobian, and the walk may brighten instead of move; set it to true"
        )
    for message in found:
        warnings.warn(message, stacklevel=3)
    return found
