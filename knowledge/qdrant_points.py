"""Qdrant as a store of points: the one place that talks to it."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from heapq import nlargest
from itertools import chain
from typing import Any
from uuid import UUID

import numpy as np
from django.conf import settings
from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from knowledge.points import (
    GREATEST_VERSION,
    NO_DIRECTION,
    Asked,
    Held,
    Layout,
    Near,
    Point,
    PointId,
    PointsLost,
    PointsUnavailable,
)
from providers.embedding import Vectors

MEANING, WORDS = "meaning", "words"
PROJECT, VERSION, TEXT = "project", "version", "text"  # what a point tells beside its vectors
PAGE = 1000
WRITING_SECONDS = 60
LINKS = 16  # of a point in the graph of all, and in that of its project
OVERSAMPLING = 2.0  # how many more int8 chooses than are asked for, before whole numbers decide
COLLECTIONS_AT_ONCE = 16
IN_THIS_PROCESS = ":memory:"
NOBODY = UUID(int=0)
LONGEST_SAID = 200
UNREADABLE = (ValueError, TypeError, AttributeError, AssertionError, ArithmeticError, RuntimeError)

logger = logging.getLogger(__name__)
logging.getLogger("httpx").setLevel(logging.WARNING)  # else a line for each request


class QdrantPoints:
    """Collections of a Qdrant server; with `:memory:` as its address, of this process alone."""

    def __init__(self, address: str, key: str) -> None:
        # As `api_key` the client would warn at each start where a network of one's own has no TLS.
        headers = {"api-key": key} if key else {}

        def connect(seconds: int) -> QdrantClient:
            try:
                return QdrantClient(
                    address, timeout=seconds, headers=headers, check_compatibility=False
                )
            except ValueError as error:
                raise PointsUnavailable("QDRANT_URL or QDRANT_API_KEY can't be used.") from error

        self._writing = connect(WRITING_SECONDS)
        self._is_here = address == IN_THIS_PROCESS
        self._reading = self._writing if self._is_here else connect(settings.QDRANT_TIMEOUT)
        self._threads = ThreadPoolExecutor(COLLECTIONS_AT_ONCE, thread_name_prefix="qdrant")

    # --- Collections ---------------------------------------------------------------------------

    def create(self, name: str, layout: Layout) -> None:
        with _talking():
            self._writing.delete_collection(name)
            self._writing.create_collection(
                name,
                vectors_config={
                    MEANING: models.VectorParams(
                        size=layout.dimensions,
                        distance=models.Distance.COSINE,
                        datatype=models.Datatype.FLOAT16,
                    )
                },
                sparse_vectors_config={
                    WORDS: models.SparseVectorParams(
                        modifier=models.Modifier.IDF,
                        index=models.SparseIndexParams(on_disk=True),
                    )
                },
                # Links within a project, so that a search of one walks no other's points.
                hnsw_config=models.HnswConfigDiff(m=LINKS, payload_m=LINKS),
                quantization_config=_int8() if layout.is_quantized else None,
            )
            if not self._is_here:
                self._writing.create_payload_index(
                    name,
                    PROJECT,
                    models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True),
                )

    def remove(self, name: str) -> None:
        with _talking():
            self._writing.delete_collection(name)

    def names(self) -> list[str]:
        with _talking():
            return [found.name for found in self._writing.get_collections().collections]

    def aliases(self) -> dict[str, str]:
        with _talking():
            found = self._writing.get_aliases().aliases
            return {one.alias_name: one.collection_name for one in found}

    def point_aliases(self, wanted: Mapping[str, str], unwanted: Iterable[str]) -> None:
        there = self.aliases()
        removed = [alias for alias in chain(wanted, unwanted) if alias in there]
        changes: list[Any] = [
            models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias))
            for alias in dict.fromkeys(removed)
        ]
        changes += [
            models.CreateAliasOperation(
                create_alias=models.CreateAlias(collection_name=name, alias_name=alias)
            )
            for alias, name in wanted.items()
        ]
        if changes:
            with _talking():
                self._writing.update_collection_aliases(changes)

    # --- Writing -------------------------------------------------------------------------------

    def keep(self, name: str, points: Sequence[Point]) -> None:
        with _talking():
            self._writing.upsert(name, [_struct(point) for point in points], wait=True)

    def forget(self, name: str, ids: Sequence[PointId]) -> None:
        with _talking():
            selected = models.PointIdsList(points=list(map(_sent, ids)))
            self._writing.delete(name, selected, wait=True)

    # --- Searching -----------------------------------------------------------------------------

    def nearest(self, names: Sequence[str], vector: Vectors, asked: Asked) -> list[Near]:
        params = models.SearchParams(
            quantization=models.QuantizationSearchParams(rescore=True, oversampling=OVERSAMPLING)
        )
        found = self._in_each(names, asked, vector.tolist(), MEANING, params)
        return nlargest(asked.limit, chain.from_iterable(found), key=lambda near: near.score)

    def by_words(
        self, names: Sequence[str], words: Mapping[int, float], asked: Asked
    ) -> list[Near]:
        query = models.SparseVector(indices=list(words), values=list(words.values()))
        # How rare a word is among the passages of these projects, not among everybody's.
        corpus = models.Filter(must=[_of_projects(asked.projects)])
        params = models.SearchParams(idf=models.IdfCorpusParams(corpus=corpus))
        return list(chain.from_iterable(self._in_each(names, asked, query, WORDS, params)))

    def _in_each(
        self,
        names: Sequence[str],
        asked: Asked,
        query: Any,
        using: str,
        params: models.SearchParams,
    ) -> list[list[Near]]:
        wanted = models.Filter(must=[_of_projects(asked.projects)])

        def ask(name: str) -> list[Near]:
            with _talking():
                answer = self._reading.query_points(
                    name,
                    query,
                    using=using,
                    query_filter=wanted,
                    search_params=None if self._is_here and using == MEANING else params,
                    limit=asked.limit,
                    with_payload=[VERSION],
                )
                return list(map(_near, answer.points))

        if self._is_here:
            return [ask(name) for name in names]
        # The client's own limit is for each piece of an answer, not for all of it.
        asking = [self._threads.submit(ask, name) for name in names]
        _, late = wait(asking, timeout=settings.QDRANT_TIMEOUT)
        if late:
            raise PointsUnavailable("Qdrant does not answer in time.")
        return [one.result() for one in asking]

    # --- Comparing -----------------------------------------------------------------------------

    def held(self, name: str, ids: Sequence[UUID]) -> dict[PointId, Held]:
        with _talking():
            found = self._writing.retrieve(
                name, list(map(_sent, ids)), with_payload=True, with_vectors=False
            )
            held = [_held(record) for record in found]
        return {one.id: one for one in held}

    def all_held(self, name: str) -> Iterator[list[Held]]:
        after: Any = None
        while True:
            with _talking():
                found, after = self._writing.scroll(
                    name, limit=PAGE, offset=after, with_payload=True, with_vectors=False
                )
                page = [_held(record) for record in found]
            yield page
            if after is None:
                return


@contextmanager
def _talking() -> Iterator[None]:
    """Turn whatever goes wrong in talking to the server into one error with a sentence."""
    try:
        yield
    except UnexpectedResponse as error:
        said = error.content[:LONGEST_SAID].decode("utf-8", "replace")
        logger.warning("Qdrant answered %s: %r", error.status_code, said)
        lacks = error.status_code in {400, 404} and ("Collection" in said or "imension" in said)
        kind = PointsLost if lacks else PointsUnavailable
        raise kind(f"Qdrant answered {error.status_code}.") from error
    except (ApiException, QdrantException, OSError) as error:
        raise PointsUnavailable("Qdrant does not answer.") from error
    # What is no JSON, or of another shape, fails in whatever reads it.
    except (LookupError, *UNREADABLE) as error:
        said = str(error)
        # As the store within the process says it.
        if said.startswith("Collection ") or "imension" in said:
            raise PointsLost("Qdrant lacks a collection, or has it in another shape.") from error
        raise PointsUnavailable("Qdrant answers what can't be read.") from error


def _int8() -> models.ScalarQuantization:
    return models.ScalarQuantization(
        scalar=models.ScalarQuantizationConfig(
            type=models.ScalarType.INT8, quantile=0.99, always_ram=True
        )
    )


def _of_projects(project_ids: Sequence[UUID]) -> models.FieldCondition:
    match = models.MatchAny(any=[str(one) for one in project_ids])
    return models.FieldCondition(key=PROJECT, match=match)


def _struct(point: Point) -> models.PointStruct:
    held = point.held
    return models.PointStruct(
        id=str(held.id),
        payload={PROJECT: str(held.project_id), VERSION: held.version, TEXT: held.text},
        vector={
            MEANING: np.asarray(point.meaning, dtype=np.float32).tolist(),
            WORDS: models.SparseVector(
                indices=list(point.words), values=list(point.words.values())
            ),
        },
    )


def _sent(one: PointId) -> str | int:
    return one if isinstance(one, int) else str(one)


def _near(point: models.ScoredPoint) -> Near:
    """Return a hit; of somebody else's point or a damaged one, one that is no passage."""
    version = (point.payload or {}).get(VERSION)
    if isinstance(point.id, int) or not isinstance(version, int) or version > GREATEST_VERSION:
        return Near(NOBODY, -1, point.score)
    # Only what has no direction scores exactly 0.
    return Near(UUID(str(point.id)), max(version, -1), point.score or NO_DIRECTION)


def _held(record: models.Record) -> Held:
    """Return what a point tells; of somebody else's or a damaged one, that it is nothing ours."""
    told = record.payload or {}
    one = record.id if isinstance(record.id, int) else UUID(str(record.id))
    try:
        project_id, version = UUID(str(told.get(PROJECT))), int(told.get(VERSION, -1))
    except (TypeError, ValueError, OverflowError):
        project_id, version = NOBODY, -1
    return Held(one, project_id, version, str(told.get(TEXT, "")))
