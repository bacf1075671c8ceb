"""Run by the Python that has langchain-openai: prints, as JSON, what it sees of a server."""

import asyncio
import json
import sys

import openai
from langchain_openai import OpenAIEmbeddings


def main(rest, model, texts):
    def client(**options):
        return OpenAIEmbeddings(
            model=model, base_url=f"http://{rest}/v3", api_key="unused", **options
        )

    texts_as_they_are = client(check_embedding_ctx_length=False)
    seen = {
        "documents": texts_as_they_are.embed_documents(texts),
        "query": texts_as_they_are.embed_query(texts[0]),
        "awaited": asyncio.run(texts_as_they_are.aembed_documents(texts)),
        "thousand": texts_as_they_are.embed_documents([f"text {i}" for i in range(1000)])[::333],
        "short": client(check_embedding_ctx_length=False, dimensions=16).embed_query(texts[0]),
        "empty_by_default": client().embed_documents([""]),
        "ids_by_default": refusal(lambda: client().embed_documents(["日本語 Ünïcödé 🎉"])),
        "unknown": refusal(
            lambda: OpenAIEmbeddings(
                model="gone",
                base_url=f"http://{rest}/v3",
                api_key="unused",
                check_embedding_ctx_length=False,
            ).embed_query("x")
        ),
    }
    print(json.dumps(seen))


def refusal(call):
    try:
        call()
    except openai.APIStatusError as error:
        return [error.status_code, str(error)]
    return None


main(**json.load(sys.stdin))
