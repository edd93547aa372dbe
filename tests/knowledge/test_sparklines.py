"""Figures as a small line."""

import pytest

from knowledge.sparklines import EDGE, HEIGHT, WIDTH, sparkline


@pytest.mark.parametrize("values", [[], [0.5]])
def test_one_figure_alone_is_no_line(values):
    assert sparkline(values) is None


def test_the_line_goes_from_edge_to_edge_on_the_whole_scale():
    line = sparkline([0, 0.5, 1])
    middle = f"{WIDTH / 2},{HEIGHT / 2}"
    assert line.points == f"{EDGE}.0,{HEIGHT - EDGE}.0 {middle} {WIDTH - EDGE}.0,{EDGE}.0"
    assert (line.last_x, line.last_y) == (WIDTH - EDGE, EDGE)


def test_what_lies_outside_the_scale_stays_in_the_picture():
    assert sparkline([2, -1]).points == f"{EDGE}.0,{EDGE}.0 {WIDTH - EDGE}.0,{HEIGHT - EDGE}.0"
