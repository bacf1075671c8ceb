"""Run by the Python that has tritonclient: asks a server over TLS with a key; prints, as JSON, what came back."""

import json
import ssl
import sys

import numpy as np
import tritonclient.grpc as rpc
import tritonclient.http as http
from tritonclient.utils import InferenceServerException


def main(grpc, rest, authority, key):
    headers = {"authorization": f"Bearer {key}"}
    with open(authority, "rb") as file:
        certificates = file.read()
    channel = rpc.InferenceServerClient(grpc, ssl=True, root_certificates=authority)
    web = http.InferenceServerClient(
        rest,
        ssl=True,
        ssl_context_factory=lambda: ssl.create_default_context(cadata=certificates.decode()),
    )
    print(
        json.dumps(
            {
                "live": [channel.is_server_live(), web.is_server_live()],
                "echo": [echo(channel, rpc, headers), echo(web, http, headers)],
                "refusals": [refusal(channel, rpc), refusal(web, http)],
            }
        )
    )


def echo(client, module, headers):
    tensor = module.InferInput("x", [1, 2], "FP32")
    tensor.set_data_from_numpy(np.array([[0.5, 2]], np.float32))
    return client.infer("echo", [tensor], headers=headers).as_numpy("x").tolist()


def refusal(client, module):
    try:
        echo(client, module, {})
    except InferenceServerException as error:
        return error.status()
    return None


main(*sys.argv[1:])
