"""Run by the Python that has llama-index-embeddings-openai: prints, as JSON, what it sees of a server."""

import asyncio
import json
import sys

import openai
from llama_index.embeddings.openai import OpenAIEmbedding


def main(rest, model, texts):
    def client(name=model, **options):
        return OpenAIEmbedding(
            model_name=name, api_base=f"http://{rest}/v3", api_key="unused", **options
        )

    lines = [f"line one of {i}\nline two of {i}" for i in range(250)]
    seen = {
        "documents": client(embed_batch_size=100).get_text_embedding_batch(texts),
        "query": client().get_query_embedding(texts[0]),
        "awaited": asyncio.run(client().aget_text_embedding_batch(texts)),
        "lines": client(embed_batch_size=100).get_text_embedding_batch(lines)[::83],
        "short": client(dimensions=16).get_text_embedding(texts[0]),
        "unknown": refusal(lambda: client("gone").get_text_embedding("x")),
    }
    print(json.dumps(seen))


def refusal(call):
    try:
        call()
    except openai.APIStatusError as error:
        return [error.status_code, str(error)]
    return None


main(**json.load(sys.stdin))
