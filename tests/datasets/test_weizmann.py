from __future__ import annotations

import numpy as np
import pytest

from manex.datasets.weizmann import ACTIONS, PEOPLE, PersonClips, Weizmann, lacking, parts, wanted, weizmann

NAMES = [f"{person}_{action}" for person in PEOPLE for action in ACTIONS if (person, action) != ("lena", "walk")]
NAMES += ["lena_walk1", "lena_walk2"]


def cfg(**changes: object) -> Weizmann:
    return Weizmann.model_validate({"action": "walk", **changes})


def clips(names: list[str], frames: int = 20) -> PersonClips:
    """Each frame holds the place of its clip among the names and its own number."""
    numbers = np.arange(frames, dtype=np.float32)[:, None, None, None]
    return PersonClips({name: 100 * place + numbers for place, name in enumerate(sorted(names))}, "numbers")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ido_walk", ("ido", "walk")),
        ("lena_walk2", ("lena", "walk")),
        ("eli_wave1", ("eli", "wave1")),
        ("ido_walk3", None),
        ("nobody_walk", None),
        ("ido_fly", None),
        ("../ido_walk", None),
    ],
)
def test_a_name_gives_person_and_action(name: str, expected: tuple[str, str] | None) -> None:
    assert parts(name) == expected


def test_two_clips_of_one_person_count_as_one() -> None:
    assert lacking(NAMES, ACTIONS) == []
    assert lacking(["lena_walk2"], ["walk"]) == [f"{person}_walk" for person in PEOPLE if person != "lena"]


def test_clips_are_those_of_the_action_and_the_people_sorted() -> None:
    assert wanted(NAMES, cfg(people=("moshe", "lena"))) == ["lena_walk1", "lena_walk2", "moshe_walk"]
    assert wanted(NAMES, cfg(action="all")) == sorted(NAMES)
    assert wanted(["Thumbs", *NAMES], cfg()) == wanted(NAMES, cfg())


def test_a_person_without_the_action_is_reported() -> None:
    with pytest.raises(ValueError, match="action: no clip of walk by eli"):
        wanted([name for name in NAMES if name != "eli_walk"], cfg())


def test_every_person_gives_one_video_and_all_clips_are_trained_on() -> None:
    made = weizmann(cfg(), clips(wanted(NAMES, cfg())))
    assert made.videos.shape == (9, 5, 1, 1, 1)
    assert len(made.frames) == 10 * 20
    order = [sorted(wanted(NAMES, cfg()))[int(video[0, 0, 0, 0]) // 100].split("_")[0] for video in made.videos]
    assert order == sorted(PEOPLE)


def test_training_on_all_actions_leaves_the_videos_as_they_are() -> None:
    alone, names = cfg(), sorted(NAMES)
    all_ = cfg(train_actions="all")
    assert wanted(NAMES, all_) == names
    apart, together = (weizmann(one, clips(wanted(NAMES, one))) for one in (alone, all_))
    assert len(together.frames) == len(NAMES) * 20
    assert np.array_equal(together.videos % 100, apart.videos % 100)
    drawn = [[names_[int(v.flat[0]) // 100] for v in made.videos] for names_, made in (
        (wanted(NAMES, alone), apart), (names, together)
    )]  # fmt: skip
    assert drawn[0] == drawn[1]
    with pytest.raises(ValueError, match="action: no clip of walk by eli"):
        wanted([name for name in NAMES if name != "eli_walk"], all_)


def test_the_draw_of_a_clip_depends_on_the_seed_and_reaches_both() -> None:
    names = ["lena_walk1", "lena_walk2"]
    chosen = {int(weizmann(cfg(people=("lena",), seed=s), clips(names)).videos.flat[0]) // 100 for s in range(20)}
    assert chosen == {0, 1}


def test_a_clip_too_short_is_reported_with_the_setting() -> None:
    with pytest.raises(ValueError, match="stride: clip 0 has 8 frames; 5 frames need 9"):
        weizmann(cfg(people=("ido",), stride=2), clips(["ido_walk"], frames=8))
