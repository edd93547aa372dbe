"""Judging the addresses and paths that people type, before anything is sent or opened."""

import ipaddress
import os
import re
import socket
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[..., Sequence[tuple[Any, ...]]]

LONGEST_URL = 2000
_DEFAULT_PORTS = {"https": 443, "http": 80}
# Services that answer to no repository but may act on what they are sent.
_SERVICE_PORTS = frozenset(
    {
        1433,
        1521,
        2049,
        2375,
        2376,
        2379,
        3306,
        3389,
        5432,
        5672,
        6000,
        6333,
        6334,
        6379,
        9042,
    }
    | {9200, 9300, 11211, 27017}
)
# Not global, whatever the release of Python thinks of them; its lists have changed.
_NEVER_GLOBAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15"),
        *("240.0.0.0/4", "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32"),
        *("3fff::/20", "5f00::/16", "fec0::/10"),
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Where clouds hand out credentials: refused even for hosts that may be private.
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "metadata.goog"})
_METADATA = (
    ipaddress.ip_network("169.254.0.0/16"),
    ipaddress.ip_network("fd00:ec2::/32"),
    ipaddress.ip_network("100.100.100.200/32"),
    ipaddress.ip_network("fe80::/10"),
)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")
_NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_SPLIT = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#\\]*)(/[^?#]*)?([?#].*)?")
_PATH = re.compile(
    r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%(?![01][0-9A-Fa-f]|7[Ff]|5[Cc])[0-9A-Fa-f]{2})*"
)
_SCP = re.compile(r"[\w.-]+@[\w.-]+:.*|[\w-]+(\.[\w-]+)+:[^/\d].*")


class AddressRefused(Exception):
    """Somebody typed an address that must not be used; `message` says what to do instead."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Address:
    """A web address that was judged, with the numbers that its host stood for at that time."""

    scheme: str
    host: str
    port: int
    ips: tuple[str, ...]
    url: str

    @property
    def ip(self) -> str:
        return self.ips[0]

    @property
    def pin(self) -> tuple[str, str]:
        """What git needs to connect to the judged numbers only: `host:port` and them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        numbers = ",".join(f"[{ip}]" if ":" in ip else ip for ip in self.ips)
        return f"{host}:{self.port}", numbers


def check_repository_url(
    url: str,
    *,
    allowed_private_hosts: Collection[str] = (),
    resolver: Resolver = socket.getaddrinfo,
) -> Address:
    """Return the address of a repository, judged, or raise AddressRefused."""
    _refuse_other_transports(url)
    address = check_public_url(url, allowed_private_hosts=allowed_private_hosts, resolver=resolver)
    path = url.partition("://")[2].partition("/")[2]
    if not path.strip("/"):
        raise AddressRefused("The address names a server but no repository on it.")
    return address


def check_public_url(
    url: str,
    *,
    allowed_private_hosts: Collection[str] = (),
    resolver: Resolver = socket.getaddrinfo,
) -> Address:
    """Return an https address that leads to the public internet or to an allowed host.

    An entry of `allowed_private_hosts` is a name, a number or a network such as 10.0.0.0/8.
    What it names may be private and may speak http.
    """
    scheme, authority, path = _split(url)
    host, port = _split_authority(authority, scheme)
    ips = _resolve(host, port, resolver)
    allowed = _is_allowed(host, ips, allowed_private_hosts)
    if scheme != "https" and not allowed:
        raise AddressRefused("Only https addresses can be used: start it with https://.")
    if port < 1024 and port != _DEFAULT_PORTS[scheme]:
        raise AddressRefused(f"Port {port} is not one that {scheme} servers use.")
    if port in _SERVICE_PORTS:
        raise AddressRefused(f"Port {port} belongs to another kind of service.")
    if host in _METADATA_NAMES or any(_is_metadata(ip) for ip in ips):
        raise AddressRefused("That host is reserved for the machine's own use.")
    if not allowed and not all(_is_public(ip) for ip in ips):
        raise AddressRefused(
            "That host has a private address. An administrator can allow it in"
            " ALLOWED_PRIVATE_HOSTS."
        )
    shown = f"[{host}]" if ":" in host else host
    shown += "" if port == _DEFAULT_PORTS[scheme] else f":{port}"
    numbers = tuple(str(ip) for ip in ips)
    return Address(scheme, host, port, numbers, f"{scheme}://{shown}{path or '/'}")


def _refuse_other_transports(url: str) -> None:
    scheme = url.partition(":")[0].strip().lower()
    if scheme in {"ssh", "git", "git+ssh", "ssh+git"} or _SCP.fullmatch(url):
        raise AddressRefused("Use the repository's https address; ssh and git:// are not read.")
    if scheme == "file" or url.startswith(("/", "./", "../", "~")):
        raise AddressRefused("That is a path; add it as a folder of this server instead.")
    if "::" in url.partition("//")[0]:
        raise AddressRefused("Only https addresses can be used: remote helpers are not run.")


