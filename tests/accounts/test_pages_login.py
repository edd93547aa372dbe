import pytest
from django.test import Client
from django.urls import reverse

from accounts.throttling import TRIES_FROM_ONE_ADDRESS
from tests.conftest import PASSWORD

LOGIN = "/login/"


@pytest.fixture
def browser(db) -> Client:
    return Client()


def enter(browser: Client, name: str = "alice", password: str = PASSWORD, **fields: str):
    return browser.post(LOGIN, {"username": name, "password": password, **fields})


def test_who_knows_the_password_comes_in(browser: Client, alice) -> None:
    answer = enter(browser)

    assert answer.url == "/"
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize(
    ("name", "password"),
    [("alice", "wrong"), ("nobody", PASSWORD), ("alice", ""), ("", ""), ("' OR 1=1 --", "x")],
)
def test_all_others_hear_the_same(browser: Client, alice, name: str, password: str) -> None:
    answer = enter(browser, name, password)

    assert answer.status_code == 200
    assert "_auth_user_id" not in browser.session
    if name and password:
        assert "The name or the password is not right." in answer.content.decode()


@pytest.mark.parametrize("change", ["deactivated", "deleted"])
def test_people_who_left_hear_the_same(browser: Client, alice, change: str) -> None:
    if change == "deleted":
        alice.soft_delete()
    else:
        type(alice).objects.update(is_active=False)

    assert "The name or the password is not right." in enter(browser).content.decode()


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_guessing_is_refused_before_the_password_is_looked_at(
    browser: Client, alice, name: str, monkeypatch
) -> None:
    for _ in range(TRIES_FROM_ONE_ADDRESS):
        assert enter(browser, name, "wrong").status_code == 200

    asked = []
    monkeypatch.setattr("django.contrib.auth.forms.authenticate", lambda *a, **k: asked.append(1))
    answer = enter(browser, name)

    assert answer.status_code == 429
    assert "Too many tries" in answer.content.decode()
    assert not asked


def test_a_forged_address_does_not_reset_the_count(browser: Client, alice) -> None:
    for number in range(TRIES_FROM_ONE_ADDRESS):
        browser.post(
            LOGIN,
            {"username": "alice", "password": "wrong"},
            headers={"X-Forwarded-For": f"192.0.2.{number}"},
        )

    assert enter(browser).status_code == 429


def test_without_redis_the_page_says_so(browser: Client, alice, settings) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }

    answer = enter(browser)

    assert answer.status_code == 503
    assert "Redis does not answer" in answer.content.decode()


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/help/", "/help/"),
        ("/projects/new/?a=b", "/projects/new/?a=b"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_the_way_on_stays_on_this_site(browser: Client, alice, wanted: str, reached: str) -> None:
    assert enter(browser, next=wanted).url == reached
    assert browser.get(LOGIN, {"next": wanted}).url == reached  # signed in already


def test_a_page_asked_for_is_reached_after_signing_in(browser: Client, alice) -> None:
    first = browser.get("/help/")

    assert first.url == "/login/?next=/help/"
    form = browser.get(first.url).content.decode()
    assert '<input type="hidden" name="next" value="/help/">' in form


def test_the_session_is_a_new_one_after_signing_in(browser: Client, alice) -> None:
    session = browser.session
    session["kept"] = "x"
    session.save()
    before = session.session_key

    enter(browser)

    assert browser.session.session_key != before


def test_signing_out_takes_a_click_and_not_a_link(client_for, alice) -> None:
    client = client_for(alice)

    assert client.get(reverse("logout")).status_code == 405
    assert client.post(reverse("logout")).url == "/login/"
    assert client.get("/").url == "/login/?next=/"


def test_forms_from_elsewhere_are_refused(alice) -> None:
    browser = Client(enforce_csrf_checks=True)

    answer = enter(browser)

    assert answer.status_code == 403
    assert "The form was too old" in answer.content.decode()


def test_the_page_asks_the_database_for_nothing(browser: Client, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        assert browser.get(LOGIN).status_code == 200


def test_the_page_is_not_kept_by_browsers(browser: Client) -> None:
    assert "no-store" in browser.get(LOGIN)["Cache-Control"]
