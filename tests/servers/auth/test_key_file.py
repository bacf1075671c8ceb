"""Files of keys: OVMS's of one key, ours of many, and `calcgraph keys`, which writes them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from calcgraph.servers.auth.key_file import KeyFile, read_keys, write_keys
from calcgraph.servers.auth.keys import Key, digest_of
from calcgraph.servers.auth.scopes import Scope
from calcgraph.servers.model_config import ConfigError

HASH = f"sha256:{digest_of('s').hex()}"
GOOD = {"name": "search", "hash": HASH, "scopes": ["infer"]}


def keys(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "calcgraph.servers", "keys", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("content", ["secret", "secret\n", "secret\nsecond line\n", " secret \r\n"])
def test_the_first_line_of_ovms_file_is_a_key_that_allows_everything(
    tmp_path: Path, content: str
) -> None:
    file = tmp_path / "api_key.txt"
    file.write_text(content)
    key = KeyFile(file).find("secret")
    assert key is not None
    assert set(key.scopes) == set(Scope)
    assert KeyFile(file).find("second line") is None


def test_a_key_is_made_shown_once_listed_and_removed(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    quotas = ("--tokens_per_minute", "5000", "--requests-per-minute", "60")
    made = keys("add", file, "search", "--scopes", "infer,metrics", *quotas)
    secret = made.stdout.strip()
    assert len(secret) > 40
    assert secret not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    found = KeyFile(file).find(secret)
    assert found == Key("search", digest_of(secret), {Scope.INFER, Scope.METRICS}, 60, 5000)
    listed = keys("list", file).stdout
    assert listed == "search\tinfer,metrics\t60 requests a minute\t5000 tokens a minute\n"
    assert keys("add", file, "search").returncode == 1
    assert keys("remove", file, "search").returncode == 0
    assert KeyFile(file).find(secret) is None
    assert "there is no key 'search'" in keys("remove", file, "search").stderr


def test_two_keys_of_one_file_are_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    write_keys(
        file, [Key(name, digest_of(name), frozenset({Scope.INFER})) for name in ("one", "two")]
    )
    found = [KeyFile(file).find(secret) for secret in ("one", "two", "three", "")]
    assert [key and key.name for key in found] == ["one", "two", None, None]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the first line is empty; expected a key"),
        ("\nsecret", "the first line is empty; expected a key"),
        ("{", "not JSON"),
        ('{"key": []}', 'expected {"keys": [...]} and nothing else'),
        ('{"keys": [1]}', "keys[0]: expected an object"),
        (json.dumps({"keys": [{**GOOD, "name": ""}]}), "keys[0].name: expected a name"),
        (json.dumps({"keys": [GOOD, GOOD]}), "two keys are named 'search'"),
        (json.dumps({"keys": [{**GOOD, "hash": "secret"}]}), "keys[0].hash: expected sha256:"),
        (json.dumps({"keys": [{**GOOD, "hash": "sha256:00"}]}), "keys[0].hash: expected sha256:"),
        (json.dumps({"keys": [{**GOOD, "scopes": ["all"]}]}), "of infer, admin, metrics"),
        (json.dumps({"keys": [{**GOOD, "scopes": []}]}), "of infer, admin, metrics"),
        (json.dumps({"keys": [{**GOOD, "tokens_per_minute": 0}]}), "expected an integer above 0"),
        (json.dumps({"keys": [{**GOOD, "scope": []}]}), "'scope'; did you mean 'scopes'?"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_without_a_secret(
    tmp_path: Path, content: str, message: str
) -> None:
    file = tmp_path / "keys"
    file.write_text(content)
    with pytest.raises(ConfigError) as error:
        read_keys(file)
    assert str(error.value).startswith(f"{file}: ")
    assert message in str(error.value)
    assert "secret" not in str(error.value)


def test_a_file_that_changes_is_read_anew_and_a_wrong_one_leaves_the_keys(
    tmp_path: Path, eventually: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert callable(eventually)
    file = tmp_path / "keys"
    file.write_text("first")
    found = KeyFile(file)
    assert found.find("first")
    file.write_text("second key")
    assert eventually(lambda: found.find("second key") is not None)
    assert found.find("first") is None
    file.write_text("")
    assert eventually(lambda: "the keys stay as they were" in caplog.text + str(found.find("x")))
    assert found.find("second key")
    assert not [line for line in caplog.messages if "second key" in line]


def test_keys_are_replaced_at_once(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    write_keys(file, [])
    before = os.stat(file).st_ino
    write_keys(file, [])
    assert os.stat(file).st_ino != before
    assert [each.name for each in tmp_path.iterdir()] == ["keys"]
