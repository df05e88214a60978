"""The names of Weizmann's people and actions, apart from the slow imports of what makes videos of them."""

from __future__ import annotations

from typing import Literal, get_args

Action = Literal["walk", "run", "jump", "side", "bend", "wave1", "wave2", "pjump", "jack", "skip"]
Person = Literal["daria", "denis", "eli", "ido", "ira", "lena", "lyova", "moshe", "shahar"]
ACTIONS: tuple[Action, ...] = get_args(Action)
PEOPLE: tuple[Person, ...] = get_args(Person)
