import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, User
from tests.conftest import PASSWORD

NEW = "a better staple battery"


@pytest.fixture
def account(client_for, alice):
    client = client_for(alice)

    def send(form: str, **fields: str):
        return client.post(reverse("account"), {"form": form, **fields})

    send.client = client
    return send


def test_the_page_shows_who_one_is(account) -> None:
    page = account.client.get(reverse("account")).content.decode()

    assert "<code>alice</code>" in page
    assert 'value="Alice"' in page


def test_name_and_address_are_changed(account, alice) -> None:
    account("profile", name="Alice B.", email="alice@example.org")

    alice.refresh_from_db()
    assert (alice.name, alice.email) == ("Alice B.", "alice@example.org")
    assert AuditEntry.objects.filter(actor_id=alice.pk, action="changed").exists()


@pytest.mark.parametrize("email", ["not an address", "BOB@example.org"])
def test_an_address_that_cannot_be_is_told(account, alice, bob, email: str) -> None:
    User.objects.filter(pk=bob.pk).update(email="bob@example.org")

    answer = account("profile", name="Mallory", email=email)

    assert answer.status_code == 400
    assert "field__error" in answer.content.decode()
    assert "<span>Alice</span>" in answer.content.decode()
    alice.refresh_from_db()
    assert alice.email == ""


def test_nobody_makes_themselves_an_admin(account, alice) -> None:
    account("profile", name="Alice", email="", role="admin", is_active="", username="root")

    alice.refresh_from_db()
    assert (alice.role, alice.is_active, alice.username) == ("user", True, "alice")


def test_the_password_is_changed_and_other_browsers_are_out(account, alice) -> None:
    other = Client()
    other.force_login(alice)

    account("password", old_password=PASSWORD, new_password1=NEW, new_password2=NEW)

    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert account.client.get(reverse("account")).status_code == 200
    assert other.get(reverse("account")).status_code == 302


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("wrong", NEW, NEW),
        (PASSWORD, NEW, "other"),
        (PASSWORD, "short", "short"),
        (PASSWORD, "", ""),
    ],
)
def test_a_password_that_cannot_be_is_told(account, alice, old: str, new: str, again: str) -> None:
    answer = account("password", old_password=old, new_password1=new, new_password2=again)

    assert answer.status_code == 400
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_theme_sticks(account, theme: str) -> None:
    account("theme", theme=theme)

    assert f'data-theme="{theme}"' in account.client.get("/help/").content.decode()


def test_a_theme_can_follow_the_system_again(account) -> None:
    account("theme", theme="dark")
    account("theme", theme="")

    assert "data-theme" not in account.client.get("/help/").content.decode()


@pytest.mark.parametrize("theme", ["purple", '"><script>', "dark "])
def test_other_themes_are_not_taken(account, theme: str) -> None:
    assert account("theme", theme=theme).status_code == 400
    account.client.cookies["nightowl-theme"] = theme
    assert "data-theme" not in account.client.get("/help/").content.decode()


def test_the_page_takes_few_queries(account, django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(5):
        account.client.get(reverse("account"))
