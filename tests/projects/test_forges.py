"""What GitHub's API tells, over real http on loopback, from a forge that behaves or does not."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from projects.addresses import Address, check_public_url
from projects.forges import Api, Question, ask, repository_name
from tests.projects import git_servers
from tests.projects.forge_server import FakeForge
from tests.projects.git_servers import Server, serving
from tests.projects.repositories import Repository

TOKEN = "seeded-token-7d2e"
NEST = Question(name="owl/nest")
SOON = timedelta(seconds=5)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "nest.git", bare=True)
    made.commit({"docs/a.md": "one\n", "src/app.py": "one = 1\n"})
    return made


@pytest.fixture
def forge(repository: Repository) -> FakeForge:
    return FakeForge(repository)


@pytest.fixture
def server(forge: FakeForge) -> Iterator[Server]:
    with serving(forge) as running:
        yield running


@pytest.fixture
def api(server: Server) -> Api:
    return Api(base(server), "127.0.0.1", None)


def base(server: Server, path: str = "") -> Address:
    """The judged address that the API is below."""
    url = f"http://127.0.0.1:{server.server_port}/{path}"
    return check_public_url(url, allowed_private_hosts=["127.0.0.1"])


def closed_port() -> Address:
    with serving(git_servers.status(200)) as gone:
        return base(gone)


def test_it_tells_the_repository_its_head_and_when_that_was(
    api: Api, repository: Repository
) -> None:
    told = ask(api, NEST, seconds=5)

    assert told.trouble == ""
    assert told.repository == {
        "id": 4711,
        "full_name": "owl/nest",
        "default_branch": "main",
        "is_archived": False,
    }
    assert (told.branch, told.head) == ("main", repository.head())
    assert told.committed_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_it_tells_when_the_folder_was_last_committed_to(api: Api, repository: Repository) -> None:
    later = repository.commit(
        {"docs/a.md": "one\n", "src/app.py": "one = 2\n"},
        parents=[repository.head()],
        when="2026-03-04T05:06:07+00:00",
    )

    in_docs = ask(api, replace(NEST, folder="docs"), seconds=5)
    in_src = ask(api, replace(NEST, folder="src"), seconds=5)

    assert in_docs.head == in_src.head == later
    assert (in_docs.committed_at.month, in_src.committed_at.month) == (1, 3)


def test_an_empty_repository_and_a_folder_that_is_not_there_are_no_trouble(
    api: Api, repository: Repository
) -> None:
    told = ask(api, replace(NEST, folder="nope"), seconds=5)
    assert (told.head, told.committed_at, told.trouble) == (repository.head(), None, "")

    repository.git("update-ref", "-d", "refs/heads/main")
    told = ask(api, NEST, seconds=5)
    assert (told.head, told.committed_at, told.trouble) == ("", None, "")


def test_what_has_not_changed_is_free_with_a_token(server: Server, forge: FakeForge) -> None:
    forge.token = TOKEN
    api = Api(base(server), "127.0.0.1", TOKEN)
    question = replace(NEST, folder="docs")
    first = ask(api, question, seconds=5)
    spent, asked = forge.spent, len(forge.asked)
    assert (spent, asked) == (3, 3)

    again = ask(api, replace(question, answers=first.answers), seconds=5)

    assert forge.spent == spent
    assert forge.unchanged == 2
    assert len(forge.asked) == asked + 2  # while the branch stands, its folder is not asked for
    assert (again.repository, again.head) == (first.repository, first.head)
    assert again.committed_at == first.committed_at
    assert again.quota == replace(first.quota, resets_at=again.quota.resets_at)


def test_a_validator_of_another_branch_is_not_used(api: Api, repository: Repository) -> None:
    other = repository.commit({"x": "y"}, branch="feature/x#1")
    first = ask(api, NEST, seconds=5)

    told = ask(api, replace(NEST, branch="feature/x#1", answers=first.answers), seconds=5)

    assert (told.branch, told.head) == ("feature/x#1", other)


def test_a_description_that_is_fresh_enough_is_not_asked_for(api: Api, forge: FakeForge) -> None:
    first = ask(api, NEST, seconds=5)
    forge.default_branch = "other"
    hour = replace(NEST, answers=first.answers, description_stays=timedelta(hours=1))

    second = ask(api, hour, seconds=5)
    third = ask(api, replace(hour, answers=second.answers), seconds=5)

    assert second.repository == third.repository == first.repository
    assert forge.asked.count("/repos/owl/nest") == 1
    assert third.answers["repos/owl/nest"] == first.answers["repos/owl/nest"]


def test_it_tells_how_many_questions_are_left(api: Api, forge: FakeForge) -> None:
    quota = ask(api, NEST, seconds=5).quota

    assert (quota.limit, quota.remaining) == (60, 58)
    assert abs(quota.resets_at.timestamp() - forge.resets_at) < 2


def test_out_of_quota_it_says_until_when(api: Api, forge: FakeForge) -> None:
    forge.limit = 1

    told = ask(api, NEST, seconds=5)

    until = datetime.fromtimestamp(forge.resets_at, UTC)
    assert f"takes no more requests until {until:%H:%M} UTC" in told.trouble
    assert "With a token in GIT_TOKEN_127_0_0_1 it takes more" in told.trouble
    assert (told.quota.remaining, told.quota.limit) == (0, 1)
    assert told.repository["id"] == 4711  # what was told before is kept


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({"Retry-After": "300"}, 300),
        ({"Retry-After": "999999999"}, 86_400),
        ({"Retry-After": "-5"}, 60),
        ({"Retry-After": "soon"}, 60),
        ({}, 60),
    ],
)
def test_a_forge_that_says_wait_is_left_alone_so_long(
    api: Api, forge: FakeForge, said: dict[str, str], seconds: int
) -> None:
    forge.mode, forge.headers = "secondary", said

    quota = ask(api, NEST, seconds=5).quota

    assert (quota.limit, quota.remaining) == (60, 0)
    expected = datetime.now(UTC) + timedelta(seconds=seconds)
    assert abs(quota.resets_at - expected) < SOON


def test_a_date_to_wait_for_is_understood(api: Api, forge: FakeForge) -> None:
    until = datetime.now(UTC) + timedelta(minutes=7)
    forge.mode, forge.headers = "secondary", {"Retry-After": format_datetime(until, usegmt=True)}

    assert abs(ask(api, NEST, seconds=5).quota.resets_at - until) < SOON


def test_a_quota_that_resets_in_a_year_does_not_silence_us_that_long(
    api: Api, forge: FakeForge
) -> None:
    forge.resets_at = int(time.time()) + 400 * 86_400

    quota = ask(api, NEST, seconds=5).quota

    assert quota.resets_at < datetime.now(UTC) + timedelta(days=1, seconds=5)


@pytest.mark.parametrize(
    ("mode", "token", "sentence"),
    [
        ("gone", None, "is private and needs a token in GIT_TOKEN_127_0_0_1"),
        ("gone", TOKEN, "or the token has no right to it"),
        ("strangers", None, "set GIT_TOKEN_127_0_0_1 to a token"),
        ("strangers", TOKEN, "is wrong or has expired"),
        ("refused", TOKEN, "give it the right to read contents"),
        ("refused", None, "set GIT_TOKEN_127_0_0_1"),
        ("broken", None, "answers with an error (500)"),
        ("garbage", None, "not JSON"),
        ("deep", None, "not JSON"),
        ("other", None, "something else than a repository"),
        ("odd branch", None, "something else than a repository"),
        ("endless", None, "more than a megabyte"),
    ],
)
def test_what_goes_wrong_is_a_sentence_that_says_what_to_do(
    server: Server, forge: FakeForge, mode: str, token: str | None, sentence: str
) -> None:
    forge.mode = mode

    told = ask(Api(base(server), "127.0.0.1", token), NEST, seconds=5)

    assert sentence in told.trouble
    assert TOKEN not in told.trouble
    assert told.repository == {}


@pytest.mark.parametrize("mode", ["slow", "drip"])
def test_a_slow_forge_is_left_when_the_time_is_up(api: Api, forge: FakeForge, mode: str) -> None:
    forge.mode = mode
    started = time.monotonic()

    told = ask(api, NEST, seconds=1)

    assert time.monotonic() - started < 2.5
    assert told.trouble == "The API of 127.0.0.1 did not answer within 1 seconds."


def test_a_forge_that_is_not_there_is_no_error() -> None:
    told = ask(Api(closed_port(), "127.0.0.1", None), NEST, seconds=5)

    assert told.trouble == "The API of 127.0.0.1 could not be reached."


def test_the_second_number_of_a_host_is_tried_when_the_first_is_silent(api: Api) -> None:
    address = replace(api.address, ips=("127.9.9.9", "127.0.0.1"))

    assert ask(replace(api, address=address), NEST, seconds=5).trouble == ""


def test_the_name_is_said_and_not_looked_up_again(server: Server, forge: FakeForge) -> None:
    judged = base(server)
    renamed = replace(
        judged, host="forge.invalid", url=judged.url.replace("127.0.0.1", "forge.invalid")
    )

    assert ask(Api(renamed, "forge.invalid", None), NEST, seconds=5).trouble == ""


def test_a_renamed_repository_is_followed_and_its_new_name_told(
    api: Api, forge: FakeForge, repository: Repository
) -> None:
    told = ask(api, Question(name="old/name"), seconds=5)

    assert (told.trouble, told.head) == ("", repository.head())
    assert told.repository["full_name"] == "owl/nest"
    assert [path.partition("?")[0] for path in forge.asked] == [
        "/repos/old/name",
        "/repos/owl/nest",
        "/repos/owl/nest/commits",
    ]


def test_a_redirect_to_another_server_is_not_followed(server: Server, forge: FakeForge) -> None:
    forge.mode = "redirect"
    with serving(git_servers.status(200)) as other:
        forge.elsewhere = f"http://127.0.0.1:{other.server_port}"
        told = ask(Api(base(server), "127.0.0.1", TOKEN), NEST, seconds=5)

    assert "redirects to another server" in told.trouble
    assert other.requests == []


def test_a_redirect_in_a_circle_ends(server: Server, forge: FakeForge) -> None:
    forge.mode, forge.elsewhere = "redirect", ""

    told = ask(Api(base(server), "127.0.0.1", None), NEST, seconds=5)

    assert "(301)" in told.trouble
    assert len(forge.asked) == 2


def test_a_branch_that_is_not_there_is_named(api: Api) -> None:
    told = ask(api, replace(NEST, branch="nope"), seconds=5)

    assert told.trouble == "The repository has no branch named nope."


def test_an_api_below_a_path_is_asked_there(server: Server, forge: FakeForge) -> None:
    told = ask(Api(base(server, "api/v3"), "127.0.0.1", None), NEST, seconds=5)

    assert told.trouble == ""
    assert forge.asked[0] == "/api/v3/repos/owl/nest"


@pytest.mark.parametrize(
    ("given", "sent"), [(TOKEN, TOKEN), (f"somebody:{TOKEN}", TOKEN), (None, "")]
)
def test_the_token_is_sent_as_a_bearer(
    server: Server, forge: FakeForge, given: str | None, sent: str
) -> None:
    ask(Api(base(server), "127.0.0.1", given), NEST, seconds=5)

    assert forge.tokens == {f"Bearer {sent}" if sent else ""}


@pytest.mark.parametrize("token", ["töken", "to\nken"])
def test_what_cannot_be_a_token_is_not_sent(api: Api, forge: FakeForge, token: str) -> None:
    told = ask(replace(api, token=token), NEST, seconds=5)

    assert "holds characters that a token cannot have" in told.trouble
    assert forge.asked == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("owl/nest", "owl/nest"),
        ("owl/nest.git", "owl/nest"),
        ("owl/nest/", "owl/nest"),
        ("owl", ""),
        ("a/b/c", ""),
        ("owl/ne%73t", ""),
    ],
)
def test_a_repository_is_named_by_owner_and_name(path: str, name: str) -> None:
    url = f"http://127.0.0.1:1080/{path}"
    assert repository_name(check_public_url(url, allowed_private_hosts=["127.0.0.1"])) == name
