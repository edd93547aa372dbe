"""How a reader and its worker talk: frames of a length and that many bytes, over pipes."""

import json
import struct
from array import array
from dataclasses import asdict
from typing import IO
from uuid import UUID

from knowledge.reading import Asked, Content

_LENGTH = struct.Struct(">Q")
LONGEST = 1_000_000_000  # a reader that claims more is broken


class ConnectionEnded(Exception):
    """The other side is gone, or no longer itself."""


def send_question(pipe: IO[bytes], asked: Asked) -> None:
    about = {
        "path": asked.path,
        "project_id": str(asked.project_id),
        "document_id": str(asked.document_id),
        "collection": asked.collection,
        "metadata": dict(asked.metadata),
        "by_lines": asked.by_lines,
    }
    _send(pipe, json.dumps(about).encode(), asked.data)


def receive_question(pipe: IO[bytes]) -> Asked:
    about = json.loads(_receive(pipe))
    project, document = UUID(about.pop("project_id")), UUID(about.pop("document_id"))
    return Asked(data=_receive(pipe), project_id=project, document_id=document, **about)


def send_content(pipe: IO[bytes], content: Content) -> None:
    about = asdict(content)
    text = about.pop("text").encode("utf-8", "surrogatepass")
    rows, terms = about.pop("rows"), about.pop("terms")
    parts = (text, rows, array("q", terms).tobytes(), array("q", terms.values()).tobytes())
    _send(pipe, json.dumps(about).encode(), *parts)


def receive_content(pipe: IO[bytes]) -> Content:
    about = json.loads(_receive(pipe))
    text, rows = _receive(pipe).decode("utf-8", "surrogatepass"), _receive(pipe)
    terms, counts = array("q", _receive(pipe)), array("q", _receive(pipe))
    return Content(**about, text=text, rows=rows, terms=dict(zip(terms, counts, strict=True)))


def _send(pipe: IO[bytes], *parts: bytes) -> None:
    for part in parts:
        pipe.write(_LENGTH.pack(len(part)))
        pipe.write(part)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes:
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    if length > LONGEST:
        raise ConnectionEnded
    return _exactly(pipe, length)


def _exactly(pipe: IO[bytes], length: int) -> bytes:
    data = pipe.read(length)
    if len(data) < length:
        raise ConnectionEnded
    return data
