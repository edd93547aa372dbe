"""The pages of reviews: who may look, who may decide, what is said when there is nothing yet."""

import pytest
from django.urls import reverse

from projects.models import Task
from reviews.models import Finding, Mute, NightlyRun, Standard, TestSuggestion, Webhook
from reviews.planning import plan_of

pytestmark = pytest.mark.django_db
IN_EARNEST = pytest.mark.django_db(transaction=True)  # a night commits what it does

OF_PROJECT = (
    *("reviews", "findings", "conventions", "standards", "nightly-runs", "review-record"),
    "tasks",
)


@pytest.fixture
def get(client_for):
    def look(person, name, *args, **query):
        return client_for(person).get(reverse(name, args=args), query)

    return look


@pytest.fixture
def post(client_for):
    def send(person, name, *args, **data):
        return client_for(person).post(reverse(name, args=args), data)

    return send


@pytest.mark.parametrize("name", OF_PROJECT)
def test_every_list_says_what_will_be_there(name, get, alice, bob, charlie, project):
    assert 'class="empty"' in get(alice, name, project.pk).content.decode()
    assert get(bob, name, project.pk).status_code == 200
    assert get(charlie, name, project.pk).status_code == 404


@pytest.mark.parametrize("name", OF_PROJECT)
def test_every_list_is_read_with_few_questions(
    name, client_for, bob, project, swallowed, django_assert_max_num_queries
):
    client = client_for(bob)
    with django_assert_max_num_queries(26):
        assert client.get(reverse(name, args=[project.pk])).status_code == 200


def test_the_digest_shows_what_is_worth_a_look_with_its_evidence(get, bob, project, swallowed):
    page = get(bob, "reviews", project.pk).content.decode()
    assert swallowed.claim in page
    assert "except OSError" in page
    assert "sending.py:11-12" in page
    assert "Cai" in page
    assert 'name="state" value="accepted"' not in page  # Bob may look only


def test_a_finding_a_review_and_a_night_are_for_those_who_see_the_project(
    get, alice, charlie, swallowed
):
    for name, pk in (
        ("finding", swallowed.pk),
        ("review", swallowed.review_id),
        ("nightly-run", swallowed.review.run_id),
        ("nightly-progress", swallowed.review.run_id),
    ):
        assert get(alice, name, pk).status_code == 200
        assert get(charlie, name, pk).status_code == 404


def test_editors_decide_and_others_may_not(post, alice, bob, charlie, swallowed):
    for person in (bob, charlie):
        answer = post(person, "finding-decide", swallowed.pk, state="dismissed")
        assert answer.status_code == 404
        assert post(person, "finding-task", swallowed.pk).status_code == 404

    answer = post(alice, "finding-decide", swallowed.pk, state="accepted", next="/help/")
    assert answer.url == "/help/"
    swallowed.refresh_from_db()
    assert swallowed.state == Finding.State.ACCEPTED


def test_a_page_of_elsewhere_is_not_gone_back_to(post, alice, swallowed):
    answer = post(
        alice, "finding-decide", swallowed.pk, state="accepted", next="https://evil.example/"
    )
    assert answer.url == swallowed.get_absolute_url()


def test_a_task_is_made_and_its_page_leads_back(post, get, alice, swallowed):
    answer = post(alice, "finding-task", swallowed.pk)
    task = Task.objects.get()
    assert answer.url == task.get_absolute_url()
    page = get(alice, "task", task.pk).content.decode()
    assert swallowed.get_absolute_url() in page

    post(alice, "task-status", task.pk, status="COMPLETED")
    task.refresh_from_db()
    assert task.status == Task.Status.COMPLETED


def test_a_task_is_for_those_who_see_the_project(get, post, alice, bob, charlie, project):
    task = Task.objects.create(project=project, user=alice, title="Tidy")
    assert get(bob, "task", task.pk).status_code == 200
    assert post(bob, "task-status", task.pk, status="COMPLETED").status_code == 404
    assert get(charlie, "task", task.pk).status_code == 404


def test_a_review_is_asked_for_by_editors_only(post, alice, bob, project, ledger):
    assert post(bob, "review-now", project.pk).status_code == 404
    post(alice, "review-now", project.pk)
    run = NightlyRun.objects.get()
    assert run.requested_by == alice

    post(alice, "review-now", project.pk)
    assert NightlyRun.objects.count() == 1
    post(alice, "nightly-cancel", run.pk)
    run.refresh_from_db()
    assert run.state == NightlyRun.State.CANCELLED


def test_findings_are_narrowed_down(get, alice, project, swallowed):
    def found(**query) -> bool:
        return swallowed.claim in get(alice, "findings", project.pk, **query).content.decode()

    assert found(severity="warning")
    assert not found(severity="critical")
    assert found(path="send")
    assert not found(path="other")
    assert not found(state="dismissed")
    assert found(state="", rule=swallowed.rule)


