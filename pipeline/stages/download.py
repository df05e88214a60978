"""Downloads that end: pooch's own waits for ever on a server that sends a byte now and then, or never stops."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import urllib3

MIB = 2**20


@dataclass(frozen=True)
class Download:
    """A downloader for pooch.

    Attributes:
        silence: seconds without an answer, or without another byte.
        seconds: for the whole file.
        limit: bytes of the file.

    Raises:
        requests.RequestException: no answer, an error, redirects in a circle, or fewer bytes than announced.
        OSError: too slow, too large, or led from https to where anyone may change the bytes.
    """

    silence: float = 20
    seconds: float = 1800
    limit: int = 512 * MIB

    def __call__(self, url: str, output_file: Any, pooch: Any) -> None:
        """Write what is behind `url` to a path."""
        end, size = time.monotonic() + self.seconds, 0
        plain = {"Accept-Encoding": "identity"}
        with (
            requests.get(url, stream=True, timeout=self.silence, headers=plain) as answer,
            Path(output_file).open("wb") as file,
        ):
            answer.raise_for_status()
            if url.startswith("https:") and not answer.url.startswith("https:"):
                raise OSError("redirects from https to an address without encryption")
            try:
                while chunk := answer.raw.read1(MIB):  # returns what has come, so that the clock is looked at
                    size += len(chunk)
                    if size > self.limit:
                        raise OSError(f"more than {self.limit:,} bytes")
                    if time.monotonic() > end:
                        raise TimeoutError(f"{size:,} bytes in {self.seconds:g} seconds: too slow")
                    file.write(chunk)
            except urllib3.exceptions.ReadTimeoutError:
                raise requests.Timeout(f"nothing for {self.silence:g} seconds after {size:,} bytes") from None
            except urllib3.exceptions.HTTPError as error:
                raise requests.exceptions.ChunkedEncodingError(f"broke off after {size:,} bytes ({error})") from None
