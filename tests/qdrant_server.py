"""A server of the part of Qdrant's REST API that we use, which can also go wrong in many ways."""

import json
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from pydantic import BaseModel, TypeAdapter, ValidationError
from qdrant_client import QdrantClient, models
from qdrant_client.local.local_collection import LocalCollection

LocalCollection.LARGE_DATA_THRESHOLD = sys.maxsize  # else it warns, which fails our tests
INSERTED: TypeAdapter[Any] = TypeAdapter(models.PointInsertOperations)
SELECTED: TypeAdapter[Any] = TypeAdapter(models.PointsSelector)
WRONG_DIMENSION = "Wrong input: Vector dimension error: expected dim: 4, got 3"
NONSENSE = {"points": "many", "count": "few", "exists": "?", "status": 7, "collections": 1}
# What the local client says, and the status and words with which the server says it.
SAID: list[tuple[str, int, str]] = [
    (r"Collection (.+) not found", 404, r"Not found: Collection `\1` doesn't exist!"),
    (r"Collection (.+) already exists", 409, r"Wrong input: Collection `\1` already exists!"),
    (r"(?:Wrong input: )?(Vector dimension error: .+?, got \d+).*", 400, r"Wrong input: \1"),
]


class Asked(BaseHTTPRequestHandler):
    """One request, and the ways to answer it."""

    server: "QdrantServer"

    def do_GET(self) -> None:
        self.sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.path = self.path.partition("?")[0]
        with suppress(OSError):
            if self.path == "/_mode":
                self.answer(*_ordered(self.server, self.sent))
                return
            self.server.asked.append((self.command, self.path))
            FAULTS["error" if self._must_fail() else self.server.mode](self)

    do_PUT = do_POST = do_DELETE = do_PATCH = do_GET  # noqa: N815

    def _must_fail(self) -> bool:
        failing = self.server.failing
        is_refused = bool(failing) and failing in self.path and self.command == "PUT"
        return is_refused or self.server.must_fail()

    @property
    def key(self) -> str:
        """The route, by which a name of a collection is only a star."""
        key = f"{self.command} {self.path}"
        return key if key in ROUTES else re.sub(r"/collections/[^/]+", "/collections/*", key)

    def reply(self) -> tuple[int, Any]:
        """What a server that is well answers; it is also done."""
        key = self.key
        refusal = self._refused() if key != "GET /" else None
        if refusal:
            return refusal
        if key not in ROUTES:
            return 404, b""
        name = unquote("".join(self.path.split("/")[2:3]))
        try:
            body = json.loads(self.sent or b"{}")
            with self.server.lock:
                result = _plain(ROUTES[key](self.server, name, body))
        except (ValidationError, json.JSONDecodeError) as error:
            return failure(400, f"Format error in JSON body: {error}")
        except KeyError as error:
            return failure(404, f"Not found: No point with id {error.args[0]} found")
        except ValueError as error:
            return _said(str(error))
        return 200, result if key == "GET /" else success(result)

    def _refused(self) -> tuple[int, bytes] | None:
        wanted, given = self.server.api_key, self.headers.get("api-key")
        if not wanted or given == wanted:
            return None
        if given is None:
            return 401, b"Must provide an API key or an Authorization bearer token"
        return 403, b"Invalid API key or JWT"

    def answer(self, status: int, body: Any, **headers: str) -> None:
        data = self.begin(status, body, **headers)
        self.wfile.write(data)

    def begin(self, status: int, body: Any, **headers: str) -> bytes:
        """Send all but the body, which is returned."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        return data

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class QdrantServer(ThreadingHTTPServer):
    """`asked`, `created` and `indexes` tell what was done, also to what is gone since."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked, bind_and_activate=False)
        self.client = QdrantClient(":memory:")
        self.lock = threading.RLock()
        self.asked: list[tuple[str, str]] = []
        self.created: dict[str, Any] = {}
        self.indexes: dict[str, dict[str, Any]] = {}
        self.api_key = ""
        self.delay = 10.0
        self.fail_next = 0
        self.failing = ""  # a part of the paths to which no PUT succeeds
        self.over = threading.Event()
        self._mode = "well"
        self._modes = threading.Condition()
        self.server_bind()
        self._listen()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def mode(self) -> str:
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        if mode not in FAULTS:
            raise ValueError(f"There is no mode {mode}.")
        with self._modes:
            before, self._mode = self._mode, mode
            self._modes.notify_all()
            if "refuse" in {before, mode} and before != mode and not self.over.is_set():
                self._hang_up() if mode == "refuse" else self._listen()

    def refuse(self) -> None:
        self.mode = "refuse"

    def recover(self) -> None:
        self.mode = "well"

    def recover_after(self, seconds: float) -> None:
        if not self.over.wait(seconds):
            self.recover()

    def must_fail(self) -> bool:
        with self.lock:
            must, self.fail_next = self.fail_next > 0, max(0, self.fail_next - 1)
        return must

    def wait_while(self, mode: str) -> None:
        with self._modes:
            self._modes.wait_for(lambda: self.over.is_set() or self._mode != mode)

    def _listen(self) -> None:
        self.server_activate()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def _hang_up(self) -> None:
        """Refuse connections from now on, by a socket that keeps the port without listening."""
        self.shutdown()
        self._thread.join()
        self.socket.close()
        self.socket = socket.socket(self.address_family, self.socket_type)
        self.server_bind()

    def stop(self) -> None:
        self.over.set()
        with self._modes:
            self._modes.notify_all()
            self.shutdown()
            self.server_close()
            self._thread.join()


