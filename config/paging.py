"""Lists in parts: the order is the view's own and ends with a unique key."""

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request

FURTHEST = 1_000_000


class Pages(LimitOffsetPagination):
    """`?limit=` (50, at most 200; more is taken as 200) and `?offset=`.

    A limit below 1, an offset below 0 and what is not a whole number are refused.
    """

    default_limit = 50
    max_limit = 200
    limit_query_description = "How many to return: 50 unless told, 200 at most."
    offset_query_description = "How many to leave out at the beginning."

    def get_limit(self, request: Request) -> int:
        limit = _whole_number(request, self.limit_query_param, self.default_limit, lowest=1)
        return min(limit, self.max_limit)

    def get_offset(self, request: Request) -> int:
        return _whole_number(request, self.offset_query_param, 0, lowest=0)


def _whole_number(request: Request, name: str, usual: int, *, lowest: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValidationError({name: ["This must be a whole number."]})
    number = int(text)
    if not lowest <= number <= FURTHEST:
        raise ValidationError({name: [f"This must be from {lowest} to {FURTHEST:,}."]})
    return number
