"""What has a default in `Params`, but must be in params.yaml: DVC reads the file, and knows no defaults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.config.params import Params


def undeclared(params: Params) -> Iterator[str]:
    """One line per key that is missing, with what to add."""
    given = params.model_fields_set
    if "sources" not in given:
        yield f"sources: missing, and DVC reads it; add: sources: {json.dumps(list(params.sources))}"
    if "trials" not in given:
        yield f"trials: missing, and DVC reads it; add: trials: {json.dumps(params.trials.model_dump(mode='json'))}"
    for source in params.sources:
        if source not in params.fetch.model_fields_set:
            add = f"{source}: {{}}, under fetch" if "fetch" in given else f"fetch: {{{source}: {{}}}}"
            yield f"fetch.{source}: missing, and DVC reads it for each of `sources`; add: {add}"
