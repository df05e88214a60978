"""Weizmann Action: nine people, ten actions, a clip or two each (Gorelick et al., Space-Time Shapes, PAMI 2007)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from manex.datasets.base import Clips, Raw
from manex.datasets.videos import ClipVideos, clip_videos
from manex.datasets.weizmann_names import ACTIONS, PEOPLE, Action, Person

if TYPE_CHECKING:
    from manex.datasets.pictures import Frames  # its imports take half a second, and settings need the names here


class Weizmann(Clips):
    """People of the Weizmann Action dataset, one video each."""

    source: ClassVar[Raw | None] = "weizmann"

    action: Literal[Action, "all"] = "bend"
    train_actions: Literal["same", "all"] = Field(
        "same",
        description="whose frames are trained on: `action` alone, or all that was fetched; the videos are the same",
    )
    people: tuple[Person, ...] | None = Field(None, min_length=1, description="all nine if not given")


@dataclass(frozen=True)
class PersonClips:
    """Decoded clips by name, as `wanted` lists them, and a description in words."""

    clips: Mapping[str, Frames]
    what: str


_NAME = re.compile(rf"({'|'.join(PEOPLE)})_({'|'.join(ACTIONS)})([12]?)")


def parts(name: str) -> tuple[str, str] | None:
    """Person and action of a clip's name, such as `lena_walk2`; None if it is no clip's name."""
    found = _NAME.fullmatch(name)
    return (found[1], found[2]) if found else None


def lacking(names: Collection[str], actions: Sequence[str]) -> list[str]:
    """Which person's clip of which action is not among the names; a person may have two."""
    have = {parts(name) for name in names}
    return [f"{person}_{action}" for action in actions for person in PEOPLE if (person, action) not in have]


def wanted(names: Collection[str], cfg: Weizmann) -> list[str]:
    """The clips that a dataset is made of, sorted by name.

    Raises:
        ValueError: a person of `cfg.people` has no clip of the action.
    """
    people = cfg.people or PEOPLE
    chosen = []
    for name in sorted(names):
        person, _ = parts(name) or ("", "")
        if person in people and (cfg.train_actions == "all" or _shown(name, cfg)):
            chosen.append(name)
    absent = sorted(set(people) - {name.split("_")[0] for name in chosen if _shown(name, cfg)})
    if absent:
        raise ValueError(f"action: no clip of {cfg.action} by {', '.join(absent)}")
    return chosen


def _shown(name: str, cfg: Weizmann) -> bool:
    """Whether a clip may give its person's video."""
    return cfg.action in ((parts(name) or ("", ""))[1], "all")


def weizmann(cfg: Weizmann, raw: PersonClips) -> ClipVideos:
    """One video per person; the frames of all clips to train on.

    One of a person's clips of `cfg.action`, in the order of their names, is drawn by `cfg.seed` and the person's place
    among the people sorted by name, and nothing else. So is the frame at which its video starts.

    Raises:
        ValueError: a chosen clip is shorter than the video.
    """
    clips = raw.clips
    names = sorted(clips)
    people = sorted({name.split("_")[0] for name in names})
    chosen = []
    for place, person in enumerate(people):
        own = [index for index, name in enumerate(names) if name.split("_")[0] == person and _shown(name, cfg)]
        chosen.append(own[int(np.random.default_rng([cfg.seed, place, 1]).integers(len(own)))])
    try:
        made = clip_videos([clips[name] for name in names], chosen, cfg.frames, cfg.stride, cfg.seed)
    except ValueError as error:
        raise ValueError(f"stride: {error}") from None
    trained = f"{len(made.frames)} frames of {len(clips)} clips"
    return replace(made, note=f"action {cfg.action}, {len(made.videos)} people: {raw.what}; {trained}")
