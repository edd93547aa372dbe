from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np

from providers import minilm
from providers.crowd import Crowd, searching


def test_who_is_alone_is_told_so_and_who_is_not_as_well():
    crowd = Crowd()
    with crowd.joined():
        assert not crowd.is_more_than_one
        with crowd.joined():
            assert crowd.is_more_than_one
    assert crowd.size == 0


def test_those_who_fail_have_left_as_well():
    crowd, together = Crowd(), Barrier(8)

    def fail(_: int) -> None:
        with crowd.joined():
            together.wait(5)
            raise ValueError

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.submit(fail, n).exception() for n in range(8))
    assert crowd.size == 0


def test_a_question_has_the_same_vector_in_a_crowd_and_alone():
    model = minilm.MiniLM(None)
    alone = model.embed_question("How do owls hunt at night?")
    with searching.joined(), searching.joined():
        crowded = model.embed_question("How do owls hunt at night?")
    assert np.allclose(alone, crowded, atol=1e-5)
    assert alone.shape == (384,)
