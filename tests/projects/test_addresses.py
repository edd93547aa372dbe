"""Which addresses and paths may be used."""

import socket
from pathlib import Path
from typing import Any

import pytest

from projects.addresses import (
    Address,
    AddressRefused,
    check_public_url,
    check_repository_url,
    check_source_path,
    token_for,
    token_variable,
)
from tests.projects.repositories import Repository

PUBLIC = "140.82.121.4"
NAMES = {
    "git.example.org": [PUBLIC],
    "six.example.org": ["2606:50c0:8000::153", PUBLIC],
    "private.example.org": ["10.0.0.7"],
    "half.example.org": [PUBLIC, "127.0.0.1"],
    "127.0.0.1.evil.test": ["127.0.0.1"],
    "localhost": ["127.0.0.1", "::1"],
    "metadata.google.internal": ["169.254.169.254"],
    "fake-metadata.example.org": ["169.254.169.254"],
    "dns64.example.org": ["64:ff9b::8c52:7904"],
    "xn--bcher-kva.example": [PUBLIC],
    "zoned.example.org": ["fe80::1%eth0"],
    "nothing.example.org": [],
}


def resolver(host: str, port: int, **options: Any) -> list[tuple[Any, ...]]:
    """Resolve the names above, and numbers as the C library does."""
    assert 0 < port < 65536
    if host in NAMES:
        found = NAMES[host]
    else:
        try:
            return socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST, **options)
        except socket.gaierror:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port)) for number in found]


def check(url: str, *allowed: str) -> Address:
    return check_repository_url(url, allowed_private_hosts=allowed, resolver=resolver)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://git.example.org/a/b.git", "https://git.example.org/a/b.git"),
        ("HTTPS://GIT.Example.ORG/a/B", "https://git.example.org/a/B"),
        ("https://git.example.org./a", "https://git.example.org/a"),
        ("https://git.example.org:443/a", "https://git.example.org/a"),
        ("https://git.example.org:8443/a", "https://git.example.org:8443/a"),
        ("https://git.example.org/~alice/my%20repo", "https://git.example.org/~alice/my%20repo"),
        ("https://140.82.121.4/a", "https://140.82.121.4/a"),
        ("https://[2606:50C0:8000:0::153]/a", "https://[2606:50c0:8000::153]/a"),
        ("https://xn--bcher-kva.example/a", "https://xn--bcher-kva.example/a"),
        ("https://dns64.example.org/a", "https://dns64.example.org/a"),
    ],
)
def test_public_addresses_are_taken_in_one_way_of_writing(url: str, expected: str) -> None:
    assert check(url).url == expected


def test_an_address_carries_the_numbers_that_were_judged() -> None:
    address = check("https://six.example.org/a")

    assert address.ip == "2606:50c0:8000::153"
    assert address.pin == ("six.example.org:443", f"[2606:50c0:8000::153],{PUBLIC}")
    assert check("https://[2606:50c0:8000::153]/a").pin[0] == "[2606:50c0:8000::153]:443"


PRIVATE_HOSTS = [
    "127.0.0.1",
    "127.0.0.2",
    "localhost",
    "LOCALHOST.",
    "0.0.0.0",
    "0",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::7f00:1]",
    "0177.1",
    "017700000001",
    "0x7f.1",
    "0x7f000001",
    "2130706433",
    "127.1",
    "127.000.000.001",
    "127.0.0.1.evil.test",
    "10.0.0.2",
    "172.16.0.2",
    "192.168.1.2",
    "[::ffff:c0a8:102]",
    "[fc00::1]",
    "[fe80::1]",
    "100.64.0.1",
    "169.254.169.254",
    "[::ffff:a9fe:a9fe]",
    "[fd00:ec2::254]",
    "255.255.255.255",
    "0377.0377.0377.0377",
    "0xff.0xff.0xff.0xff",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::]",
    "[2001::1]",
    "[2001:db8::1]",
    "[ff02::1]",
    "224.0.0.1",
    "240.0.0.1",
    "198.18.0.1",
    "192.0.0.8",
    "192.88.99.1",
    "metadata.google.internal",
    "fake-metadata.example.org",
    "half.example.org",
    "private.example.org",
    "zoned.example.org",
    "nothing.example.org",
    "unknown.example.org",
    "1.2.3",
    "1.2.3.4.5",
    "0x7f.0.0.1",
    "127.0.0.0x1",
    "[fe80::1%25eth0]",
    "[v1.x]",
    "[]",
    "100.100.100.200",
]


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
@pytest.mark.parametrize("port", ["", ":443", ":9201"])
def test_what_is_not_on_the_public_internet_is_refused(host: str, port: str) -> None:
    for scheme in ("https", "http"):
        with pytest.raises(AddressRefused):
            check(f"{scheme}://{host}{port}/a")


