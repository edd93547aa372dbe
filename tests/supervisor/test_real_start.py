"""Nightowl itself: from an empty home to pages, through a crash, and to a clean end."""

import http.cookiejar
import re
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator

import pytest

from tests.supervisor.conftest import (
    OURS,
    ROOT,
    a_free_port,
    remove_home,
    run_supervisor,
    short_folder,
    supervisor_environment,
)
from tests.supervisor.toy import Product

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def nightowl() -> Iterator[Product]:
    """Nightowl after its first start, in a home that is kept for the tests that follow."""
    with short_folder() as folder:
        product = Product(ROOT, folder / "home", a_free_port())
        yield product
        remove_home(product.home)


def manage(nightowl: Product, *arguments: str) -> str:
    environment = supervisor_environment(nightowl.home)
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={name: value for name, value in environment.items() if name not in OURS},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def sign_in(nightowl: Product, user: str, password: str) -> str:
    """Where a browser is after it has signed in."""
    cookies = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    with browser.open(f"{nightowl.address}/login/", timeout=30) as page:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.read().decode())
    assert token
    form = {"csrfmiddlewaretoken": token[1], "username": user, "password": password}
    data = urllib.parse.urlencode(form).encode()
    with browser.open(f"{nightowl.address}/login/", data, timeout=30) as page:
        where: str = page.geturl()
        return where


def test_the_password_of_the_first_start_opens_the_door(nightowl: Product) -> None:
    with nightowl.running():
        shown = re.search(r"user: (\S+)\n\s+password: (\S+)", nightowl.printed)
        assert shown

        assert "/login/" in sign_in(nightowl, shown[1], "not-the-password")
        assert sign_in(nightowl, shown[1], shown[2]) == f"{nightowl.address}/"
        assert "nightowl" in manage(nightowl, "shell", "-c", LIST_PROJECTS).split()


def test_a_start_after_a_crash_shows_no_password_and_keeps_everything(nightowl: Product) -> None:
    process = nightowl.start()
    nightowl.read_until(process, "Ctrl-C stops everything")
    process.kill()
    process.communicate(timeout=10)

    with nightowl.running():
        assert "nightowl" in manage(nightowl, "shell", "-c", LIST_PROJECTS).split()

    assert "Ended what an earlier start had left running" in nightowl.printed
    assert "password: " not in nightowl.printed.replace("another password: ", "")


def test_nothing_of_it_is_left_after_the_end(nightowl: Product) -> None:
    assert list((nightowl.home / "run").glob("*.process")) == []
    assert (nightowl.home / "environment").stat().st_mode & 0o777 == 0o600
    assert (nightowl.home / "secret-key").stat().st_mode & 0o777 == 0o600


def test_the_same_home_serves_a_command_afterwards(nightowl: Product) -> None:
    done = run_supervisor(nightowl.home, "exec", "--", "true")

    assert done.returncode == 0, done.stderr


LIST_PROJECTS = """
from projects.models import Project
for project in Project.objects.all():
    print(project.name)
"""
