"""The Open Inference Protocol in JSON: health, metadata, infer."""

import socket
from typing import Any
from urllib.parse import quote

import orjson
import pytest

INPUT = {"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [0.1, 2]}


def infer(served: Any, body: Any, path: str = "/v2/models/echo/infer") -> Any:
    data = body if isinstance(body, bytes | str) else orjson.dumps(body)
    return served.call("POST", path, data)


def test_the_server_lives_and_says_what_it_is(served: Any) -> None:
    """KServe Z4, R1, R3, R11."""
    assert served.call("GET", "/v2/health/live").json == {"live": True}
    assert served.call("GET", "/v2").json.keys() == {"name", "version", "extensions"}
    assert "ns/echo" in served.call("GET", "/v2/models").json["models"]


def test_the_server_is_not_ready_while_a_model_is_not(served: Any) -> None:
    """KServe R2."""
    answer = served.call("GET", "/v2/health/ready")
    assert (answer.status, answer.json) == (503, {"ready": False})


@pytest.mark.parametrize("name", ["echo", "ns/echo", "ns%2Fecho", "twin/ready"])
@pytest.mark.parametrize("version", ["", "/versions/1"])
def test_a_model_is_ready_and_described_by_its_name(served: Any, name: str, version: str) -> None:
    """KServe R4, R5, R7, R8."""
    plain = name.replace("%2F", "/")
    ready = served.call("GET", f"/v2/models/{name}{version}/ready")
    assert (ready.status, ready.json) == (200, {"name": plain, "ready": True})
    metadata = served.call("GET", f"/v2/models/{name}{version}").json
    assert metadata["name"] == plain
    assert metadata["versions"] == ["1"]
    assert metadata["inputs"][0] == {"name": "x", "datatype": "FP32", "shape": [-1, 2]}
    assert [output["name"] for output in metadata["outputs"]] == ["x", "y"]


def test_where_a_path_may_mean_two_models_the_longer_name_wins(served: Any) -> None:
    """KServe R7."""
    assert served.call("GET", "/v2/models/twin/ready").json["name"] == "twin/ready"
    assert served.call("GET", "/v2/models/twin/versions/1/ready").json == {
        "name": "twin",
        "ready": True,
    }


def test_a_model_that_loads_is_not_ready(served: Any) -> None:
    """KServe R5, U5."""
    answer = served.call("GET", "/v2/models/unready/ready")
    assert (answer.status, answer.json) == (503, {"name": "unready", "ready": False})
    assert served.call("GET", "/v2/models/unready").status == 503


@pytest.mark.parametrize(
    ("version", "status"), [("abc", 400), ("2", 404), ("9" * 30, 404), ("0", 200), ("\u0661", 400)]
)
def test_a_version_that_does_not_exist_is_refused(served: Any, version: str, status: int) -> None:
    """KServe R8, R9."""
    answer = served.call("GET", f"/v2/models/ns/echo/versions/{quote(version)}/ready")
    assert answer.status == status


def test_an_infer_call_is_answered_with_its_id_name_and_version(served: Any) -> None:
    """KServe R6, J1, J9, A1, A2."""
    answer = infer(served, {"id": "7", "model_name": "ignored", "inputs": [INPUT]})
    assert answer.status == 200
    body = answer.json
    assert body.pop("parameters").keys() == {"OVMS_MP_TIMESTAMP"}
    assert body == {
        "model_name": "echo",
        "model_version": "1",
        "id": "7",
        "outputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [0.1, 2.0]}],
    }


@pytest.mark.parametrize(
    "path", ["/v2/models/ns/echo/infer", "/v2/models/ns%2Fecho/versions/1/infer/"]
)
def test_infer_finds_a_name_with_a_slash(served: Any, path: str) -> None:
    """KServe R6, R7, R8."""
    assert infer(served, {"inputs": [INPUT]}, path).json["model_name"] == "ns/echo"


@pytest.mark.parametrize(
    ("datatype", "data"),
    [
        ("BOOL", [True, False]),
        ("UINT8", [0, 255]),
        ("INT8", [-128, 127]),
        ("INT64", [-(2**63), 2**63 - 1]),
        ("UINT64", [0, 2**64 - 1]),
        ("FP32", [0.1, 16777216.0]),
        ("FP64", [0.1, 1e300]),
        ("BYTES", ["h\u00e9llo", ""]),
    ],
)
def test_values_come_back_as_they_went(served: Any, datatype: str, data: list[Any]) -> None:
    """KServe J5, A3, D1."""
    tensor = {"name": "x", "datatype": datatype, "shape": [2], "data": data}
    assert infer(served, {"inputs": [tensor]}).json["outputs"] == [tensor]


def test_ascii_escapes_mean_what_they_escape(served: Any) -> None:
    """KServe J2."""
    body = r'{"inputs":[{"name":"x","datatype":"BYTES","shape":[1],"data":["\u00e9"]}]}'
    assert infer(served, body).json["outputs"][0]["data"] == ["é"]


@pytest.mark.parametrize(
    ("shape", "data"),
    [
        ([2, 2], [[1, 2], [3, 4]]),
        ([2, 2], [1, 2, 3, 4]),
        ([], [1]),
        ([0], []),
        ([1, 1, 1], [[[1]]]),
    ],
)
def test_data_may_be_nested_or_flat(served: Any, shape: list[int], data: list[Any]) -> None:
    """KServe J3, J4, A2."""
    tensor = {"name": "x", "datatype": "INT32", "shape": shape, "data": data}
    output = infer(served, {"inputs": [tensor]}).json["outputs"][0]
    assert output["shape"] == shape
    assert output["data"] == list(range(1, 1 + len(output["data"])))


def test_parameters_come_in_every_type_that_json_has(served: Any) -> None:
    """KServe J8."""
    parameters = {"b": True, "i": 2**40, "f": 0.5, "s": "t"}
    answer = infer(served, {"inputs": [INPUT], "parameters": parameters}).json
    assert answer["parameters"].items() > parameters.items()


def test_only_the_outputs_that_are_asked_for_come_in_their_order(served: Any) -> None:
    """KServe J9."""
    y = {"name": "y", "datatype": "BYTES", "shape": [1], "data": ["t"]}
    body = {"inputs": [INPUT, y], "outputs": [{"name": "y"}, {"name": "x"}]}
    assert [output["name"] for output in infer(served, body).json["outputs"]] == ["y", "x"]
    body["outputs"] = [{"name": "y"}]
    assert infer(served, body).json["outputs"] == [y]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "expected an object"),
        ({}, "The request has no inputs."),
        ({"inputs": []}, "The request has no inputs."),
        ({"inputs": {}}, "'inputs' is a list of objects."),
        ({"inputs": [7]}, "'inputs' is a list of objects."),
        ({"inputs": [{}]}, "'inputs[0].name' is a string; found nothing."),
        ({"inputs": [INPUT | {"name": 7}]}, "'inputs[0].name' is a string; found 7."),
        ({"inputs": [INPUT, INPUT]}, "The input 'x' stands in the request twice."),
        ({"inputs": [INPUT | {"datatype": "fp32"}]}, "did you mean 'FP32'?"),
        ({"inputs": [INPUT | {"datatype": None}]}, "unknown datatype None"),
        ({"inputs": [INPUT | {"datatype": "FP16"}]}, "FP16, which JSON cannot carry"),
        ({"inputs": [INPUT | {"shape": None}]}, "Input 'x' has no shape"),
        ({"inputs": [INPUT | {"shape": [-1, 2]}]}, "every dimension is an integer >= 0"),
        ({"inputs": [INPUT | {"shape": [1.5]}]}, "every dimension is an integer >= 0"),
        ({"inputs": [INPUT | {"shape": [3]}]}, "has 2 values where its shape [3] asks for 3"),
        ({"inputs": [INPUT | {"shape": [2**62, 8]}]}, "asks for 36893488147419103232"),
        ({"inputs": [INPUT | {"shape": [0, 2**62, 2**62], "data": []}]}, "too large"),
        ({"inputs": [INPUT | {"data": None}]}, "Input 'x' has no data"),
        ({"inputs": [INPUT | {"data": "ab"}]}, "Input 'x' has no data"),
        ({"inputs": [INPUT | {"data": [[1], 2]}]}, "mixes values and lists"),
        ({"inputs": [INPUT | {"data": [1, [2]]}]}, "its value 1 is [2]"),
        ({"inputs": [INPUT | {"data": [1, "2"]}]}, "datatype FP32, but its value 1 is '2'"),
        ({"inputs": [INPUT | {"data": [1, True]}]}, "its value 1 is True"),
        ({"inputs": [INPUT | {"data": [1, None]}]}, "its value 1 is None"),
        ({"inputs": [INPUT | {"data": [1, 1e300]}]}, "FP32 cannot hold"),
        ({"inputs": [INPUT | {"datatype": "INT64"}]}, "its value 0 is 0.1"),
        ({"inputs": [INPUT | {"datatype": "BYTES"}]}, "its value 0 is 0.1"),
        ({"inputs": [INPUT | {"datatype": "BOOL", "data": [0, 1]}]}, "its value 0 is 0"),
        ({"inputs": [INPUT], "id": 7}, "'id' is a string; found 7."),
        ({"inputs": [INPUT], "parameters": [1]}, "'parameters' is an object."),
        ({"inputs": [INPUT], "parameters": False}, "'parameters' is an object."),
        ({"inputs": [INPUT], "parameters": {"p": {}}}, "The parameter 'p' is a boolean"),
        ({"inputs": [INPUT], "outputs": [{"name": "z"}]}, "has no output 'z'; it has x, y."),
        ({"inputs": [INPUT], "outputs": ["x"]}, "'outputs' is a list of objects."),
    ],
)
def test_a_request_that_does_not_fit_together_is_a_400(
    served: Any, body: Any, message: str
) -> None:
    """KServe Z2, J3, J4, J5, J6, J8, J10, D1, M2, M4, M7, M8, M10, M11."""
    answer = infer(served, body)
    assert answer.status == 400
    assert answer.json.keys() == {"error"}
    assert message in answer.json["error"]


