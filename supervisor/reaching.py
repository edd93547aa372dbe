"""The address that people will use: free before the start, answering after it."""

import errno
import http.client
import socket
from contextlib import closing
from urllib.parse import urlsplit

from supervisor.configuration import Configuration
from supervisor.refusals import CannotStart


def refuse_taken_port(host: str, port: int) -> None:
    """Return if the web process will be able to listen there."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise CannotStart(f"HOST is {host!r}, which is no address of this machine.") from error
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise CannotStart(_why(error, host, port)) from error


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"{host}:{port} is taken by another program:"
            f" stop that one, or start with another port, such as PORT={port + 1} make run."
        )
    if error.errno == errno.EACCES:
        return f"Only root may listen on port {port}: set PORT to a number above 1023."
    return f"Nightowl cannot listen on {host}:{port}: {error.strerror}."


def is_healthy(configuration: Configuration) -> bool:
    """Whether the web process answers, without an error of its own."""
    parts = urlsplit(configuration.local_address)
    public_name = urlsplit(configuration.address).netloc
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    with closing(connection):
        try:
            connection.request("GET", "/healthz", headers={"Host": public_name})
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
