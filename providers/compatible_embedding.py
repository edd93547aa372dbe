"""Embedding models behind the OpenAI API, whoever serves it."""

import base64
import binascii
import json
import os
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any

import httpx2
import numpy as np
import openai

from providers.embedding import (
    Effort,
    EmbedderUnavailable,
    Reach,
    Vectors,
    normalised,
    tokens_about,
)
from providers.pacing import Pace
from providers.waiting import seconds_asked_for

REQUESTS_AT_ONCE = 4
TRIES = 6
TRIES_TO_REACH = 2  # a server that is not there is tried again with the whole job
FIRST_WAIT = 0.5  # seconds, doubled with each try
LONGEST_WAIT = 90.0
PATIENCE = 60.0
PATIENCE_OF_A_SEARCH = 5.0
HALVINGS = 2
# What servers say of a text that is too long, or that they can't take for another reason.
REFUSED_TEXT = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}


class _TextRefused(Exception):
    """The server takes the request, but not these texts."""


class _TryAgain(Exception):
    """What went wrong may pass; `after` is how long the server asks to wait."""

    def __init__(self, sentence: str, *, after: float = 0.0, tries: int = TRIES) -> None:
        super().__init__(sentence)
        self.after = after
        self.tries = tries


@dataclass(slots=True)
class _Part:
    """What some of the texts came to: their vectors in order, None where one was left out."""

    rows: list[Vectors | None] = field(default_factory=list)
    tokens: int = 0

    def __add__(self, other: "_Part") -> "_Part":
        return _Part(self.rows + other.rows, self.tokens + other.tokens)


