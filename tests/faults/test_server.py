"""Servers that stall, drip, break off, lead in a circle or give other bytes: a download ends, and tells why."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.sources import mnist
from pipeline.sources.download import Download
from pipeline.sources.mnist import mnist_digits
from pipeline.sources.weizmann_files import NotThereError, Site

SIZE = 2**16
SHORT = Download(silence=0.3, seconds=1.0, limit=2**20)
gone = threading.Event()
"""Set when a test is over, so that no server waits longer."""


class Answer(BaseHTTPRequestHandler):
    """One way to go wrong, chosen by the server."""

    def do_GET(self) -> None:
        getattr(self, self.server.way)()  # type: ignore[attr-defined]

    def head(self, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def stalls_before_the_answer(self) -> None:
        gone.wait(20)

    def stalls_in_the_middle(self) -> None:
        self.head(Content_Length=str(SIZE))
        self.wfile.write(bytes(SIZE // 2))
        gone.wait(20)

    def drips(self) -> None:
        self.head(Content_Length=str(SIZE))
        while not gone.wait(0.05):
            self.wfile.write(b"x")

    def drips_its_head(self) -> None:
        self.wfile.write(b"HTTP/1.0 200 OK\r\nX-Long: ")
        while not gone.wait(0.05):
            self.wfile.write(b"x")

    def breaks_off(self) -> None:
        self.head(Content_Length=str(SIZE))
        self.wfile.write(bytes(SIZE // 2))

    def breaks_off_a_chunk(self) -> None:
        self.protocol_version = "HTTP/1.1"
        self.head(Transfer_Encoding="chunked", Connection="close")
        self.wfile.write(b"ffff\r\n" + bytes(100))

    def leads_in_a_circle(self) -> None:
        self.head(302, Location=self.path)

    def leads_to_a_file(self) -> None:
        self.head(302, Location="file:///etc/passwd")

    def never_ends(self) -> None:
        self.head()
        while not gone.is_set():
            self.wfile.write(bytes(2**16))

    def gives_other_bytes(self) -> None:
        self.head(Content_Length="5")
        self.wfile.write(b"wrong")

    def is_not_there(self) -> None:
        self.head(404)

    def is_broken(self) -> None:
        self.head(500)

    def speaks_another_language(self) -> None:
        self.wfile.write(b"SSH-2.0-OpenSSH\r\n")

    def hangs_up(self) -> None:
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """The client has hung up: as it should."""


@contextmanager
def serving(way: str) -> Iterator[str]:
    gone.clear()
    with Server(("127.0.0.1", 0), Answer) as server:
        server.way = way  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            gone.set()
            server.shutdown()
            thread.join()


WAYS = [
    name
    for name, method in vars(Answer).items()
    if isinstance(method, Callable) and name not in {"do_GET", "head", "log_message"}  # type: ignore[arg-type]
]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.timeout(60)
@pytest.mark.parametrize("way", WAYS)
def test_mnist_is_refused_in_a_line_or_taken_from_the_package(
    way: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mnist, "DOWNLOAD", SHORT)
    with serving(way) as url, pytest.raises(UserError, match=r"MNIST: .*could not be used: .+; try again") as caught:
        mnist_digits([0], "download", url)
    assert "\n" not in str(caught.value)
    assert [path for path in cache.rglob("*") if path.is_file()] == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize("way", WAYS)
def test_a_file_of_weizmann_is_refused_in_a_line_and_not_kept(way: str, cache: Path) -> None:
    with serving(way) as url, pytest.raises(NotThereError) as caught:
        Site(url, cache, retries=0, download=SHORT).get("jack.zip")
    assert str(caught.value).startswith(url)
    assert "\n" not in str(caught.value)
    assert [path for path in cache.rglob("*") if path.is_file()] == []


def test_a_sound_server_gives_every_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = hashlib.sha256(b"seed").digest() * 4000

    def whole(self: Answer) -> None:
        self.head(Content_Length=str(len(content)))
        self.wfile.write(content)

    monkeypatch.setattr(Answer, "whole", whole, raising=False)
    with serving("whole") as url:
        SHORT(url, str(tmp_path / "file"), None)
    assert (tmp_path / "file").read_bytes() == content


def test_an_address_without_encryption_is_not_followed_from_one_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from unittest.mock import MagicMock

    answer = MagicMock(url="http://elsewhere/file")
    answer.__enter__.return_value = answer
    monkeypatch.setattr("pipeline.sources.download.requests.get", lambda *_, **__: answer)
    with pytest.raises(OSError, match="without encryption"):
        SHORT("https://here/file", str(tmp_path / "file"), None)
