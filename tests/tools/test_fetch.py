from pathlib import Path

import pytest

from calcgraph.tools import fetch as fetching
from calcgraph.tools.errors import PreparationError
from calcgraph.tools.fetch import NotAllowed, fetch


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_WAITS_SECONDS", (0, 0))


def test_a_file_arrives_whole(index, tmp_path: Path) -> None:
    path = fetch(index.file_url, tmp_path / "wheel", index.sha256)
    assert path.read_bytes() == index.wheel
    assert list(tmp_path.iterdir()) == [path]


def test_a_dropped_connection_is_taken_up_where_it_ended(index, tmp_path: Path) -> None:
    index.break_after = [1_000_000, 500_000]
    path = fetch(index.file_url, tmp_path / "wheel", index.sha256)
    assert path.read_bytes() == index.wheel
    assert index.ranges == [None, "bytes=1000000-", "bytes=1500000-"]


def test_an_earlier_part_is_continued(index, tmp_path: Path) -> None:
    (tmp_path / "wheel.part").write_bytes(index.wheel[:777])
    assert fetch(index.file_url, tmp_path / "wheel", index.sha256).read_bytes() == index.wheel
    assert index.ranges == ["bytes=777-"]


def test_a_part_that_was_whole_is_kept(index, tmp_path: Path) -> None:
    (tmp_path / "wheel.part").write_bytes(index.wheel)
    assert fetch(index.file_url, tmp_path / "wheel", index.sha256).read_bytes() == index.wheel


def test_a_server_that_never_gets_further_is_given_up_on(index, tmp_path: Path) -> None:
    index.break_after = [1_000_000, 0, 0, 0, 0]
    with pytest.raises(PreparationError, match="it continues after 1,000,000 bytes") as raised:
        fetch(index.file_url, tmp_path / "wheel", index.sha256)
    assert "the connection ended" in str(raised.value)
    assert (tmp_path / "wheel.part").stat().st_size == 1_000_000


def test_a_server_without_ranges_is_read_from_the_start(index, tmp_path: Path) -> None:
    index.ignores_ranges = True
    index.break_after = [1_000_000]
    assert fetch(index.file_url, tmp_path / "wheel", index.sha256).read_bytes() == index.wheel
    assert index.ranges == [None, "bytes=1000000-"]


def test_another_file_is_refused_and_deleted(index, tmp_path: Path) -> None:
    with pytest.raises(PreparationError, match=f"sha256 {index.sha256}, expected was 0{{64}}"):
        fetch(index.file_url, tmp_path / "wheel", "0" * 64)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_server_that_wants_credentials_is_told_apart(index, tmp_path: Path, status: int) -> None:
    index.answer = status
    with pytest.raises(NotAllowed, match=f"answers {status}"):
        fetch(index.file_url, tmp_path / "wheel", index.sha256)


def test_a_missing_file_is_not_asked_for_again(index, tmp_path: Path) -> None:
    index.answer = 404
    with pytest.raises(PreparationError, match="answers 404 Not Found"):
        fetch(index.file_url, tmp_path / "wheel", index.sha256)
    assert len(index.ranges) == 1


def test_a_server_in_trouble_is_asked_again(index, tmp_path: Path) -> None:
    index.answer = 503
    with pytest.raises(PreparationError, match="503 Service Unavailable"):
        fetch(index.file_url, tmp_path / "wheel", index.sha256)
    assert len(index.ranges) == 3


def test_nobody_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PreparationError, match=r"Connection refused.*: check the network"):
        fetch("http://127.0.0.1:9/wheel", tmp_path / "wheel", "0" * 64)


def test_a_full_disk_is_the_disks_error(index, tmp_path: Path) -> None:
    (tmp_path / "wheel.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        fetch(index.file_url, tmp_path / "wheel", index.sha256)
