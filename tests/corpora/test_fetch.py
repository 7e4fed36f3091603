import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from eventune.corpora import fetch as module
from eventune.corpora.fetch import fetch
from eventune.corpora.published import CORPORA, PublishedFile
from eventune.errors import EventuneError

CONTENT = b"0123456789" * 1000
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()


class Publisher(BaseHTTPRequestHandler):
    ranges: ClassVar[list[str | None]] = []

    def do_GET(self):
        wanted = self.headers.get("Range")
        self.ranges.append(wanted)
        if self.path == "/moved":
            return self.answer(302, Location="/file")
        if self.path == "/to-disk":
            return self.answer(302, Location="file:///etc/passwd")
        if self.path == "/missing":
            return self.answer(404)
        if self.path == "/endless":
            return self.answer(200, CONTENT * 2)
        if self.path == "/cut":
            return self.answer(200, CONTENT[:700], **{"Content-Length": str(len(CONTENT))})
        if wanted and self.path == "/file":
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(CONTENT):
                return self.answer(416)
            return self.answer(206, CONTENT[start:], **{"Content-Range": f"bytes {start}-9999/10000"})
        return self.answer(200, CONTENT)

    def answer(self, code, content=b"", **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def address(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    Publisher.ranges.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_file_with_the_right_checksum_is_kept(address, tmp_path):
    fetched = fetch(PublishedFile(f"{address}/file", CHECKSUM, len(CONTENT)), tmp_path)
    assert (fetched.path.read_bytes(), fetched.is_verified, fetched.size) == (CONTENT, True, 10_000)
    assert names(tmp_path) == ["file"]


def test_file_that_is_there_is_not_fetched_again(address, tmp_path):
    (tmp_path / "file").write_bytes(CONTENT)
    assert fetch(PublishedFile(f"{address}/file", CHECKSUM), tmp_path).is_verified
    assert Publisher.ranges == []


def test_other_file_of_that_name_is_not_overwritten(address, tmp_path):
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(EventuneError, match="found a file with sha256"):
        fetch(PublishedFile(f"{address}/file", CHECKSUM), tmp_path)
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_file_of_unknown_checksum_that_is_there_is_kept(address, tmp_path):
    (tmp_path / "file").write_bytes(b"of an earlier try")
    fetched = fetch(PublishedFile(f"{address}/file"), tmp_path)
    assert (fetched.sha256, fetched.is_verified) == (hashlib.sha256(b"of an earlier try").hexdigest(), False)
    assert Publisher.ranges == []


def test_unknown_checksum_is_computed(address, tmp_path):
    fetched = fetch(PublishedFile(f"{address}/file", saved_as="other"), tmp_path)
    assert (fetched.sha256, fetched.is_verified, fetched.path.name) == (CHECKSUM, False, "other")


def test_wrong_checksum_leaves_nothing(address, tmp_path):
    with pytest.raises(EventuneError, match=f"expected sha256 {'0' * 64}, found {CHECKSUM}"):
        fetch(PublishedFile(f"{address}/file", "0" * 64), tmp_path)
    assert names(tmp_path) == []


def test_download_goes_on_where_it_stopped(address, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT[:1234])
    fetched = fetch(PublishedFile(f"{address}/file", CHECKSUM, len(CONTENT)), tmp_path)
    assert fetched.path.read_bytes() == CONTENT
    assert Publisher.ranges == ["bytes=1234-"]


def test_server_without_ranges_sends_all_anew(address, tmp_path):
    (tmp_path / "whole.part").write_bytes(CONTENT[:1234])
    assert fetch(PublishedFile(f"{address}/whole", CHECKSUM), tmp_path).path.read_bytes() == CONTENT


def test_part_of_an_unknown_file_is_not_trusted(address, tmp_path):
    (tmp_path / "file.part").write_bytes(b"something else")
    assert fetch(PublishedFile(f"{address}/file"), tmp_path).sha256 == CHECKSUM


def test_complete_part_is_not_asked_for_again(address, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT)
    assert fetch(PublishedFile(f"{address}/file", CHECKSUM, len(CONTENT)), tmp_path).is_verified
    assert Publisher.ranges == []


def test_part_that_is_too_long_is_thrown_away(address, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT * 2)
    with pytest.raises(EventuneError, match="answers 416"):
        fetch(PublishedFile(f"{address}/file", CHECKSUM), tmp_path)
    assert names(tmp_path) == []


def test_body_that_is_cut_off_is_kept_to_go_on_with(address, tmp_path):
    with pytest.raises(EventuneError, match="expected 10,000 bytes, the connection ended after 700"):
        fetch(PublishedFile(f"{address}/cut", CHECKSUM), tmp_path)
    assert names(tmp_path) == ["cut.part"]


def test_redirect_is_followed_but_not_to_the_disk(address, tmp_path):
    assert fetch(PublishedFile(f"{address}/moved", CHECKSUM), tmp_path).path.read_bytes() == CONTENT
    with pytest.raises(EventuneError, match="to-disk"):
        fetch(PublishedFile(f"{address}/to-disk", CHECKSUM), tmp_path)


def test_more_than_the_known_size_is_refused(address, tmp_path):
    with pytest.raises(EventuneError, match="expected at most 10,000 bytes, the server sends more"):
        fetch(PublishedFile(f"{address}/endless", CHECKSUM, len(CONTENT)), tmp_path)
    assert names(tmp_path) == []


def test_announced_size_is_held_against_the_limit(address, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 99)
    with pytest.raises(EventuneError, match="the server announces 10,000"):
        fetch(PublishedFile(f"{address}/cut"), tmp_path)


def test_missing_file_and_dead_server_are_named(address, tmp_path):
    with pytest.raises(EventuneError, match="/missing: the server answers 404"):
        fetch(PublishedFile(f"{address}/missing", CHECKSUM), tmp_path)
    with pytest.raises(EventuneError, match=r"cannot be reached: .*refused"):
        fetch(PublishedFile("http://127.0.0.1:9/file", CHECKSUM), tmp_path)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_other_protocols_are_refused(url, tmp_path):
    with pytest.raises(EventuneError, match="expected an address with http or https"):
        fetch(PublishedFile(url), tmp_path)


def test_published_files_have_names_of_their_own_and_whole_checksums():
    for corpus in CORPORA.values():
        assert len({file.name for file in corpus.files}) == len(corpus.files)
        for file in corpus.files:
            assert file.url.startswith("https://")
            assert len(file.sha256) in (0, 64)
            assert bool(file.sha256) == bool(file.size)


def test_known_checksums_are_those_of_the_published_bytes(corpora_folder):
    if not corpora_folder.is_dir():
        pytest.skip(f"needs published corpora in {corpora_folder}; set EVENTUNE_CORPORA")
    for corpus in CORPORA.values():
        for file in corpus.files:
            path = corpora_folder / corpus.name / file.name
            if file.sha256 and path.is_file():
                content = path.read_bytes()
                assert (hashlib.sha256(content).hexdigest(), len(content)) == (file.sha256, file.size)
