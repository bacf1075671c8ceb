"""Answer a question from a folder of documents: chunks, vectors, retrieval, rerank, prompt."""

import argparse
from pathlib import Path

import httpx
from langchain_core.documents import Document
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langchain_qdrant import QdrantVectorStore
from langchain_text_splitters import RecursiveCharacterTextSplitter
from qdrant_client import QdrantClient
from qdrant_client.models import Distance, VectorParams

HERE = Path(__file__).parent
COLLECTION = "documents"
PROMPT = """Answer the question from the context alone.

{context}

Question: {question}
"""


def main() -> None:
    args = arguments()
    # Without the check, texts are sent; with it, token ids of a vocabulary that is not the model's.
    embeddings = OpenAIEmbeddings(
        model=args.model,
        base_url=args.url,
        api_key="unused",
        check_embedding_ctx_length=False,
    )
    chunks = read(args.documents)
    found = index(chunks, embeddings, args.store).similarity_search(
        args.question, k=args.candidates
    )
    if args.rerank_model:
        found = rerank(args.url, args.rerank_model, args.question, found)
    prompt = PROMPT.format(context=quoted(found[: args.keep]), question=args.question)
    if args.chat_url:
        chat = ChatOpenAI(model=args.chat_model, base_url=args.chat_url, api_key="unused")
        print(chat.invoke(prompt).content)
    else:
        print(prompt)


def read(folder: Path) -> list[Document]:
    """The chunks of every Markdown or text file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in {".md", ".txt"})
    documents = [
        Document(file.read_text("utf-8"), metadata={"source": file.name}) for file in files
    ]
    splitter = RecursiveCharacterTextSplitter(chunk_size=600, chunk_overlap=80)
    return splitter.split_documents(documents)


def index(chunks: list[Document], embeddings: OpenAIEmbeddings, folder: Path) -> QdrantVectorStore:
    """The vectors of the chunks, in a store on disk. It is made anew when it does not hold as many."""
    client = QdrantClient(path=str(folder))
    if client.collection_exists(COLLECTION):
        if client.count(COLLECTION).count == len(chunks):
            return QdrantVectorStore(client, COLLECTION, embeddings)
        client.delete_collection(COLLECTION)
    size = len(embeddings.embed_query("how long is a vector?"))
    client.create_collection(COLLECTION, VectorParams(size=size, distance=Distance.COSINE))
    store = QdrantVectorStore(client, COLLECTION, embeddings)
    store.add_documents(chunks)
    return store


def rerank(url: str, model: str, question: str, found: list[Document]) -> list[Document]:
    """The same chunks, in the order in which the reranker finds them to answer the question."""
    body = {"model": model, "query": question, "documents": [one.page_content for one in found]}
    answer = httpx.post(f"{url}/rerank", json=body, timeout=60).raise_for_status().json()
    return [found[result["index"]] for result in answer["results"]]


def quoted(chunks: list[Document]) -> str:
    return "\n\n".join(f"[{one.metadata['source']}] {one.page_content}" for one in chunks)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("question")
    parser.add_argument("--url", default="http://127.0.0.1:8000/v3")
    parser.add_argument("--model", default="sentence-transformers/all-MiniLM-L6-v2")
    parser.add_argument("--documents", type=Path, default=HERE / "documents")
    parser.add_argument("--store", type=Path, default=HERE / "store")
    parser.add_argument("--candidates", type=int, default=8, help="chunks to retrieve")
    parser.add_argument("--keep", type=int, default=2, help="chunks to put into the prompt")
    parser.add_argument("--rerank_model")
    parser.add_argument("--chat_url")
    parser.add_argument("--chat_model", default="default")
    return parser.parse_args()


if __name__ == "__main__":
    main()
