"""Asking a model about a change: two passes that don't know of each other, then one that doubts.

What a model says is held to the same evidence as everything else. Each reply is kept before the
next is asked for, together with its line in the ledger: whoever takes over asks nothing twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from asgiref.sync import async_to_sync
from django.db import transaction
from django.db.models import Sum

from accounts.models import User
from accounts.viewers import Viewer
from knowledge.retrieval import Filters, search
from projects.checkpoints import checkpoint
from projects.leases import Lease
from providers.chat import ChatMessage, Schema, default_provider
from providers.ledger import OverBudget, check_budgets, record_call
from providers.models import Provider
from providers.replies import Reply, reply_of
from reviews import standards
from reviews.examining import Examined, judged
from reviews.merging import merge
from reviews.models import ModelPass, NightlyPlan, NightlyRun, Review
from reviews.observations import Observation
from reviews.parts import Part, parts_of
from reviews.prompts import (
    CONTEXT_CHARACTERS,
    FINDINGS_SCHEMA,
    PROMPT_VERSION,
    VERDICTS_SCHEMA,
    find_messages,
    refute_messages,
)
from reviews.replies import Unreadable, items_of, observation_of

PASSES = 2
REFUTING = PASSES  # the number of the pass that doubts
SECONDS = 180.0
LONGEST_REPLY = 16_000  # characters
MOST_PARTS = 12  # of a commit
BOTH, ONE = 0.8, 0.55  # how much a claim of two passes, and of one, deserves trust


@dataclass(slots=True)
class Asker:
    """Who is asked about a review, for whom, and what there is left to ask with."""

    run: NightlyRun
    review: Review
    provider: Provider
    lease: Lease
    by: User
    tokens_left: int

    def reply(
        self, part: Part, number: int, messages: Sequence[ChatMessage], schema: Schema, name: str
    ) -> ModelPass | None:
        """Return a pass over a part: as it was kept, or asked for now; nothing if it may not be."""
        known = ModelPass.objects.filter(review=self.review, part=part.name, number=number).first()
        if known is not None:
            return known
        if not self._may_ask():
            return None
        self.lease.check()
        reply = async_to_sync(reply_of)(
            self.provider, messages, seconds=SECONDS, longest=LONGEST_REPLY, schema=schema
        )
        checkpoint("night.replied")
        kept = self._keep(part, number, reply, name)
        checkpoint("night.reply_kept")
        return kept

    def _may_ask(self) -> bool:
        if self.tokens_left <= 0:
            return False
        try:
            check_budgets(self.by, self.review.project_id)
        except OverBudget:
            return False
        return True

    @transaction.atomic
    def _keep(self, part: Part, number: int, reply: Reply, name: str) -> ModelPass:
        self.lease.hold()
        call = record_call(
            self.provider,
            reply.usage,
            purpose="review",
            user=self.by,
            project_id=self.review.project_id,
            origin=("review", self.review.pk),
            duration_ms=reply.duration_ms,
            error=reply.error,
        )
        state, items = _read(reply, name)
        tokens = (reply.usage.tokens_in or 0) + (reply.usage.tokens_out or 0)
        self.tokens_left -= tokens or len(reply.text) // 4
        return ModelPass.objects.create(
            review=self.review,
            part=part.name,
            number=number,
            paths=list(part.paths),
            state=state,
            model_name=self.provider.model_name,
            prompt_version=PROMPT_VERSION,
            reply="" if state == ModelPass.State.READ else reply.text[:LONGEST_REPLY],
            claims=items,
            error=reply.error[:500],
            tokens=tokens,
            cost=call.cost if call.cost is None else Decimal(call.cost),
        )


def _read(reply: Reply, name: str) -> tuple[ModelPass.State, list[Any]]:
    if reply.error:
        return ModelPass.State.FAILED, []
    try:
        return ModelPass.State.READ, list(items_of(reply.text, name))
    except Unreadable:
        return ModelPass.State.UNREADABLE, []


def ask_about(
    run: NightlyRun, review: Review, examined: Examined, plan: NightlyPlan, lease: Lease
) -> None:
    """Add what a model finds in a change to what was found, where the project has one."""
    provider = plan.provider if plan.provider and plan.provider.is_enabled else default_provider()
    if not plan.asks_model or provider.is_offline or not examined.change.files:
        return
    by = run.requested_by or run.project.owner
    asker = Asker(run, review, provider, lease, by, plan.tokens_a_night - _spent(run))
    agreed = standards.told_to_models(review.project_id)
    parts = list(parts_of(examined.change.product()))
    found: list[Observation] = []
    for part in parts[:MOST_PARTS]:
        found += _asked_about(asker, part, examined, agreed)
    if len(parts) > MOST_PARTS:
        examined.notes.append(f"The model was asked about {MOST_PARTS} of {len(parts)} parts.")
    if found:
        examined.findings = merge([*examined.findings, *judged(examined.change, found)])


def _spent(run: NightlyRun) -> int:
    passes = ModelPass.objects.filter(review__run=run)
    return passes.aggregate(total=Sum("tokens"))["total"] or 0


def _asked_about(
    asker: Asker, part: Part, examined: Examined, agreed: Sequence[str]
) -> list[Observation]:
    context = _context(asker, part)
    replies = []
    for number in range(PASSES):
        messages = find_messages(part.text, context, agreed, number)
        kept = asker.reply(part, number, messages, FINDINGS_SCHEMA, "findings")
        if kept is None:
            examined.notes.append("The model was not asked any more: what it may take is used up.")
            break
        if kept.state != ModelPass.State.READ:
            why = kept.error or "it did not reply in the form that was asked for"
            examined.notes.append(
                f"{kept.model_name} on {', '.join(part.paths)}, pass {number + 1}: {why}"
            )
        replies.append(kept)
    found = _merged([_claims(kept, part) for kept in replies])
    return _not_refuted(asker, part, context, found, examined)


def _claims(kept: ModelPass, part: Part) -> list[Observation]:
    claims = [observation_of(item, kept.model_name) for item in kept.claims]
    usable = [one for one in claims if one is not None and one.path in part.paths]
    if kept.dropped != len(claims) - len(usable):
        kept.dropped = len(claims) - len(usable)
        kept.save(update_fields=["dropped", "updated_at"])
    return usable


def _merged(passes: list[list[Observation]]) -> list[Observation]:
    """Return the claims of all passes: what two say of the same lines deserves more trust."""
    found: list[Observation] = []
    for claims in passes:
        for claim in claims:
            same = next((n for n, one in enumerate(found) if _is_same(one, claim)), None)
            if same is None:
                found.append(replace(claim, confidence=ONE))
            else:
                found[same] = replace(found[same], confidence=BOTH)
    return found


def _is_same(one: Observation, other: Observation) -> bool:
    return (
        one.path == other.path
        and one.start_line <= other.end_line + 1
        and other.start_line <= one.end_line + 1
    )


def _not_refuted(
    asker: Asker, part: Part, context: str, found: list[Observation], examined: Examined
) -> list[Observation]:
    """Return the claims with those that a doubting pass refutes as remarks, saying why."""
    weighty = [one for one in found if one.severity != "info"]
    if not weighty:
        return found
    claims = [f"{one.path}:{one.start_line} {one.claim}" for one in weighty]
    messages = refute_messages(part.text, context, claims)
    kept = asker.reply(part, REFUTING, messages, VERDICTS_SCHEMA, "verdicts")
    verdicts = {
        item.get("number"): item
        for item in (kept.claims if kept is not None else [])
        if item.get("holds") is True or item.get("holds") is False
    }
    if kept is None or kept.state != ModelPass.State.READ:
        examined.notes.append(f"Nobody doubted what was found in {', '.join(part.paths)}.")
    judged_ones = []
    for one in found:
        verdict = verdicts.get(weighty.index(one) + 1) if one in weighty else None
        if one in weighty and (verdict is None or not verdict["holds"]):
            why = str(verdict.get("why", ""))[:300] if verdict else "No verdict on it."
            evidence = f"{one.evidence} Doubted: {why}".strip()
            one = replace(one, severity="info", confidence=0.3, evidence=evidence)  # noqa: PLW2901
        judged_ones.append(one)
    return judged_ones


def _context(asker: Asker, part: Part) -> str:
    """Return passages about what the part defines: definitions and callers elsewhere."""
    if not part.symbols:
        return ""
    results = search(
        Viewer(asker.by),
        " ".join(part.symbols),
        project_ids=[asker.review.project_id],
        filters=Filters(source_id=asker.review.source_id),
        limit=6,
    )
    texts, size = [], 0
    for hit in results.hits:
        if hit.path in part.paths:
            continue
        text = f"{hit.path}:{hit.start_line}\n{hit.text[:500]}"
        if size + len(text) > CONTEXT_CHARACTERS:
            break
        texts.append(text)
        size += len(text)
    return "\n\n".join(texts)
