"""Run by the Python that has LiteLLM: prints, as JSON, what it sees of a server."""

import json
import sys

import litellm


def main(rest, model, texts):
    def embed(input, name=model, **options):
        return litellm.embedding(
            model=f"openai/{name}",
            input=input,
            api_base=f"http://{rest}/v3",
            api_key="unused",
            **options,
        )

    answer = embed(texts)
    seen = {
        "documents": vectors(answer),
        "floats": vectors(embed(texts, encoding_format="float")),
        "short": vectors(embed(texts[:1], dimensions=16, allowed_openai_params=["dimensions"])),
        "usage": [answer.usage.prompt_tokens, answer.usage.total_tokens],
        "model": answer.model,
        "too_long": refusal(lambda: embed(["word " * 1000])),
        "unknown": refusal(lambda: embed(["x"], "gone")),
    }
    print(json.dumps(seen))


def vectors(answer):
    return [item["embedding"] for item in answer.data]


def refusal(call):
    try:
        call()
    except Exception as error:
        return [type(error).__name__, str(error)]
    return None


main(**json.load(sys.stdin))