def test_an_unknown_model_is_named(served: Any) -> None:
    """KServe R5, U5."""
    answer = infer(served, {"inputs": [INPUT]}, "/v2/models/a/b/versions/1/infer")
    assert answer.status == 404
    assert answer.json["error"] == "The model 'a/b' does not exist"


def test_an_answer_that_json_cannot_carry_is_an_internal_error(served: Any) -> None:
    """KServe A4."""
    answer = infer(served, {"inputs": [INPUT], "parameters": {"nan": True}})
    assert answer.status == 500
    assert "internal error" in answer.json["error"]


def tensor(name: str, value: float, **more: Any) -> dict[str, Any]:
    return {"name": name, "datatype": "FP32", "shape": [1], "data": [value], **more}


def test_a_graph_of_several_streams_is_asked_by_their_names(served: Any) -> None:
    """KServe U1, U4, A5."""
    body = {"inputs": [tensor("b", 3), tensor("a", 2)], "parameters": {"OVMS_MP_TIMESTAMP": 2**40}}
    answer = infer(served, body, "/v2/models/pair/infer").json
    assert {output["name"]: output["data"] for output in answer["outputs"]} == {
        "sum": [5.0],
        "product": [6.0],
    }
    assert answer["parameters"] == {"OVMS_MP_TIMESTAMP": 2**40}