def _split(url: str) -> tuple[str, str, str]:
    if len(url) > LONGEST_URL:
        raise AddressRefused(f"The address is longer than {LONGEST_URL} characters.")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise AddressRefused(
            "The address holds a character that addresses do not have. Write an international"
            " name in its xn-- form and other characters as %-escapes."
        )
    parts = _SPLIT.fullmatch(url)
    if parts is None:
        raise AddressRefused("That is no web address: it should look like https://host/path.")
    scheme, authority, path, rest = parts.groups()
    if scheme.lower() not in _DEFAULT_PORTS:
        raise AddressRefused("Only https addresses can be used: start it with https://.")
    if rest or not _PATH.fullmatch(path or "") or re.search(r"/\.\.?(?:/|$)", path or ""):
        raise AddressRefused("The path of the address is not one: no ?, #, .. or odd escapes.")
    return scheme.lower(), authority, path or ""


def _split_authority(authority: str, scheme: str) -> tuple[str, int]:
    if "@" in authority:
        raise AddressRefused(
            "Leave the user and the password out of the address: a token belongs into an"
            " environment variable named after the host, such as GIT_TOKEN_GITHUB_COM."
        )
    parts = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(?::([0-9]{1,5}))?", authority)
    if parts is None:
        raise AddressRefused("The host or the port of the address is not one.")
    host = parts[1].lower().removesuffix(".")
    port = int(parts[2]) if parts[2] else _DEFAULT_PORTS[scheme]
    if not 0 < port < 65536:
        raise AddressRefused("The port of the address is not one.")
    if host.startswith("["):
        return _literal(host[1:-1]), port
    if not _HOST.fullmatch(host):
        raise AddressRefused("The host of the address is not one.")
    # 127.1, 0x7f.1 and 2130706433 are read differently by different programs.
    return (_literal(host) if _NUMERIC.fullmatch(host) else host), port


def _literal(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError as error:
        raise AddressRefused("The number of the host is not written as one.") from error


def _resolve(host: str, port: int, resolver: Resolver) -> list[IPAddress]:
    try:
        found = resolver(host, port, type=socket.SOCK_STREAM)
        # A zone (%eth0) comes with link-local addresses only, which are refused anyway.
        numbers = [str(entry[4][0]).partition("%")[0] for entry in found]
        ips = [ipaddress.ip_address(number) for number in dict.fromkeys(numbers)]
    except (OSError, ValueError, UnicodeError) as error:
        raise AddressRefused("The host of the address was not found.") from error
    if not ips:
        raise AddressRefused("The host of the address was not found.")
    return ips


def _is_allowed(host: str, ips: Iterable[IPAddress], entries: Collection[str]) -> bool:
    networks = []
    for entry in entries:
        if entry.strip().lower().removesuffix(".") == host:
            return True
        try:
            networks.append(ipaddress.ip_network(entry.strip()))
        except ValueError:
            continue
    return all(any(ip in network for network in networks) for ip in ips)


def _is_metadata(ip: IPAddress) -> bool:
    return any(inner in network for inner in _unwrapped(ip) for network in _METADATA)


def _is_public(ip: IPAddress) -> bool:
    return all(
        inner.is_global
        and not inner.is_multicast
        and not inner.is_reserved
        and not any(inner in network for network in _NEVER_GLOBAL)
        for inner in _unwrapped(ip)
    )


def _unwrapped(ip: IPAddress) -> list[IPAddress]:
    """Return the addresses that packets to this one may end at."""
    if isinstance(ip, ipaddress.IPv4Address):
        return [ip]
    if ip.ipv4_mapped is not None:
        return [ip.ipv4_mapped]
    if ip.sixtofour is not None:
        return [ip.sixtofour]
    if ip in _NAT64:
        return [ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)]
    return [ip]


def check_source_path(path: str | Path, *, roots: Collection[str | Path]) -> Path:
    """Return the real folder below one of the roots, or raise AddressRefused.

    A path outside of them is refused in the same words whether it exists or not.
    """
    text = os.fspath(path)
    if not text.isprintable() or len(os.fsencode(text)) > 4000:
        raise AddressRefused("The path holds characters that cannot be used, or is too long.")
    given = Path(text)
    if not given.is_absolute() or ".." in given.parts:
        raise AddressRefused("Give the whole path of the folder, from / on and without `..`.")
    for root in map(Path, roots):
        for start in (root.absolute(), root.resolve()):
            if given.is_relative_to(start):
                return _walk(root.resolve(), given.relative_to(start).parts)
    raise AddressRefused("The folder is not in one of the places that SOURCE_ROOTS names.")


def _walk(root: Path, parts: Sequence[str]) -> Path:
    folder = root
    for part in parts:
        if part.lower() == ".git" or _is_repository_store(folder):
            raise AddressRefused("That is the inside of a repository; give the repository itself.")
        folder = folder / part
        if folder.is_symlink():
            raise AddressRefused("The path leads over a symbolic link; give the real one.")
    if not folder.is_dir():
        raise AddressRefused("There is no such folder.")
    return folder


def _is_repository_store(folder: Path) -> bool:
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir()


def token_variable(host: str) -> str:
    """Return the name of the environment variable that holds the token for a host.

    No two hosts share a name, or who owns git-example.org could ask for what git.example.org gets.
    """
    name = host.removesuffix(".").upper()
    return "GIT_TOKEN_" + name.replace(".", "_").replace("-", "__").replace(":", "x")


def token_for(host: str, environ: Mapping[str, str]) -> str | None:
    """Return the token for a host, None if there is none; it is meant for that host alone."""
    return environ.get(token_variable(host), "").strip() or None
