"""Texts of answers that are being written are kept together."""

import asyncio

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations import asking, saving
from conversations.models import Message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def answers(viewer, project) -> list[Message]:
    return [asking.ask(asking.begin(viewer, project), f"why {n}?") for n in range(4)]


def saved(texts: dict) -> list[bool]:
    async def save() -> list[bool]:
        each = (saving.saver().save(pk, text) for pk, text in texts.items())
        return await asyncio.gather(*each)

    return async_to_sync(save)()


def test_several_texts_are_kept_at_once_and_a_stop_is_told_to_its_writer_alone(answers):
    asking.stop(answers[2])
    kept = saved({answer.pk: f"text \u00e9 {n}" for n, answer in enumerate(answers)})
    assert kept == [True, True, False, True]
    texts = dict(Message.objects.filter(role="assistant").values_list("pk", "content"))
    assert [texts[answer.pk] for answer in answers] == ["text é 0", "text é 1", "", "text é 3"]
    assert Message.objects.filter(lease_until__isnull=False).count() == 3


def test_one_statement_keeps_them_all(answers):
    with CaptureQueriesContext(connection) as sent:
        going_on = asking.save_progress({answer.pk: "text" for answer in answers})
    assert len(sent) == 1
    assert going_on == {answer.pk for answer in answers}


def test_who_leaves_takes_no_other_text_along(answers):
    async def save() -> bool:
        leaving = asyncio.create_task(saving.saver().save(answers[0].pk, "one"))
        staying = asyncio.create_task(saving.saver().save(answers[1].pk, "two"))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert async_to_sync(save)()
    answers[1].refresh_from_db()
    assert answers[1].content == "two"