# --- Answers -------------------------------------------------------------------------------------


def success(result: Any) -> dict[str, Any]:
    return {"result": result, "status": "ok", "time": 0.001}


def failure(status: int, error: str) -> tuple[int, dict[str, Any]]:
    return status, {"status": {"error": error}, "time": 0}


def _said(error: str) -> tuple[int, dict[str, Any]]:
    for pattern, status, words in SAID:
        if found := re.fullmatch(pattern, error, re.DOTALL):
            return failure(status, found.expand(words))
    return failure(400, f"Wrong input: {error.removeprefix('Wrong input: ')}")


def _plain(result: Any) -> Any:
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json", exclude_none=True)
    if isinstance(result, dict):
        return {key: _plain(value) for key, value in result.items()}
    return [_plain(value) for value in result] if isinstance(result, list) else result


def _ordered(server: QdrantServer, sent: bytes) -> tuple[int, Any]:
    """Do what another process orders; after `seconds`, where it names them, all is well again."""
    order = json.loads(sent)
    server.delay = order.get("delay", server.delay)
    server.fail_next = order.get("fail_next", server.fail_next)
    try:
        server.mode = order.get("mode", server.mode)
    except ValueError as error:
        return failure(400, str(error))
    if seconds := order.get("seconds"):
        threading.Thread(target=server.recover_after, args=(seconds,), daemon=True).start()
    return 200, success({"mode": server.mode})


# --- Routes --------------------------------------------------------------------------------------


def create(server: QdrantServer, name: str, body: Any) -> Any:
    wanted = models.CreateCollection.model_validate(body)
    done = server.client.create_collection(
        name,
        vectors_config=wanted.vectors,
        sparse_vectors_config=wanted.sparse_vectors,
        metadata=wanted.metadata,
    )
    server.created[name], server.indexes[name] = body, {}
    return done


def describe(server: QdrantServer, name: str, body: Any) -> Any:
    """The local client forgets most of what a collection was created with."""
    info = _plain(server.client.get_collection(name))
    name = _real_name(server, name)
    given = {key: value for key, value in server.created[name].items() if value is not None}
    config = info["config"]
    config["params"] |= {
        key: given[key] for key in models.CollectionParams.model_fields.keys() & given.keys()
    }
    for kept, key in (("hnsw", "hnsw"), ("optimizer", "optimizers"), ("wal", "wal")):
        config[f"{kept}_config"] |= given.get(f"{key}_config", {})
    for key in {"quantization_config", "strict_mode_config", "metadata"} & given.keys():
        config[key] = given[key]
    info["payload_schema"] = {
        field: {"points": info["points_count"], **_schema(schema)}
        for field, schema in server.indexes[name].items()
    }
    return info


