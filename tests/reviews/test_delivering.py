"""A digest reaches whoever wants it: once, signed, and again while that may help."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core import mail
from django.utils import timezone

from reviews.delivering import secret_of, send_due, signature
from reviews.models import Delivery, Webhook
from reviews.planning import plan_of

pytestmark = pytest.mark.django_db
IN_EARNEST = pytest.mark.django_db(transaction=True)  # a night commits what it does


class Receiver:
    """A server of somebody else: keeps what it is sent, and answers as it is told."""

    def __init__(self) -> None:
        self.status, self.got = 200, []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Say nothing: the test reads `got`."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/hook"


@pytest.fixture
def receiver(settings):
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.0/8"]
    running = Receiver()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture
def hook(project, receiver) -> Webhook:
    return Webhook.objects.create(project=project, url=receiver.url)


def test_a_webhook_gets_a_signed_digest_once(hook, receiver, swallowed):
    assert send_due() == 1
    assert send_due() == 0

    ((headers, body),) = receiver.got
    said = json.loads(body)
    assert said["event"] == "nightly.digest"
    assert said["findings"][0]["path"] == "sending.py"
    expected = signature(secret_of(hook), headers["X-Nightowl-Timestamp"], body)
    assert headers["X-Nightowl-Signature"] == f"sha256={expected}"
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.status_code) == (Delivery.State.SENT, 200)


def test_a_failure_is_tried_again_under_the_same_id(hook, receiver, swallowed):
    receiver.status = 503
    send_due()
    delivery = Delivery.objects.get()
    assert delivery.state == Delivery.State.WAITING
    assert delivery.due_at > timezone.now()
    assert send_due() == 0

    receiver.status = 200
    Delivery.objects.update(due_at=timezone.now())
    send_due()

    ids = {headers["X-Nightowl-Delivery"] for headers, _ in receiver.got}
    assert len(receiver.got) == 2
    assert ids == {str(delivery.pk)}
    assert Delivery.objects.get().state == Delivery.State.SENT


@pytest.mark.parametrize("status", [400, 404, 410, 302])
def test_a_refusal_is_not_repeated(hook, receiver, swallowed, status):
    receiver.status = status
    send_due()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.status_code) == (Delivery.State.FAILED, status)


def test_an_address_that_became_private_is_not_sent_to(hook, receiver, swallowed, settings):
    settings.ALLOWED_PRIVATE_HOSTS = []
    send_due()
    assert receiver.got == []
    assert "https" in Delivery.objects.get().error


def test_another_secret_signs_otherwise(hook):
    before = secret_of(hook)
    hook.secret_version += 1
    assert secret_of(hook) != before


@IN_EARNEST
def test_members_are_written_to_where_the_project_wants_it(
    night, history, project, alice, bob, charlie
):
    for person in (alice, charlie):
        type(person).objects.filter(pk=person.pk).update(email=f"{person.username}@example.org")
    plan = plan_of(project)
    plan.mails_digest = True
    plan.save()
    history.change("Go on", files={"n.txt": "1"})
    night()

    send_due()

    (letter,) = mail.outbox
    assert letter.to == ["alice@example.org"]
    assert "2 commits" in letter.subject
    assert "/nights/" in letter.body


@IN_EARNEST
def test_a_night_without_commits_tells_nobody(hook, receiver, night):
    night()
    send_due()
    told = len(receiver.got)
    night()
    send_due()
    assert len(receiver.got) == told
