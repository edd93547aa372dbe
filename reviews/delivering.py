"""Sending digests: signed to webhooks, by e-mail to people; again while that may help."""

import hmac
import json
import ssl
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from hashlib import sha256
from urllib.parse import urlsplit

import httpx2
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from projects.addresses import Address, AddressRefused, check_public_url
from projects.checkpoints import checkpoint
from reviews.digests import Digest, as_json, digest_of
from reviews.models import Delivery, NightlyRun, Webhook

AT_ONCE = 20
SECONDS = 10.0
# After each failure; after the last one a delivery is given up.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))
HELD_FOR = timedelta(minutes=5)  # by who sends it; after that, somebody else does


class NotDelivered(Exception):
    """The other side did not take a digest; says why, and with which status if it said one."""

    def __init__(self, sentence: str, status: int | None = None, *, again: bool = True) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status
        self.again = again


def secret_of(webhook: Webhook) -> str:
    """Return what signs the messages to a webhook: made from its id, so that nothing is stored."""
    made = salted_hmac(
        "reviews.webhook", f"{webhook.pk}:{webhook.secret_version}", algorithm="sha256"
    )
    return f"whsec_{made.hexdigest()}"


def signature(secret: str, moment: str, body: bytes) -> str:
    """Return the signature of a message: HMAC-SHA256 over `timestamp.body`, in hexadecimal."""
    return hmac.new(secret.encode(), moment.encode() + b"." + body, sha256).hexdigest()


def check_webhook(url: str) -> Address:
    """Return the address of a webhook, judged now; raises AddressRefused."""
    return check_public_url(url, allowed_private_hosts=settings.ALLOWED_PRIVATE_HOSTS)


def send_due() -> int:
    """Send what is due, and return how many were taken; safe to run twice at once."""
    sent = 0
    while sent < AT_ONCE and (delivery := _claimed()) is not None:
        checkpoint("delivery.claimed")
        _send(delivery)
        sent += 1
    return sent


def _claimed() -> Delivery | None:
    """Take the next delivery: nobody else sends it while we do."""
    now = timezone.now()
    with transaction.atomic():
        waiting = Delivery.objects.filter(state=Delivery.State.WAITING).filter(
            Q(due_at=None) | Q(due_at__lte=now)
        )
        delivery = (
            waiting.select_for_update(skip_locked=True, of=("self",))
            .select_related("run__project", "webhook", "user")
            .order_by("due_at", "pk")
            .first()
        )
        if delivery is not None:
            # Ahead of the sending: who dies over it is followed by the next try.
            delivery.attempts += 1
            delivery.due_at = now + HELD_FOR
            delivery.save(update_fields=["attempts", "due_at", "updated_at"])
    return delivery


def _send(delivery: Delivery) -> None:
    digest = digest_of(delivery.run)
    now = timezone.now()
    try:
        if delivery.way == Delivery.Way.MAIL:
            _mail(delivery, digest)
        else:
            delivery.status_code = _post(delivery, digest)
    except NotDelivered as failure:
        _fail(delivery, failure)
    else:
        delivery.state, delivery.sent_at, delivery.error = Delivery.State.SENT, now, ""
    delivery.save()


def _fail(delivery: Delivery, failure: NotDelivered) -> None:
    delivery.error, delivery.status_code = failure.sentence[:500], failure.status
    if failure.again and delivery.attempts <= len(WAITS):
        delivery.due_at = timezone.now() + WAITS[delivery.attempts - 1]
    else:
        delivery.state = Delivery.State.FAILED


def page_of(run: NightlyRun) -> str:
    return f"{settings.PUBLIC_URL}{reverse('nightly-run', args=[run.pk])}"


def _mail(delivery: Delivery, digest: Digest) -> None:
    user = delivery.user
    if user is None or not user.is_active or not user.email:
        raise NotDelivered("There is nobody to write to any more.", again=False)
    if not digest.run.project.memberships.filter(user=user).exists():
        raise NotDelivered("They have left the project.", again=False)
    page = {"digest": digest, "address": page_of(digest.run), "public_url": settings.PUBLIC_URL}
    count = digest.shown
    said = f"{count} finding{'s' * (count != 1)}" if count else "nothing to worry about"
    mail = EmailMultiAlternatives(
        subject=f"{digest.run.project.name}: {said} in {digest.merges} commits",
        body=render_to_string("reviews/mail.txt", page),
        to=[user.email],
    )
    try:
        mail.send()
    except OSError as error:
        raise NotDelivered(f"The mail server did not take it ({type(error).__name__}).") from error


def _post(delivery: Delivery, digest: Digest) -> int:
    webhook = delivery.webhook
    if webhook is None or not webhook.is_enabled:
        raise NotDelivered("The webhook is switched off.", again=False)
    try:
        address = check_webhook(webhook.url)
    except AddressRefused as refusal:
        raise NotDelivered(refusal.message) from refusal
    body = json.dumps(as_json(digest, page_of(digest.run))).encode()
    moment = str(int(timezone.now().timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Nightowl",
        "X-Nightowl-Event": "nightly.digest",
        # The same for each try, so that a receiver can tell a second one.
        "X-Nightowl-Delivery": str(delivery.pk),
        "X-Nightowl-Timestamp": moment,
        "X-Nightowl-Signature": f"sha256={signature(secret_of(webhook), moment, body)}",
    }
    status = _posted(address, body, headers)
    if not 200 <= status < 300:
        again = status >= 500 or status in {408, 425, 429}
        raise NotDelivered(f"It answered with {status}.", status, again=again)
    return status


def _posted(address: Address, body: bytes, headers: Mapping[str, str]) -> int:
    """Send to the judged numbers only; nothing of the answer but its status is read."""
    parts = urlsplit(address.url)
    failure: Exception | None = None
    with httpx2.Client(
        verify=_trusted(), trust_env=False, follow_redirects=False, timeout=SECONDS
    ) as client:
        for ip in address.ips:
            number = f"[{ip}]" if ":" in ip else ip
            target = parts._replace(netloc=f"{number}:{address.port}").geturl()
            try:
                with client.stream(
                    "POST",
                    target,
                    content=body,
                    headers={**headers, "Host": parts.netloc},
                    extensions={"sni_hostname": address.host},
                ) as response:
                    return response.status_code
            except httpx2.ConnectError as error:
                failure = error
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                raise NotDelivered(f"It did not answer ({type(error).__name__}).") from error
    raise NotDelivered("It can't be reached.") from failure


@cache
def _trusted() -> ssl.SSLContext:
    return httpx2.create_ssl_context()
