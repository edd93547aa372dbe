"""What spaces of vectors need from time to time: settings to follow, indexes, cleaning."""

import logging

from knowledge.comparing import compare_what_was_asked
from knowledge.models import EmbeddingSpace
from knowledge.spaces import (
    SpaceRefused,
    drop_retired,
    follow_environment,
    living_spaces,
    needs_index,
)
from knowledge.vectors import vector_store
from providers.embedding import EmbedderUnavailable

logger = logging.getLogger(__name__)


def tend_spaces() -> None:
    """Bring what is there to what was asked for; safe to run at any time, and twice at once."""
    try:
        follow_environment()
    except (EmbedderUnavailable, SpaceRefused) as error:
        logger.warning("The embedding model of the environment can't be used: %s", error)
    index_spaces()
    compare_what_was_asked()
    drop_retired()


def index_spaces() -> list[EmbeddingSpace]:
    """Make the indexes that are missing or broken; return the spaces that need one."""
    large = [space for space in living_spaces() if space.built_at and needs_index(space)]
    for space in large:
        vector_store().prepare(space)
    return large