def test_metadata_of_a_graph_of_tensors_tell_its_streams(served: Any) -> None:
    """KServe R4, T10."""
    metadata = served.call("GET", "/v2/models/pair").json
    assert metadata["inputs"] == [
        {"name": name, "datatype": "FP32", "shape": [-1]} for name in ("a", "b")
    ]


def test_parameters_of_a_request_are_side_packets(served: Any) -> None:
    """KServe U2, U3, J12."""
    given = {
        "start": 40,
        "binary_data_output": False,
        "priority": 1,
        "timeout": 5,
        "sequence_id": 1,
    }
    body = {"inputs": [tensor("in", 2)], "parameters": given}
    assert infer(served, body, "/v2/models/sum/infer").json["outputs"][0]["data"] == [42.0]


@pytest.mark.parametrize(
    ("model", "body", "status", "message"),
    [
        ("needy", {"inputs": [tensor("in", 1)]}, 412, 'Side packet "start" is required'),
        ("json", {"inputs": [tensor("in", 1)]}, 412, "does not speak the Open Inference Protocol"),
        ("tflite", {"inputs": [tensor("in", 1)]}, 501, "TFLITE_TENSOR"),
        ("sum", {"inputs": [tensor("in", 14)]}, 400, "14 is refused"),
        ("sieve", {"inputs": [tensor("in", 0)]}, 400, "gave nothing on its output"),
        ("pair", {"inputs": [tensor("a", 0)]}, 400, "has no input 'b'; this model takes 'a', 'b'"),
        ("pair", {"inputs": [tensor("c", 0)]}, 400, "no input 'c'; it takes 'a', 'b'"),
        (
            "pair",
            {"inputs": [tensor("a", 0), tensor("b", 0, datatype="FP64")]},
            400,
            "'b' has the datatype FP64; this model takes FP32",
        ),
        ("sum", {"inputs": [tensor("in", 0)], "parameters": {"py": 1}}, 412, "'py' is reserved"),
        (
            "sum",
            {"inputs": [tensor("in", 0)], "parameters": {"OVMS_MP_TIMESTAMP": "1"}},
            400,
            "OVMS_MP_TIMESTAMP is an int64",
        ),
    ],
)
def test_what_a_graph_cannot_take_is_told_with_its_status(
    served: Any, model: str, body: Any, status: int, message: str
) -> None:
    """KServe D2, M1, M3, S8, T6, U1, U5, U6."""
    answer = infer(served, body, f"/v2/models/{model}/infer")
    assert (answer.status, message in answer.json["error"]) == (status, True), answer.json


