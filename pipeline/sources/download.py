"""Downloads with a deadline: pooch alone waits endlessly on a server that trickles bytes or never stops sending."""

from __future__ import annotations

import time
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
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
        OSError: too slow, too large, or redirected from https to an address without encryption.
    """

    silence: float = 20
    seconds: float = 1800
    limit: int = 512 * MIB

    def __call__(self, url: str, output_file: Any, pooch: Any) -> None:
        """Write what is behind `url` to a path."""
        end, size = time.monotonic() + self.seconds, 0
        with self._answer(url) as answer, Path(output_file).open("wb") as file:
            answer.raise_for_status()
            if url.startswith("https:") and not answer.url.startswith("https:"):
                raise OSError("redirects from https to an address without encryption")
            try:
                while chunk := answer.raw.read1(MIB):  # returns what has arrived, so that the time is checked
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

    def _answer(self, url: str) -> requests.Response:
        """The headers of the answer, within `seconds`.

        A server that sends its headers byte by byte blocks `requests` endlessly, and nothing can interrupt it. So it
        waits in a separate thread, which is left behind and dies with the process.
        """
        future: Future[requests.Response] = Future()

        def ask() -> None:
            try:
                plain = {"Accept-Encoding": "identity"}
                answer = requests.get(url, stream=True, timeout=self.silence, headers=plain)
            except Exception as error:  # raised again in the thread that waits
                if future.set_running_or_notify_cancel():
                    future.set_exception(error)
                return
            if future.set_running_or_notify_cancel():
                future.set_result(answer)
            else:
                answer.close()

        Thread(target=ask, daemon=True).start()
        wait([future], timeout=self.seconds)
        if future.cancel():  # unless it has arrived in the meantime
            raise TimeoutError(f"no whole answer in {self.seconds:g} seconds: too slow")
        return future.result()
