"""`make bench`: what indexing and searching cost here, beside floors and others."""

import argparse
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402

from accounts.models import User  # noqa: E402
from bench import (  # noqa: E402
    corpora,
    embedding,
    load,
    outside,
    replicas,
    searching,
    stages,
    streams,
    syncs,
)
from bench.reviews import measuring  # noqa: E402
from projects.models import Project, Source  # noqa: E402

SIZES = {"search": (10_000, 100_000), "search-large": (1_000_000,)}
TALKED_ABOUT = 10_000  # passages


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "parts",
        nargs="*",
        default=["tree", "histories", "vectors", "search", "streams", "qdrant", "reviews"],
        help="what to measure: tree, histories, vectors, search, search-large, streams, qdrant,"
        " reviews",
    )
    asked = parser.parse_args()
    place = Path(os.environ.get("BENCH_CORPORA") or settings.NIGHTOWL_HOME / "corpora")
    call_command("migrate", verbosity=0)
    project = _project()
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}"
    )
    try:
        if "tree" in asked.parts:
            tree = corpora.tree(place)
            syncs.show_tree(tree, project, place)
            stages.show_stages(tree, syncs.add(project, "stages", tree))
        for name in corpora.HISTORIES if "histories" in asked.parts else ():
            syncs.show_history(corpora.history(place, name), project, place)
        if "vectors" in asked.parts:
            embedding.show_vectors(corpora.history(place, "requests"), corpora.tree(place), project)
        if sizes := [
            size for part, sizes in SIZES.items() if part in asked.parts for size in sizes
        ]:
            searching.show_searching(place, project.owner, sizes)
        if "streams" in asked.parts:
            _show_streams(place, project.owner)
        if "qdrant" in asked.parts:
            _show_outside(place, project.owner)
        for part in ("tuned", "unseen") if "reviews" in asked.parts else ():
            measuring.show(part)
    finally:
        project.delete()


def _show_streams(place: Path, owner: User) -> None:
    origin = replicas.base(place, owner)
    with (
        replicas.database_of(TALKED_ABOUT, origin, owner) as made,
        replicas.copy_to_spoil() as copy,
        load.serving(copy, owner) as door,
    ):
        streams.show_streams(door, made[0])


def _show_outside(place: Path, owner: User) -> None:
    origin = replicas.base(place, owner)
    questions = searching.questions_of(origin)
    with replicas.database_of(TALKED_ABOUT, origin, owner) as made, replicas.copy_to_spoil():
        outside.show_outside(made, questions)


def _project() -> Project:
    user, _ = User.objects.get_or_create(username="bench")
    Project.objects.filter(name="bench").delete()
    Source.objects.filter(project__name="bench").delete()
    return Project.objects.create(name="bench", owner=user)


main()