def _schema(schema: Any) -> dict[str, Any]:
    if isinstance(schema, str):
        return {"data_type": schema}
    return {"data_type": schema["type"], "params": schema}


def _real_name(server: QdrantServer, name: str) -> str:
    """Return the collection of that name or alias, which has to be there."""
    server.client.get_collection(name)
    aliases = server.client.get_aliases().aliases
    return {one.alias_name: one.collection_name for one in aliases}.get(name, name)


def create_index(server: QdrantServer, name: str, body: Any) -> Any:
    wanted = models.CreateFieldIndex.model_validate(body)
    if wanted.field_schema is None:
        raise ValueError("Field schema is missing")
    server.indexes[_real_name(server, name)][wanted.field_name] = body["field_schema"]
    return {"operation_id": 0, "status": "completed"}


def change_aliases(server: QdrantServer, name: str, body: Any) -> Any:
    wanted = models.ChangeAliasesOperation.model_validate(body)
    return server.client.update_collection_aliases(wanted.actions)


def upsert(server: QdrantServer, name: str, body: Any) -> Any:
    wanted = INSERTED.validate_python(body)
    points = wanted.batch if isinstance(wanted, models.PointsBatch) else wanted.points
    return server.client.upsert(
        name, points, update_filter=wanted.update_filter, update_mode=wanted.update_mode
    )


def retrieve(server: QdrantServer, name: str, body: Any) -> Any:
    wanted = models.PointRequest.model_validate({"with_payload": True, **body})
    return server.client.retrieve(
        name, wanted.ids, wanted.with_payload or False, wanted.with_vector or False
    )


def delete(server: QdrantServer, name: str, body: Any) -> Any:
    return server.client.delete(name, SELECTED.validate_python(body))


def query(server: QdrantServer, name: str, body: Any) -> Any:
    return _queried(server, name, [models.QueryRequest.model_validate(body)])[0]


def query_batch(server: QdrantServer, name: str, body: Any) -> Any:
    return _queried(server, name, models.QueryRequestBatch.model_validate(body).searches)


def _queried(server: QdrantServer, name: str, wanted: list[models.QueryRequest]) -> list[Any]:
    vectors = server.client.get_collection(name).config.params.vectors or {}
    if isinstance(vectors, models.VectorParams):
        vectors = {"": vectors}
    sizes = {key: params.size for key, params in vectors.items()}
    _compare_sizes(sizes, wanted)
    for one in wanted:
        if one.params:  # the local client would warn of all else that it ignores
            one.params = models.SearchParams(idf=one.params.idf)
    return server.client.query_batch_points(name, wanted)


def _compare_sizes(
    sizes: dict[str, int], wanted: Sequence[models.QueryRequest | models.Prefetch]
) -> None:
    for one in wanted:
        inner = one.prefetch or []
        _compare_sizes(sizes, inner if isinstance(inner, list) else [inner])
        vector = one.query.nearest if isinstance(one.query, models.NearestQuery) else one.query
        if not isinstance(vector, list):
            continue
        using = one.using or ""
        if using not in sizes:
            raise ValueError(f"Not existing vector name error: {using}")
        if len(vector) != sizes[using]:
            expected = sizes[using]
            raise ValueError(f"Vector dimension error: expected dim: {expected}, got {len(vector)}")


def scroll(server: QdrantServer, name: str, body: Any) -> Any:
    wanted = models.ScrollRequest.model_validate({"with_payload": True, **body})
    points, after = server.client.scroll(
        name,
        scroll_filter=wanted.filter,
        limit=10 if wanted.limit is None else wanted.limit,
        order_by=wanted.order_by,
        offset=wanted.offset,
        with_payload=wanted.with_payload or False,
        with_vectors=wanted.with_vector or False,
    )
    return {"points": points, "next_page_offset": after}


def count(server: QdrantServer, name: str, body: Any) -> Any:
    return server.client.count(name, models.CountRequest.model_validate(body).filter)