class CompatibleEmbedder:
    weight = 0.6

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        place = f"{reach.base_url} {reach.model_name}"
        self._requests = Pace(f"requests {place}", reach.requests_per_minute)
        self._tokens = Pace(f"tokens {place}", reach.tokens_per_minute)

    @cached_property
    def _client(self) -> openai.OpenAI:
        if not (self.reach.base_url and self.reach.model_name):
            raise EmbedderUnavailable("The embedding model has no address or no name.")
        return openai.OpenAI(
            base_url=self.reach.base_url,
            api_key=os.environ.get(self.reach.key_variable, "") or "none",
            max_retries=0,
        )

    def embed(self, texts: Sequence[str], effort: Effort) -> Vectors:
        size = self.reach.texts_at_once
        batches = [list(texts[start : start + size]) for start in range(0, len(texts), size)]
        pool = ThreadPoolExecutor(REQUESTS_AT_ONCE)
        asked = [pool.submit(self._batch, batch, effort.pause) for batch in batches]
        try:
            whole = sum((part.result() for part in asked), _Part())
        finally:
            pool.shutdown(cancel_futures=True)
            ended = [part for part in asked if not part.cancelled() and not part.exception()]
            # What was answered is paid for, whatever became of the rest.
            effort.tokens += sum(part.result().tokens for part in ended)
        effort.left_out |= {place for place, row in enumerate(whole.rows) if row is None}
        sizes = {len(row) for row in whole.rows if row is not None}
        nothing = np.zeros(max(sizes, default=self.reach.dimensions or 1), dtype=np.float32)
        if len(sizes) > 1:
            raise self._garbage("vectors of different sizes")
        return normalised(np.stack([nothing if row is None else row for row in whole.rows]))

    def embed_question(self, text: str) -> Vectors:
        try:
            [row], _ = self._answer([text], PATIENCE_OF_A_SEARCH)
        except _TryAgain as error:
            raise EmbedderUnavailable(str(error)) from error
        except _TextRefused as error:
            raise EmbedderUnavailable(f"{self.reach.model_name} refuses the question.") from error
        return normalised(row)

    def _batch(
        self, texts: list[str], pause: Callable[[float], None], *, is_probed: bool = False
    ) -> _Part:
        """Embed texts together; where they are refused, find out which one it was."""
        try:
            return self._request(texts, pause)
        except _TextRefused:
            if not is_probed:
                self._check_it_takes_any(pause)
        if len(texts) == 1:
            return self._shortened(texts[0], pause)
        half = len(texts) // 2
        return self._batch(texts[:half], pause, is_probed=True) + self._batch(
            texts[half:], pause, is_probed=True
        )

    def _check_it_takes_any(self, pause: Callable[[float], None]) -> None:
        try:
            self._request(["owl"], pause)
        except _TextRefused as error:
            raise EmbedderUnavailable(f"{self.reach.model_name} refuses every text.") from error

    def _shortened(self, text: str, pause: Callable[[float], None]) -> _Part:
        for halving in range(1, HALVINGS + 1):
            try:
                return self._request([text[: len(text) >> halving] or " "], pause)
            except _TextRefused:
                continue
        return _Part([None])

    def _request(self, texts: list[str], pause: Callable[[float], None]) -> _Part:
        """Ask once it is our turn, and again while what goes wrong may pass."""
        tried = 0
        while True:
            self._requests.wait(1, pause)
            self._tokens.wait(tokens_about(texts), pause)
            try:
                rows, tokens = self._answer(texts, PATIENCE)
            except _TryAgain as error:
                tried += 1
                wait = max(error.after, FIRST_WAIT * 2 ** (tried - 1) * random.uniform(0.75, 1.25))
                if tried >= error.tries or wait > LONGEST_WAIT:
                    raise EmbedderUnavailable(str(error)) from error
                pause(wait)
            else:
                return _Part(list(rows), tokens)

    def _answer(self, texts: list[str], patience: float) -> tuple[list[Vectors], int]:
        name = self.reach.model_name
        try:
            answer = self._client.embeddings.with_raw_response.create(
                model=name,
                input=[text or " " for text in texts],
                encoding_format="base64",
                timeout=patience,
            )
            said = json.loads(answer.http_response.content)
        except openai.APITimeoutError as error:
            raise _TryAgain(f"{name} did not answer in time.") from error
        except openai.APIConnectionError as error:
            raise _TryAgain(
                f"The server of {name} can't be reached.", tries=TRIES_TO_REACH
            ) from error
        except openai.APIStatusError as error:
            raise self._refusal(error) from error
        except (openai.OpenAIError, httpx2.HTTPError, ValueError) as error:
            raise self._garbage("something that can't be read") from error
        return self._read(said, texts)

    def _refusal(self, error: openai.APIStatusError) -> Exception:
        """Say in our words what a server refused; what it wrote could hold anything."""
        name, status = self.reach.model_name, error.status_code
        if status in REFUSED_TEXT:
            return _TextRefused()
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            variable = self.reach.key_variable or "which has no name yet"
            return EmbedderUnavailable(f"{name} refused the API key; check {variable}.")
        if status == HTTPStatus.NOT_FOUND:
            return EmbedderUnavailable(f"The server knows no embedding model named {name}.")
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            after = seconds_asked_for(error.response.headers.get("retry-after", ""))
            return _TryAgain(f"{name} takes no more requests for now.", after=after)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            after = seconds_asked_for(error.response.headers.get("retry-after", ""))
            return _TryAgain(f"The server of {name} answered with error {status}.", after=after)
        return EmbedderUnavailable(f"The server of {name} answered with error {status}.")

    def _read(self, said: Any, texts: list[str]) -> tuple[list[Vectors], int]:
        try:
            rows = sorted(said["data"], key=lambda row: row.get("index", 0))
            vectors = [_vector(row["embedding"]) for row in rows]
        except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
            raise self._garbage("something that is no list of vectors") from error
        if len(vectors) != len(texts):
            raise self._garbage(f"{len(vectors)} vectors for {len(texts)} texts")
        if not all(np.isfinite(vector).all() and vector.any() for vector in vectors):
            raise self._garbage("vectors that are no directions")
        wanted = self.reach.dimensions
        for size in {len(vector) for vector in vectors}:
            if wanted is not None and size != wanted:
                raise self._garbage(f"{size} dimensions where {wanted} are needed")
        return vectors, _tokens(said) or tokens_about(texts)

    def _garbage(self, what: str) -> EmbedderUnavailable:
        return EmbedderUnavailable(f"{self.reach.model_name} answered with {what}.")


def _vector(embedding: Any) -> Vectors:
    if isinstance(embedding, str):
        # Whoever can't encode sends a list; the API lets a server choose.
        decoded: Vectors = np.frombuffer(base64.b64decode(embedding), dtype="<f4")
        return decoded
    return np.asarray(embedding, dtype=np.float32).reshape(len(embedding))


def _tokens(said: dict[str, Any]) -> int:
    usage = said.get("usage") or {}
    counted = usage.get("total_tokens") or usage.get("prompt_tokens") if usage else 0
    return counted if isinstance(counted, int) and counted > 0 else 0
