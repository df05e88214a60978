"""Addresses and messages without the users, passwords and tokens that they may hold."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote, unquote

SECRETS = (
    *("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME"),
    *("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
)
"""Variables that are secrets."""
ADDRESSES = (
    *("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_S3_ENDPOINT_URL"),
    *("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"),
)
"""Variables that are addresses, which may hold secrets."""

_PARTS = re.compile(
    r"(?P<kind>[\w+.-]+:/*)?((?P<secret>.*)@)?(?P<place>[^?#]*)(\?(?P<query>[^#]*))?(#(?P<rest>.*))?", re.DOTALL
)
_USER = re.compile(r"(?<=://)[^\s/@'\"]+@")


def redacted(uri: str) -> str:
    """A URI without the user, password and query it may hold."""
    found = _PARTS.fullmatch(uri)
    assert found is not None
    return (found["kind"] or "") + ("***@" if found["secret"] is not None else "") + found["place"]


def without_secrets(text: str, *uris: str) -> str:
    """A message of another program without anything of the addresses in use that nobody should see, in any spelling.

    Args:
        uris: addresses besides those of the environment.
    """
    uris = (*uris, *filter(None, map(os.environ.get, ADDRESSES)))
    for uri in uris:
        text = text.replace(uri, redacted(uri))
    secrets = {spelling for word in _words(*uris) for spelling in _spellings(word)}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return _USER.sub("***@", text)


def _words(*uris: str) -> Iterator[str]:
    yield from (os.environ.get(name, "") for name in SECRETS)
    for uri in uris:
        found = _PARTS.fullmatch(uri)
        assert found is not None
        user, query = found["secret"] or "", found["query"] or ""
        yield from (user, *user.split(":", 1), query, found["rest"] or "")
        yield from (pair.partition("=")[2] for pair in query.split("&"))
        yield from re.split("[:/?#@]", user)  # programs that misread an address tell parts of it


def _spellings(word: str) -> Iterator[str]:
    plain = unquote(word)
    yield from filter(None, (word, plain, quote(plain, safe=""), b64encode(plain.encode()).decode()))
