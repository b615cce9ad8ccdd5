"""A download is whole and checked or it is not there, whatever server, network, disk or a kill do."""

from __future__ import annotations

import gzip
import hashlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from perma_agent.data import download as module
from perma_agent.data.download import download
from perma_agent.errors import DataError

# Where a server says nothing, urllib leaves closing the socket to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

CONTENT = bytes(range(256)) * 1000
PACKED = gzip.compress(CONTENT)
SHA = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT well or badly, as the address says, and counts how often it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = 0
        self.let_go = threading.Event()

    def url(self, way: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{way}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked += 1
        way = self.path.lstrip("/")
        if way == "missing":
            self.send_error(404)
            return
        if way == "nonsense":
            self.wfile.write(b"this is no HTTP\r\n\r\n")
            return
        if way == "silent":
            self.server.let_go.wait(10)
            return
        body = {"packed": PACKED, "page": b"<html>please log in</html>"}.get(way, CONTENT)
        self.send_response(200)
        if way != "lengthless":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:100_000] if way in ("cut", "stalled") else body)
        if way == "stalled":
            self.wfile.flush()
            self.server.let_go.wait(30)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.let_go.set()
    server.shutdown()
    server.server_close()
    thread.join()


def refusal(url: str, target: Path, **arguments: float) -> str:
    """What is said; nothing is left behind but the lock."""
    with pytest.raises(DataError) as caught:
        download(url, target, sha256=SHA, **arguments)
    assert "\n" not in str(caught.value)
    assert not target.exists()
    assert [path.name for path in target.parent.iterdir()] in ([], [f"{target.name}.lock"])
    return str(caught.value)


@pytest.mark.parametrize("way", ["plain", "packed", "lengthless"])
def test_a_download_arrives_byte_for_byte(server: Server, tmp_path: Path, way: str) -> None:
    target = tmp_path / "new" / "folder" / "file"
    told: list[tuple[str, int, int]] = []
    download(server.url(way), target, sha256=SHA, progress=lambda *news: told.append(news))
    sent = PACKED if way == "packed" else CONTENT
    assert target.read_bytes() == sent
    assert not target.with_name("file.part").exists()
    total = 0 if way == "lengthless" else len(sent)
    assert told[-1] == ("file", len(sent), total)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_what_is_there_is_not_asked_for(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    download(server.url("plain"), tmp_path / "file", sha256=SHA)
    assert (tmp_path / "file").read_bytes() == b"mine"
    assert server.asked == 0


def test_those_who_want_the_same_take_turns(server: Server, tmp_path: Path) -> None:
    threads = [
        threading.Thread(target=download, args=(server.url("plain"), tmp_path / "file"), kwargs={"sha256": SHA})
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.asked == 1


def test_a_wrong_checksum(server: Server, tmp_path: Path) -> None:
    url, target = server.url("page"), tmp_path / "file"
    found = hashlib.sha256(b"<html>please log in</html>").hexdigest()
    assert refusal(url, target) == (
        f"expected content with SHA-256 {SHA[:12]}… from {url}, got {found[:12]}… in 26 bytes; check the network "
        f"(a login page?), or put the right file at {target} yourself"
    )


def test_an_answer_that_breaks_off(server: Server, tmp_path: Path) -> None:
    url = server.url("cut")
    assert refusal(url, tmp_path / "file") == (
        f"expected 256,000 bytes from {url}, got the first 100,000; check the network and try again"
    )


def test_a_server_without_the_file(server: Server, tmp_path: Path) -> None:
    url, target = server.url("missing"), tmp_path / "file"
    assert refusal(url, target) == (
        f"expected to download {url}, got HTTP status 404; check the network, or put the file at {target} yourself"
    )


def test_a_server_that_talks_nonsense(server: Server, tmp_path: Path) -> None:
    url, target = server.url("nonsense"), tmp_path / "file"
    assert refusal(url, target) == (
        f"expected to download {url}, got no answer (this is no HTTP); check the network, or put the file at {target} "
        "yourself"
    )


@pytest.mark.parametrize("way", ["silent", "stalled"])
def test_a_server_that_falls_silent(server: Server, tmp_path: Path, way: str) -> None:
    url, target = server.url(way), tmp_path / "file"
    start = time.monotonic()
    assert refusal(url, target, timeout=0.2) == (
        f"expected to download {url}, got no answer within 0.2 s; check the network, or put the file at {target} "
        "yourself"
    )
    assert time.monotonic() - start < 3


def test_an_unreachable_server(server: Server, tmp_path: Path) -> None:
    url, target = server.url("plain"), tmp_path / "file"
    server.shutdown()
    server.server_close()
    assert refusal(url, target) == (
        f"expected to download {url}, got no answer (Connection refused); check the network, or put the file at "
        f"{target} yourself"
    )


def test_a_folder_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    target = tmp_path / "taken" / "file"
    with pytest.raises(DataError) as caught:
        download(server.url("plain"), target, sha256=SHA)
    assert str(caught.value).startswith(f"expected to write {target}, got an error (")
    assert server.asked == 0


def test_someone_else_holds_the_turn(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TURN_SECONDS", 0.05)
    url, lock = server.url("plain"), tmp_path / "file.lock"
    with module.filelock.FileLock(lock):
        assert refusal(url, tmp_path / "file") == (
            f"expected to download {url}, got no turn within 0 s; end the process that holds {lock}"
        )


def test_an_interrupted_download_leaves_nothing(server: Server, tmp_path: Path) -> None:
    def interrupt(name: str, done: int, total: int) -> None:
        assert (tmp_path / "file.part").exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(server.url("plain"), tmp_path / "file", sha256=SHA, progress=interrupt)
    assert [path.name for path in tmp_path.iterdir()] in ([], ["file.lock"])


def test_a_killed_download_is_not_taken_for_a_whole_one(server: Server, tmp_path: Path) -> None:
    target, part = tmp_path / "file", tmp_path / "file.part"
    code = (
        "import sys; from pathlib import Path; from perma_agent.data.download import download; "
        "download(sys.argv[1], Path(sys.argv[2]), sha256=sys.argv[3])"
    )
    process = subprocess.Popen([sys.executable, "-c", code, server.url("stalled"), str(target), SHA])
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert part.stat().st_size < len(CONTENT)
    assert not target.exists()
    download(server.url("plain"), target, sha256=SHA)
    assert target.read_bytes() == CONTENT
    assert not part.exists()
