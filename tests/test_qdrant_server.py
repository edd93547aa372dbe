"""The fake of Qdrant answers its own client as Qdrant would, and goes wrong as it is told."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from tests.qdrant_server import QdrantServer, qdrant_server

EAST, NORTH, NORTHEAST = [1.0, 0, 0, 0], [0, 1.0, 0, 0], [1.0, 1.0, 0, 0]
ONE, TWO, THREE = (f"{number:08x}-0000-0000-0000-000000000000" for number in (1, 2, 3))


@pytest.fixture
def server() -> Iterator[QdrantServer]:
    with qdrant_server() as running:
        yield running


@pytest.fixture
def client(server: QdrantServer) -> Iterator[QdrantClient]:
    client = QdrantClient(server.url, timeout=5, check_compatibility=False)
    yield client
    client.close()


def create(client: QdrantClient, name: str = "texts", size: int = 4) -> None:
    dense = models.VectorParams(
        size=size, distance=models.Distance.COSINE, datatype=models.Datatype.FLOAT16
    )
    client.create_collection(
        name,
        vectors_config={"meaning": dense},
        sparse_vectors_config={"words": models.SparseVectorParams(modifier=models.Modifier.IDF)},
        hnsw_config=models.HnswConfigDiff(m=16, payload_m=8),
        quantization_config=models.ScalarQuantization(
            scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True)
        ),
    )


def point(
    one: str, vector: list[float], project: str, words: dict[int, float] | None = None
) -> models.PointStruct:
    counted = words or {7: 1.0}
    sparse = models.SparseVector(indices=list(counted), values=list(counted.values()))
    return models.PointStruct(
        id=one,
        vector={"meaning": vector, "words": sparse},
        payload={"project": project, "nothing": None},
    )


def fill(client: QdrantClient, name: str = "texts") -> None:
    create(client, name)
    points = [point(ONE, EAST, "a"), point(TWO, NORTHEAST, "a"), point(THREE, NORTH, "b")]
    client.upsert(name, points)


def of(*projects: str) -> models.Filter:
    match = models.MatchAny(any=list(projects))
    return models.Filter(must=[models.FieldCondition(key="project", match=match)])


def near(client: QdrantClient, vector: list[float], **asked: Any) -> list[str]:
    params = models.SearchParams(
        quantization=models.QuantizationSearchParams(rescore=True, oversampling=2.0)
    )
    found = client.query_points("texts", vector, using="meaning", search_params=params, **asked)
    return [str(one.id) for one in found.points]


def refused(ask: Callable[[], object]) -> tuple[int | None, str]:
    with pytest.raises(UnexpectedResponse) as caught:
        ask()
    return caught.value.status_code, caught.value.structured()["status"]["error"]


def test_the_nearest_of_those_that_pass_the_filter_come_first(client: QdrantClient):
    fill(client)
    assert near(client, EAST) == [ONE, TWO, THREE]
    assert near(client, EAST, limit=1, offset=1) == [TWO]
    assert near(client, EAST, query_filter=of("b")) == [THREE]
    one_is = models.FieldCondition(key="project", match=models.MatchValue(value="a"))
    named = models.HasIdCondition(has_id=[TWO, THREE])
    assert near(client, EAST, query_filter=models.Filter(must=[one_is, named])) == [TWO]
    found = client.query_points("texts", NORTH, using="meaning", with_payload=["project"]).points
    assert (found[0].score, found[0].payload) == (pytest.approx(1), {"project": "b"})


def test_a_batch_of_queries_is_answered_in_order(client: QdrantClient):
    fill(client)
    asked = [
        models.QueryRequest(query=vector, using="meaning", limit=1) for vector in (NORTH, EAST)
    ]
    answers = client.query_batch_points("texts", asked)
    assert [answer.points[0].id for answer in answers] == [THREE, ONE]


def test_the_best_of_two_ways_of_searching_are_fused(client: QdrantClient):
    fill(client)
    word = models.SparseVector(indices=[7], values=[1.0])
    ways = [
        models.Prefetch(query=word, using="words", filter=of("b")),
        models.Prefetch(query=EAST, using="meaning", limit=1),
    ]
    fusion = models.FusionQuery(fusion=models.Fusion.RRF)
    found = client.query_points("texts", fusion, prefetch=ways).points
    assert {one.id for one in found} == {ONE, THREE}


def test_words_weigh_by_their_rarity_in_the_corpus_that_is_named(client: QdrantClient):
    create(client)
    common, rare = {1: 1.0}, {2: 1.0}
    ids = (f"{number:08x}-0000-0000-0000-000000000000" for number in range(9))
    client.upsert(
        "texts", [point(one, EAST, "a", common) for one, _ in zip(ids, "12", strict=False)]
    )
    client.upsert("texts", [point(next(ids), EAST, "a", rare)])
    client.upsert("texts", [point(one, EAST, "b", rare) for one in ids])

    def scores(**idf: Any) -> dict[int, float]:
        both = models.SparseVector(indices=[1, 2], values=[1.0, 1.0])
        found = client.query_points(
            "texts",
            both,
            using="words",
            query_filter=of("a"),
            with_vectors=["words"],
            search_params=models.SearchParams(**idf),
        )
        return {one.vector["words"].indices[0]: one.score for one in found.points}

    everywhere = scores()
    assert everywhere[1] > everywhere[2]
    here = scores(idf=models.IdfCorpusParams(corpus=of("a")))
    assert here[2] > here[1]


def test_points_are_taken_as_a_list_and_as_a_batch(client: QdrantClient):
    create(client)
    client.upsert("texts", [point(ONE, EAST, "a")])
    batch = models.Batch(ids=[TWO, 3], vectors={"meaning": [EAST, NORTH]}, payloads=[{}, {"a": 1}])
    assert client.upsert("texts", batch).status == models.UpdateStatus.COMPLETED
    assert {one.id for one in client.scroll("texts")[0]} == {ONE, TWO, 3}


def test_points_are_read_counted_changed_and_deleted(client: QdrantClient):
    fill(client)
    page, after = client.scroll("texts", limit=2)
    assert ([one.id for one in page], after) == ([ONE, TWO], THREE)
    page, after = client.scroll("texts", limit=2, offset=after)
    assert ([one.id for one in page], after) == ([THREE], None)

    client.set_payload("texts", {"version": 2}, [ONE])
    client.set_payload("texts", {"version": 3}, of("b"))
    missing = refused(lambda: client.set_payload("texts", {}, [4]))
    assert missing == (404, "Not found: No point with id 4 found")
    read = client.retrieve("texts", [ONE, THREE, 4], with_vectors=["meaning"])
    assert [one.payload and one.payload["version"] for one in read] == [2, 3]
    assert read[0].payload == {"project": "a", "nothing": None, "version": 2}
    assert read[0].vector == {"meaning": EAST}

    client.delete("texts", [ONE, 4])
    client.delete("texts", models.FilterSelector(filter=of("b")))
    assert client.count("texts").count == client.count("texts", of("a")).count == 1


def test_a_collection_tells_how_it_was_created(client: QdrantClient, server: QdrantServer):
    fill(client)
    tenant = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True)
    client.create_payload_index("texts", "project", tenant)
    client.create_payload_index("texts", "version", models.PayloadSchemaType.INTEGER)
    info = client.get_collection("texts")
    assert info.config.params.vectors["meaning"].size == 4
    assert info.config.params.vectors["meaning"].datatype == models.Datatype.FLOAT16
    assert info.config.params.sparse_vectors["words"].modifier == models.Modifier.IDF
    assert info.config.quantization_config.scalar.type == models.ScalarType.INT8
    assert (info.config.hnsw_config.payload_m, info.config.hnsw_config.ef_construct) == (8, 100)
    assert (info.points_count, info.status) == (3, models.CollectionStatus.GREEN)
    assert info.payload_schema["project"].params == tenant
    assert info.payload_schema["version"].data_type == models.PayloadSchemaType.INTEGER
    assert server.indexes["texts"]["version"] == "integer"
    assert server.created["texts"]["hnsw_config"] == {"m": 16, "payload_m": 8}
    assert server.asked[:2] == [
        ("PUT", "/collections/texts"),
        ("PUT", "/collections/texts/points"),
    ]


def change(old: str | None, new: str) -> list[models.AliasOperations]:
    made = models.CreateAlias(collection_name=new, alias_name="now")
    begin = [models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name="now"))]
    return [*(begin if old else []), models.CreateAliasOperation(create_alias=made)]


def test_an_alias_serves_as_a_name(client: QdrantClient, server: QdrantServer):
    fill(client)
    client.update_collection_aliases(change(None, "texts"))
    client.create_payload_index("now", "project", models.PayloadSchemaType.KEYWORD)
    assert server.indexes == {"texts": {"project": "keyword"}}
    assert client.get_collection("now").payload_schema["project"].points == 3
    assert client.collection_exists("now")
    assert client.count("now").count == len(client.scroll("now")[0]) == 3
    client.delete("now", [ONE])
    assert client.query_points("now", EAST, using="meaning").points[0].id == TWO
    aliases = client.get_aliases().aliases
    assert [(one.alias_name, one.collection_name) for one in aliases] == [("now", "texts")]
    assert client.get_collection_aliases("texts").aliases == aliases
    assert client.delete_collection("texts")
    assert not client.delete_collection("texts")
    assert client.get_aliases().aliases == client.get_collections().collections == []


def test_an_alias_is_there_all_the_while_it_is_switched(client: QdrantClient):
    for name in ("old", "new"):
        fill(client, name)
    client.update_collection_aliases(change(None, "old"))
    over = threading.Event()
    counted: list[int] = []

    def count() -> None:
        while not over.is_set():
            counted.append(client.count("now").count)

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(30):
        client.update_collection_aliases(change("now", ("new", "old")[number % 2]))
    over.set()
    for thread in threads:
        thread.join()
    assert set(counted) == {3}


def test_what_does_not_fit_is_refused_in_the_words_of_the_server(client: QdrantClient):
    create(client)
    unknown = (404, "Not found: Collection `none` doesn't exist!")
    assert refused(lambda: client.get_collection("none")) == unknown
    assert refused(lambda: client.count("none")) == unknown
    assert refused(lambda: client.upsert("none", [point(ONE, EAST, "a")])) == unknown
    assert refused(lambda: client.query_points("none", EAST, using="meaning")) == unknown
    assert refused(lambda: client.update_collection_aliases(change(None, "none"))) == unknown
    assert not client.collection_exists("none")
    twice = (409, "Wrong input: Collection `texts` already exists!")
    assert refused(lambda: create(client)) == twice
    wrong = (400, "Wrong input: Vector dimension error: expected dim: 4, got 3")
    assert refused(lambda: client.upsert("texts", [point(ONE, EAST[:3], "a")])) == wrong
    assert refused(lambda: client.query_points("texts", EAST[:3], using="meaning")) == wrong
    misnamed = (400, "Wrong input: Not existing vector name error: sense")
    assert refused(lambda: client.query_points("texts", EAST, using="sense")) == misnamed


def test_what_cannot_be_parsed_is_refused(server: QdrantServer, client: QdrantClient):
    create(client)
    points = f"{server.url}/collections/texts/points"
    for body in (b"{not json", b'{"points": [{"vector": [1]}]}'):
        answer = httpx.put(points, content=body)
        assert answer.status_code == 400
        assert answer.json()["status"]["error"].startswith("Format error in JSON body")
    assert httpx.get(f"{server.url}/nowhere").status_code == 404


def test_a_key_is_asked_for_where_one_is_set(server: QdrantServer):
    server.api_key = "secret"
    collections = f"{server.url}/collections"
    assert httpx.get(collections).status_code == 401
    assert httpx.get(collections, headers={"api-key": "guess"}).status_code == 403
    assert httpx.get(collections, headers={"api-key": "secret"}).status_code == 200
    assert httpx.get(server.url).json()["title"] == "qdrant - vector search engine"


@pytest.mark.parametrize(
    ("mode", "raised", "told"),
    [
        ("error", UnexpectedResponse, "500"),
        ("limited", ResourceExhaustedResponse, "Rate limiting exceeded"),
        ("garbage", ValueError, "Expecting value"),
        ("nonsense", ResponseHandlingException, "validation error"),
        ("dimension", UnexpectedResponse, "expected dim: 4, got 3"),
        ("reset", ResponseHandlingException, "reset by peer"),
        ("refuse", ResponseHandlingException, "refused"),
    ],
)
def test_each_way_of_going_wrong_reaches_the_client_until_all_is_well_again(
    client: QdrantClient, server: QdrantServer, mode: str, raised: type[Exception], told: str
):
    fill(client)
    server.mode = mode
    for ask in (lambda: near(client, EAST), lambda: client.count("texts")):
        with pytest.raises(raised, match=told):
            ask()
    server.mode = "well"
    assert near(client, EAST) == [ONE, TWO, THREE]


def test_no_answer_makes_sense_to_the_client(client: QdrantClient, server: QdrantServer):
    fill(client)
    server.mode = "nonsense"
    for ask in (
        client.info,
        client.get_collections,
        client.get_aliases,
        lambda: client.collection_exists("texts"),
        lambda: client.get_collection("texts"),
        lambda: client.delete_collection("texts"),
        lambda: client.update_collection_aliases(change(None, "texts")),
        lambda: client.upsert("texts", [point(ONE, EAST, "a")]),
        lambda: client.delete("texts", [ONE]),
        lambda: client.retrieve("texts", [ONE]),
        lambda: client.scroll("texts"),
        lambda: client.query_batch_points("texts", []),
    ):
        with pytest.raises(ResponseHandlingException):
            ask()


def test_a_port_that_refused_listens_again(client: QdrantClient, server: QdrantServer):
    for _ in range(3):
        server.refuse()
        with pytest.raises(ResponseHandlingException, match="refused"):
            client.get_collections()
        server.recover()
        assert client.get_collections().collections == []
    server.refuse()  # and is stopped so


def test_one_that_finds_nothing_still_knows_its_collections(
    client: QdrantClient, server: QdrantServer
):
    fill(client)
    server.mode = "empty"
    assert near(client, EAST) == client.retrieve("texts", [ONE]) == []
    asked = models.QueryRequest(query=EAST, using="meaning")
    assert [a.points for a in client.query_batch_points("texts", [asked, asked])] == [[], []]
    assert client.scroll("texts") == ([], None)
    assert client.count("texts").count == 0
    assert client.get_collection("texts").points_count == 3
    assert refused(lambda: client.count("none"))[0] == 404


def test_the_next_requests_fail_and_those_after_them_do_not(
    client: QdrantClient, server: QdrantServer
):
    server.fail_next = 2
    for _ in range(2):
        assert refused(client.get_collections)[0] == 500
    assert client.get_collections().collections == []


def test_a_late_answer_comes_after_all(client: QdrantClient, server: QdrantServer):
    server.mode, server.delay = "delay", 0.2
    begun = time.monotonic()
    assert client.get_collections().collections == []
    assert time.monotonic() - begun >= 0.2


def test_no_answer_comes_until_the_mode_changes(client: QdrantClient, server: QdrantServer):
    server.mode = "half_open"
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(server.url, timeout=0.2)
    timer = threading.Timer(0.2, server.recover)
    timer.start()
    with pytest.raises(ResponseHandlingException, match="disconnected"):
        client.get_collections()
    timer.join()
    assert client.get_collections().collections == []


@pytest.mark.parametrize("mode", ["delay", "half_open"])
def test_stopping_waits_for_nobody(mode: str):
    with qdrant_server() as server:
        server.mode = mode
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(server.url, timeout=0.1)
        begun = time.monotonic()
    assert time.monotonic() - begun < 1


def test_another_process_serves_and_is_told_how_to_go_wrong():
    root = Path(__file__).parent.parent
    command = [sys.executable, "-m", "tests.qdrant_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            assert process.stdout is not None
            url = f"http://127.0.0.1:{int(process.stdout.readline())}"
            for mode, status in (("error", 500), ("limited", 429), ("well", 200)):
                assert httpx.post(f"{url}/_mode", json={"mode": mode}).status_code == 200
                assert httpx.get(f"{url}/collections").status_code == status
            assert httpx.post(f"{url}/_mode", json={"mode": "unheard of"}).status_code == 400
            httpx.post(f"{url}/_mode", json={"mode": "refuse", "seconds": 1})
            with pytest.raises(httpx.ConnectError):
                httpx.get(f"{url}/collections")
            with httpx.Client(transport=httpx.HTTPTransport(retries=5)) as patient:
                assert patient.get(f"{url}/collections").status_code == 200
        finally:
            process.terminate()
