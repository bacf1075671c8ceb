"""Run by the Python that has Haystack: prints, as JSON, what it sees of a server."""

import json
import sys

from haystack import Document
from haystack.components.embedders import OpenAIDocumentEmbedder, OpenAITextEmbedder
from haystack.utils import Secret


def main(rest, model, texts):
    options = {
        "model": model,
        "api_base_url": f"http://{rest}/v3",
        "api_key": Secret.from_token("unused"),
    }
    documents = [Document(content=f"document number {i}") for i in range(100)]
    many = OpenAIDocumentEmbedder(**options, batch_size=32, progress_bar=False).run(documents)
    some = OpenAIDocumentEmbedder(**options, progress_bar=False).run(
        [Document(content=text) for text in texts]
    )
    query = OpenAITextEmbedder(**options).run(texts[0])
    seen = {
        "documents": [document.embedding for document in some["documents"]],
        "query": query["embedding"],
        "query_meta": query["meta"],
        "many": [document.embedding for document in many["documents"]][::33],
        "many_meta": many["meta"],
        "short": OpenAITextEmbedder(**options, dimensions=16).run(texts[0])["embedding"],
    }
    print(json.dumps(seen))


main(**json.load(sys.stdin))
