"""Where the MLflow runs go, and how that is told: an address may hold a user, a password and a token."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote, unquote

from pipeline.paths import Paths

SECRET_VARIABLES = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME")
PARTS = re.compile(
    r"(?P<kind>[\w+.-]+:/*)?((?P<secret>.*)@)?(?P<place>[^?#]*)(\?(?P<query>[^#]*))?(#(?P<rest>.*))?", re.DOTALL
)


def tracking_uri(paths: Paths) -> str:
    """MLFLOW_TRACKING_URI, or the database under the project."""
    return os.environ.get("MLFLOW_TRACKING_URI") or local_uri(paths)


def local_uri(paths: Paths) -> str:
    """The database under the project; what a URI would read otherwise in its path, such as `?`, is quoted."""
    return f"sqlite:///{quote(str(paths.mlflow.resolve()))}"


def redacted(uri: str) -> str:
    """A URI without the user, password and query it may hold."""
    found = PARTS.fullmatch(uri)
    assert found is not None
    return (found["kind"] or "") + ("***@" if found["secret"] is not None else "") + found["place"]


def without_secrets(text: str, uri: str) -> str:
    """A message of another program without anything of an address, or of the variables, that nobody should see."""
    text = text.replace(uri, redacted(uri))
    for secret in sorted({*_secrets(uri)}, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _secrets(uri: str) -> Iterator[str]:
    found = PARTS.fullmatch(uri)
    assert found is not None
    given = [os.environ.get(name) for name in SECRET_VARIABLES]
    words = [found["secret"], *(found["secret"] or "").split(":", 1), found["query"], found["rest"]]
    words += [pair.partition("=")[2] for pair in (found["query"] or "").split("&")]
    for word in (*given, *words):
        plain = unquote(word or "")
        spellings = (word or "", plain, quote(plain, safe=""), b64encode(plain.encode()).decode())
        yield from filter(None, spellings)
