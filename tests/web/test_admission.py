from __future__ import annotations

import pytest

from anonymizer.web.admission import Admission, Queue
from anonymizer.web.problems import Problem


def admission(waiting: int = 0) -> Admission:
    pictures = Queue("pictures", max_jobs=2, max_waiting=3, workers=2, waiting=lambda: waiting)
    films = Queue("films", max_jobs=1, max_waiting=1, workers=1, waiting=lambda: waiting)
    return Admission(pictures, films, max_memory=100)


def test_an_address_has_so_many_places() -> None:
    hall = admission()
    one, _ = hall.enter("a"), hall.enter("a")
    with pytest.raises(Problem, match="2 pictures of yours") as caught:
        hall.enter("a")
    assert caught.value.status == 429
    assert caught.value.headers == {"Retry-After": "1"}
    hall.enter("b")
    one.leave()
    one.leave()  # once is enough
    hall.enter("a")
    assert hall.on_hand() == 3


def test_so_many_may_wait_and_those_that_arrive_do_not_count() -> None:
    with pytest.raises(Problem, match="wait already") as caught:
        admission(waiting=3).enter("a")
    assert caught.value.status == 503
    hall = admission(waiting=2)
    for address in "abcdef":
        hall.enter(address)
    hall.pictures.check()


def test_films_have_places_of_their_own() -> None:
    hall = admission()
    films = hall.films
    assert films is not None
    film, second, picture = hall.enter("a"), hall.enter("b"), hall.enter("a")
    film.move_to(films)
    film.move_to(films)  # it is there already
    film.hold(20)
    with pytest.raises(Problem, match="1 films of yours"):
        picture.move_to(films)
    second.move_to(films)
    assert (hall.on_hand(), hall.pictures.total(), films.total()) == (3, 1, 2)
    hall.enter("a")  # the film does not count among the pictures
    picture.leave()
    assert hall.held_bytes == 20
    film.leave()
    second.leave()
    assert (hall.held_bytes, films.total()) == (0, 0)
    crowded = Queue("films", 1, 1, 1, lambda: 1)
    with pytest.raises(Problem, match="films wait already"):
        admission().enter("a").move_to(crowded)


def test_memory_is_counted() -> None:
    hall = admission()
    one, other, third = hall.enter("a"), hall.enter("b"), hall.enter("c")
    one.hold(45)
    with pytest.raises(Problem, match="share of the memory") as caught:
        one.hold(10)
    assert caught.value.status == 429
    other.hold(50)
    with pytest.raises(Problem, match="fill the memory"):
        third.hold(10)
    one.let_go(30)
    third.hold(10)
    assert hall.held_bytes == 75
    one.leave()
    one.hold(1000)  # nobody is there any more
    one.let_go(1000)
    assert hall.held_bytes == 60
    assert hall.on_hand() == 2


def test_waiting_is_estimated_by_what_pictures_took() -> None:
    hall = admission().pictures
    for _ in range(100):
        hall.note_seconds(4.0)
    assert hall.seconds_until(0) == pytest.approx(4, rel=0.01)
    assert hall.seconds_until(5) == pytest.approx(12, rel=0.01)