def test_json_reaches_python_nodes_as_raw_bytes(served: Any) -> None:
    """KServe T7."""
    words = {"name": "in", "datatype": "BYTES", "shape": [2], "data": ["a", "é"]}
    (output,) = infer(served, {"inputs": [words]}, "/v2/models/python/infer").json["outputs"]
    assert (output["name"], output["datatype"], output["data"]) == ("out", "BYTES", ["a", "é"])


def test_a_server_may_stand_below_a_path(serve: Any, tmp_path: Any) -> None:
    """KServe R14."""
    with serve(tmp_path, base_path="/base") as served:
        path = "/base/v2/models/ns%2Fecho/infer"
        assert infer(served, {"inputs": [INPUT]}, path).json["model_name"] == "ns/echo"
        assert served.call("GET", "/base/v2/health/live").json == {"live": True}
        answer = served.call("GET", "/based/v2/health/live")
        assert answer.status == 404
        assert served.call("GET", "/base/v2/models/gone").json.keys() == {"error"}


@pytest.mark.parametrize("verb", ["config", "stats"])
def test_what_perf_analyzer_asks_for_is_not_served(served: Any, verb: str) -> None:
    """KServe P5."""
    answer = served.call("GET", f"/v2/models/echo/{verb}")
    assert (answer.status, answer.json.keys()) == (404, {"error"})


def test_without_an_id_the_answer_has_none_and_is_json(served: Any) -> None:
    """KServe J7, A6."""
    answer = infer(served, {"inputs": [INPUT]})
    assert "id" not in answer.json
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("ending", ["half", "whole"])
@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 1000",
        "Transfer-Encoding: chunked",
        "Expect: 100-continue\r\nContent-Length: 9",
    ],
)
def test_a_body_that_is_cut_off_holds_up_nobody(served: Any, head: str, ending: str) -> None:
    """KServe X1, X2, X3, X5."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(
            f"POST /v2/models/echo/infer HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode()
        )
        connection.sendall(b"1f\r\n{" if "chunked" in head else b'{"inputs"')
        if ending == "half":
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 16):  # until the server closes its side
                pass
    assert infer(served, {"id": "next", "inputs": [INPUT]}).json["id"] == "next"