@pytest.mark.parametrize("port", ["22", "25", "80", "0", "1", "1023", "6379", "5432", "6333"])
def test_ports_of_other_services_are_refused(port: str) -> None:
    with pytest.raises(AddressRefused):
        check(f"https://git.example.org:{port}/a")


@pytest.mark.parametrize(
    "port", ["65536", "99999", "9" * 27, "-1", "+443", "4 43", "443a", "0x1bb"]
)
def test_what_is_no_port_is_refused(port: str) -> None:
    with pytest.raises(AddressRefused):
        check(f"https://git.example.org:{port}/a")


MALFORMED = [
    "",
    " ",
    "git.example.org",
    "git.example.org/a/b",
    "https:git.example.org/a",
    "https:/git.example.org/a",
    "http:/localhost:9201",
    "http://:8080",
    "https://",
    "https:///a",
    "//git.example.org/a",
    "\\\\git.example.org\\a",
    "https:\\\\git.example.org\\a",
    "https://git.example.org\\@127.0.0.1/a",
    "https://git.example.org/a\\b",
    "https://127.0.0.1#@git.example.org/a",
    "https://git.example.org#@127.0.0.1/a",
    "https://git.example.org?@127.0.0.1/a",
    "https://git.example.org@127.0.0.1/a",
    "https://a:b@c@git.example.org/",
    "https://user:password@git.example.org/a",
    "https://git.example.org/a?service=x",
    "https://git.example.org/a#b",
    "https://git.example.org/a/../b",
    "https://git.example.org/..",
    "https://git.example.org/%0d%0aX:",
    "https://git.example.org/%0Aa",
    "https://git.example.org/%00",
    "https://git.example.org/%5c",
    "https://git.example.org/%zz",
    "https://git.example.org/a b",
    "https://git.example.org/a\nb",
    "https://git.example.org/a\r\nHost: x",
    "https://git.example.org\n/a",
    "\nhttps://git.example.org/a",
    " https://git.example.org/a",
    "https://git.example.org/a\n",
    "ht\ttps://git.example.org/a",
    "https://git.exam\tple.org/a",
    "https://git.example.org/\x00",
    "https://git.example.org/\x7f",
    "https://git.example.org/ü",
    "https://bücher.example/a",
    "https://faß.example/a",
    "https://\uff47\uff49\uff54.example.org/a",
    "https://git。example.org/a",
    "https://git\u00ad.example.org/a",
    "https://①②⑦.⓪.⓪.①/a",
    "https://-git.example.org/a",
    "https://git-.example.org/a",
    "https://git_example.org/a",
    "https://git..example.org/a",
    "https://.example.org/a",
    "https://git.example.org../a",
    "https://" + "a" * 64 + ".example.org/a",
    "https://" + "a." * 550 + "org/a",
    "https://git.example.org/" + "a" * 2000,
    "https://[::1/a",
    "https://::1/a",
    "https://[1.2.3.4]x/a",
    "https://%31%32%37.0.0.1/a",
    "https://git.example.org",
    "https://git.example.org/",
    "https://git.example.org//",
]