def set_payload(server: QdrantServer, name: str, body: Any) -> Any:
    wanted = models.SetPayload.model_validate(body)
    points: Any = wanted.filter if wanted.points is None else wanted.points
    return server.client.set_payload(name, wanted.payload, points, wanted.key)


ROUTES: dict[str, Callable[[QdrantServer, str, Any], Any]] = {
    "GET /": lambda server, *_: server.client.info(),
    "GET /aliases": lambda server, *_: server.client.get_aliases(),
    "GET /collections": lambda server, *_: server.client.get_collections(),
    "POST /collections/aliases": change_aliases,
    "GET /collections/*": describe,
    "PUT /collections/*": create,
    "DELETE /collections/*": lambda server, name, _: server.client.delete_collection(name),
    "GET /collections/*/aliases": lambda s, name, _: s.client.get_collection_aliases(name),
    "GET /collections/*/exists": lambda s, name, _: {"exists": s.client.collection_exists(name)},
    "PUT /collections/*/index": create_index,
    "POST /collections/*/points": retrieve,
    "PUT /collections/*/points": upsert,
    "POST /collections/*/points/count": count,
    "POST /collections/*/points/delete": delete,
    "POST /collections/*/points/payload": set_payload,
    "POST /collections/*/points/query": query,
    "POST /collections/*/points/query/batch": query_batch,
    "POST /collections/*/points/scroll": scroll,
}


# --- Faults --------------------------------------------------------------------------------------


def well(asked: Asked) -> None:
    asked.answer(*asked.reply())


def reset(asked: Asked) -> None:
    """Do what was asked, and break off in the middle of telling so."""
    data = asked.begin(*asked.reply())
    asked.wfile.write(data[: len(data) // 2])
    time.sleep(0.1)  # a reset throws away what was not read by then
    asked.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    asked.connection.close()


def delay(asked: Asked) -> None:
    asked.server.over.wait(asked.server.delay)
    well(asked)


def drip(asked: Asked) -> None:
    """Send an answer so slowly that no single wait is long."""
    data = asked.begin(*asked.reply())
    for start in range(len(data)):
        asked.wfile.write(data[start : start + 1])
        asked.wfile.flush()
        if asked.server.over.wait(0.4) or asked.server.mode != "drip":
            break


def limited(asked: Asked) -> None:
    status, body = failure(429, "Rate limiting exceeded: Read rate limit exceeded")
    asked.answer(status, body, Retry_After="1")


def dimension(asked: Asked) -> None:
    asked.answer(*(failure(400, WRONG_DIMENSION) if "/points" in asked.path else asked.reply()))


def half_open(asked: Asked) -> None:
    asked.server.wait_while("half_open")


def empty(asked: Asked) -> None:
    status, body = asked.reply()
    if status == 200 and (made := EMPTIED.get(asked.key)):
        body["result"] = made(body["result"])
    asked.answer(status, body)


EMPTIED: dict[str, Callable[[Any], Any]] = {
    "POST /collections/*/points": lambda result: [],
    "POST /collections/*/points/count": lambda result: {"count": 0},
    "POST /collections/*/points/query": lambda result: {"points": []},
    "POST /collections/*/points/query/batch": lambda result: [{"points": []} for _ in result],
    "POST /collections/*/points/scroll": lambda result: {"points": [], "next_page_offset": None},
}
FAULTS: dict[str, Callable[[Asked], None]] = {
    "well": well,
    "refuse": lambda asked: None,  # it came while the port was closed
    "reset": reset,
    "delay": delay,
    "drip": drip,
    "error": lambda asked: asked.answer(*failure(500, "Service internal error: no space left")),
    "limited": limited,
    "garbage": lambda asked: asked.answer(200, b"<html>Bad gateway"),
    "nonsense": lambda asked: asked.answer(200, success(NONSENSE)),
    "dimension": dimension,
    "half_open": half_open,
    "empty": empty,
}


@contextmanager
def qdrant_server() -> Iterator[QdrantServer]:
    server = QdrantServer()
    try:
        yield server
    finally:
        server.stop()


def main() -> None:
    """Serve until killed; the first line names the port."""
    with qdrant_server() as server:
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
