"""Quoting texts of others to a model, without what only the model would see."""

import re

# Direction marks, zero-width characters and tags: invisible to people, readable to a model.
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")


def without_invisible(text: str) -> str:
    return INVISIBLE.sub("", text)