@pytest.mark.parametrize("url", MALFORMED)
def test_what_two_programs_could_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        check(url)
    with pytest.raises(AddressRefused):
        check(url.replace("https", "http", 1), "git.example.org", "127.0.0.0/8")


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("git@github.com:a/b.git", "https address"),
        ("github.com:a/b.git", "https address"),
        ("ssh://git@github.com/a/b", "https address"),
        ("ssh://-oProxyCommand=x/a", "https address"),
        ("ssh://-oProxyCommand=x@h/a", "https address"),
        ("git+ssh://h/a", "https address"),
        ("git://h:1%0d%0aHELO/", "https address"),
        ("file:///etc", "folder of this server"),
        ("/srv/code", "folder of this server"),
        ("../code", "folder of this server"),
        ("~/code", "folder of this server"),
        ("ext::sh -c id", "not run"),
        ("fd::17", "not run"),
        ("ftp://git.example.org/a", "https"),
        ("gopher://git.example.org/a", "https"),
        ("dict://git.example.org/a", "https"),
        ("javascript:alert(1)", "https"),
        ("http://git.example.org/a", "https"),
        ("--upload-pack=x", "https"),
        ("-u./x", "https"),
        ("https://token@git.example.org/a", "environment variable"),
        ("https://private.example.org/a", "ALLOWED_PRIVATE_HOSTS"),
        ("https://bücher.example/a", "xn--"),
    ],
)
def test_refusals_say_what_to_do_instead(url: str, hint: str) -> None:
    with pytest.raises(AddressRefused, match=hint) as caught:
        check(url)

    assert caught.value.message.endswith(".")
    assert "token@" not in caught.value.message
    assert PUBLIC not in caught.value.message


# --- Hosts that may be private --------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://private.example.org/a", "private.example.org"),
        ("http://private.example.org/a", "Private.Example.org."),
        ("http://private.example.org:8080/a", "10.0.0.0/8"),
        ("https://10.0.0.2/a", "10.0.0.2"),
        ("http://127.0.0.1:9201/a", "127.0.0.1"),
        ("http://[::1]:9201/a", "::1"),
        ("http://localhost:9201/a", "localhost"),
    ],
)
def test_an_allowed_host_may_be_private_and_speak_http(url: str, allowed: str) -> None:
    assert check(url, "other.example.org", allowed).url == url


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://169.254.169.254/a", "169.254.169.254"),
        ("https://fake-metadata.example.org/a", "fake-metadata.example.org"),
        ("https://fake-metadata.example.org/a", "169.254.0.0/16"),
        ("https://metadata.google.internal/a", "metadata.google.internal"),
        ("https://[fd00:ec2::254]/a", "fd00:ec2::254"),
        ("https://[::ffff:a9fe:a9fe]/a", "::ffff:a9fe:a9fe"),
        ("https://private.example.org:22/a", "private.example.org"),
        ("https://private.example.org:6379/a", "private.example.org"),
        ("http://private.example.org:443/a", "private.example.org"),
        ("https://private.example.org/a", "10.0.0.0/9999"),
        ("https://private.example.org/a", "example.org"),
        ("https://private.example.org/a", "10.1.0.0/16"),
        ("https://private.example.org/a", ""),
        ("https://half.example.org/a", "127.0.0.0/8"),
        ("https://127.0.0.1.evil.test/a", "127.0.0.1.evil"),
    ],
)
def test_allowing_a_host_opens_nothing_else(url: str, allowed: str) -> None:
    with pytest.raises(AddressRefused):
        check(url, allowed)


def test_a_name_that_changes_its_mind_was_judged_once() -> None:
    answers = [[PUBLIC], ["127.0.0.1"]]

    def rebinding(host: str, port: int, **options: Any) -> list[tuple[Any, ...]]:
        return [(2, 1, 6, "", (number, port)) for number in answers.pop(0)]

    address = check_repository_url("https://git.example.org/a", resolver=rebinding)

    assert address.pin == ("git.example.org:443", PUBLIC)
    with pytest.raises(AddressRefused):
        check_repository_url("https://git.example.org/a", resolver=rebinding)


def test_other_web_addresses_need_no_path() -> None:
    assert check_public_url("https://git.example.org", resolver=resolver).url == (
        "https://git.example.org/"
    )
    with pytest.raises(AddressRefused):
        check_public_url("https://10.0.0.2/v1", resolver=resolver)


