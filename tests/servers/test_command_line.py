"""The command line as users of OVMS write it, and what a typing error is told."""

import subprocess
import sys
from pathlib import Path

import pytest

from calcgraph.servers.__main__ import main
from calcgraph.servers.command_line import normalised, parse


def parsed(*arguments: str) -> dict[str, object]:
    found = parse(arguments)
    assert found is not None
    return vars(found[1])


def test_flags_may_be_written_with_hyphens() -> None:
    assert normalised(["--rest-port", "80", "--model-name=a-b", "--", "-x-y", "c-d"]) == [
        "--rest_port",
        "80",
        "--model_name=a-b",
        "--",
        "-x-y",
        "c-d",
    ]
    assert parsed("serve", "--rest-port=1") == parsed("serve", "--rest_port", "1")


def test_without_a_command_it_serves_as_ovms_does() -> None:
    arguments = ("--rest_port", "8000", "--config_path", "./models/config.json")
    assert parsed(*arguments) == parsed("serve", *arguments)
    assert parsed(*arguments)["config_path"] == Path("models/config.json")


def test_the_other_flags_of_ovms_are_accepted() -> None:
    assert parsed(
        "--rest_workers", "4", "--log_level", "debug", "--grpc_channel_arguments", "a=1,b=x"
    )
    assert parsed("--port", "1", "--grpc_bind_address", "0.0.0.0")["grpc_bind_address"] == "0.0.0.0"


def test_help_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == main(["--help"]) == 0
    assert "serve      Serve models over REST and gRPC." in capsys.readouterr().out


def test_the_version_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("calcgraph 0.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("sreve", "unknown command sreve; did you mean 'serve'?"),
        ("frobnicate", "unknown command frobnicate; there are "),
        ("serve --rest_prot 1", "unknown flag --rest_prot; did you mean '--rest_port'?"),
        ("--rest-prot 1", "unknown flag --rest_prot; did you mean '--rest_port'?"),
        ("serve extra", "unknown argument extra; calcgraph serve --help lists"),
        ("serve --rest_port eight", "expected a port from 0 to 65535, found 'eight'"),
        ("serve --port 65536", "expected a port from 0 to 65535, found '65536'"),
        ("serve --port -1", "--port: expected"),
        ("serve --grpc_channel_arguments x", "expected NAME=VALUE, found 'x'"),
        ("--pull --poling CLS", "calcgraph pull: unknown flag --poling; did you mean '--pooling'?"),
        ("--source_model x --poling CLS", "unknown flag --poling; did you mean '--pooling'?"),
    ],
)
def test_a_command_line_that_makes_no_sense_ends_with_a_sentence(
    arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("serve --rest_port 0", "expected --config_path FILE, or --model_name NAME"),
        ("serve --rest_port 0 --model_name m", "expected --config_path FILE, or --model_name NAME"),
        ("serve --rest_port 0 --config_path c --model_name m --model_path p", "not both forms"),
        ("serve --rest_port 0 --config_path gone.json", "gone.json: there is no such file"),
        ("serve --rest_port 0 --model_name m --model_path gone", "its folder gone does not exist"),
        (
            "--nireq 2 --rest_port 0 --config_path c.json",
            "--nireq is for --model_name; with --config_path that file says it",
        ),
        ("serve --log_path /no/such/folder/log --rest_port 0", "--log_path /no/such/folder/log"),
        ("serve --calculators gone.py --rest_port 0 --model_name m --model_path .", "graph.pbtxt"),
    ],
)
def test_what_cannot_be_served_ends_with_a_sentence(
    arguments: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments.split()) == 1
    error = capsys.readouterr().err
    assert error.startswith("calcgraph: ")
    assert message in error


def test_a_server_without_a_port_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "graph.pbtxt").touch()
    assert main(["serve", "--model_name", "m", "--model_path", str(tmp_path)]) == 1
    assert "expected --rest_port PORT, --port PORT or both" in capsys.readouterr().err


def test_nobody_is_told_that_openvino_is_used() -> None:
    program = (
        "import sys, threading, calcgraph.servers.__main__, openvino\n"
        "assert not [t.name for t in threading.enumerate() if t is not threading.main_thread()]\n"
        "assert 'openvino_telemetry.main' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