def test_a_kind_is_muted_and_told_again(post, alice, bob, project, swallowed):
    assert post(bob, "rule-mute", project.pk, rule=swallowed.rule).status_code == 404
    post(alice, "rule-mute", project.pk, rule=swallowed.rule)
    assert Mute.objects.get().lifted_at is None
    post(alice, "rule-unmute", project.pk, rule=swallowed.rule)
    assert Mute.objects.get().lifted_at is not None


def test_owners_say_when_and_who(get, post, alice, bob, project):
    assert get(bob, "review-plan", project.pk).status_code == 404
    assert get(alice, "review-plan", project.pk).status_code == 200
    said = {"hour": 4, "zone": "Europe/Berlin", "commits_a_night": 9, "tokens_a_night": 5}
    post(alice, "review-plan", project.pk, is_enabled="on", **said)
    assert plan_of(project).hour == 4
    assert post(alice, "review-plan", project.pk, **{**said, "hour": 24}).status_code == 400
    assert post(alice, "review-plan", project.pk, **{**said, "zone": "Mars"}).status_code == 400


def test_a_webhook_leads_to_the_internet_only(post, get, alice, bob, project, settings):
    post(alice, "webhook-add", project.pk, url="http://127.0.0.1/x")
    assert not Webhook.objects.exists()
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.0/8"]
    post(alice, "webhook-add", project.pk, url="http://127.0.0.1:8123/x")
    hook = Webhook.objects.get()
    assert "whsec_" in get(alice, "review-plan", project.pk).content.decode()
    assert post(bob, "webhook-change", hook.pk, act="remove").status_code == 404
    post(alice, "webhook-change", hook.pk, act="remove")
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    ("kind", "rule", "complaint"),
    [
        ("pattern", "(", "not a regular expression"),
        ("tool", "rm -rf", "codes of ruff"),
        ("tree", "python: 5", "not a rule"),
        ("tree", "klingon: {match: {kind: x}}", "no parser"),
        ("pattern", "", "needs a rule"),
    ],
)
def test_a_check_that_can_not_be_run_is_refused(post, alice, project, kind, rule, complaint):
    answer = post(
        alice,
        "standard-new",
        project.pk,
        title="No TODO",
        check_kind=kind,
        check_rule=rule,
        severity="warning",
    )
    assert answer.status_code == 400
    assert complaint in answer.content.decode()
    assert not Standard.objects.exists()


def test_a_standard_is_written_changed_and_deleted(post, alice, bob, project):
    said = {
        "title": "No print",
        "check_kind": "pattern",
        "check_rule": r"\bprint\(",
        "files": "*.py",
    }
    assert post(bob, "standard-new", project.pk, **said, severity="warning").status_code == 404
    post(
        alice, "standard-new", project.pk, **said, severity="warning", is_enabled="on", tags="a, b"
    )
    standard = Standard.objects.get()
    assert (standard.tags, standard.is_enabled) == (["a", "b"], True)
    post(alice, "standard-edit", standard.pk, **said, severity="info")
    standard.refresh_from_db()
    assert (standard.severity, standard.is_enabled) == ("info", False)
    assert post(bob, "standard-delete", standard.pk).status_code == 404
    post(alice, "standard-delete", standard.pk)
    assert not Standard.objects.exists()


@IN_EARNEST
def test_a_suggested_test_is_used_or_made_a_task(post, get, alice, night, history):
    text = "def f(n: int) -> int:\n    if n < 1:\n        raise ValueError(n)\n    return n\n"
    history.change("Add", files={"thing.py": text})
    run = night()
    suggestion = TestSuggestion.objects.get()
    page = get(alice, "nightly-run", run.pk).content.decode()
    assert "pytest.raises" in page.replace('<span class="o">.</span>', ".") or "raises" in page
    post(alice, "suggestion-settle", suggestion.pk, state="dismissed")
    suggestion.refresh_from_db()
    assert suggestion.state == TestSuggestion.State.DISMISSED
    post(alice, "suggestion-task", suggestion.pk)
    suggestion.refresh_from_db()
    assert suggestion.task is not None


@IN_EARNEST
def test_what_a_repository_says_is_shown_as_text(get, alice, night, history, project):
    name = "x<img src=q onerror=alert(1)>.py"
    text = "def f(a):\n    try:\n        g(a)\n        h('</code><script>x</script>')\n"
    text += "    except OSError:\n        pass\n"
    history.change("<script>alert(2)</script>", author="Eve & Co", files={name: text})
    night()

    page = get(alice, "reviews", project.pk).content.decode()

    assert "<script>alert" not in page
    assert "<img src=q" not in page
    assert "Eve &amp; Co" in page