# --- Paths of this machine ------------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "repo" / "docs").mkdir(parents=True)
    (tmp_path / "root" / "file").write_text("x")
    (tmp_path / "root_outside" / "repo").mkdir(parents=True)
    return tmp_path / "root"


@pytest.mark.parametrize("below", ["", "repo", "repo/", "repo/docs", "repo//docs", "./repo"])
def test_a_folder_below_a_root_is_taken(root: Path, below: str) -> None:
    assert check_source_path(f"{root}/{below}", roots=["/nowhere", root]) == root / below


def test_roots_may_be_reached_over_a_link_and_given_as_text(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)

    assert check_source_path(f"{tmp_path}/link/repo", roots=[f"{tmp_path}/link"]) == root / "repo"
    assert check_source_path(root / "repo", roots=[f"{tmp_path}/link/"]) == root / "repo"


@pytest.mark.parametrize(
    "path",
    [
        "/etc",
        "{root}_outside/repo",
        "{root}_missing",
        "{root}/../root_outside",
        "{root}/repo/../../root_outside/repo",
        "{root}/missing",
        "{root}/file",
        "{root}/file/x",
        "{root}/repo\n",
        "{root}/re\x00po",
        "{root}/repo\x1b",
        "repo",
        "./repo",
        "~/repo",
        "file://{root}/repo",
        "",
        "/",
        "{root}/" + "a" * 5000,
    ],
)
def test_other_paths_are_refused(root: Path, path: str) -> None:
    with pytest.raises(AddressRefused):
        check_source_path(path.format(root=root), roots=[root])


def test_links_below_a_root_are_refused(root: Path, tmp_path: Path) -> None:
    (root / "out").symlink_to(tmp_path / "root_outside")
    (root / "repo" / "in").symlink_to(root / "repo" / "docs")

    for path in ("out", "out/repo", "repo/in"):
        with pytest.raises(AddressRefused, match="symbolic link"):
            check_source_path(root / path, roots=[root])


def test_the_inside_of_a_repository_is_refused(root: Path) -> None:
    Repository(root / "repo")
    bare = Repository(root / "bare.git", bare=True)

    assert check_source_path(bare.path, roots=[root]) == bare.path
    for path in ("repo/.git", "repo/.git/refs", "bare.git/objects", "repo/.GIT"):
        with pytest.raises(AddressRefused):
            check_source_path(root / path, roots=[root])


def test_outside_of_the_roots_nobody_learns_what_exists(root: Path, tmp_path: Path) -> None:
    said = set()
    for path in (tmp_path / "root_outside", tmp_path / "root_missing", Path("/etc/passwd")):
        with pytest.raises(AddressRefused) as caught:
            check_source_path(path, roots=[root])
        said.add(caught.value.message)

    assert len(said) == 1


def test_without_roots_no_path_is_taken(root: Path) -> None:
    with pytest.raises(AddressRefused, match="SOURCE_ROOTS"):
        check_source_path(root, roots=[])


# --- Tokens -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "variable"),
    [
        ("github.com", "GIT_TOKEN_GITHUB_COM"),
        ("GitLab.example-corp.org.", "GIT_TOKEN_GITLAB_EXAMPLE__CORP_ORG"),
        ("10.0.0.7", "GIT_TOKEN_10_0_0_7"),
        ("::1", "GIT_TOKEN_xx1"),
    ],
)
def test_a_token_is_in_a_variable_named_after_its_host(host: str, variable: str) -> None:
    assert token_variable(host) == variable
    assert token_for(host, {variable: " secret\n"}) == "secret"


def test_a_look_alike_host_is_not_given_the_token() -> None:
    environ = {token_variable("git.example.org"): "secret"}

    for host in ("git-example.org", "git.example-org", "git--example.org", "evil.git.example.org"):
        assert token_for(host, environ) is None


@pytest.mark.parametrize("environ", [{}, {"GIT_TOKEN_GITHUB_COM": " "}, {"GIT_TOKEN": "x"}])
def test_no_token_is_none(environ: dict[str, str]) -> None:
    assert token_for("github.com", environ) is None
