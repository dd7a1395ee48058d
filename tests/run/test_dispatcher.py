"""Who works on what, and what becomes of the items of workers and machines that are gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from run.fake_cluster import FakeCluster, Said
from run.tasks import Doubling

from anonymizer.errors import AnonymizerError
from anonymizer.run import dispatcher as module
from anonymizer.run.dispatcher import MAX_NODES, Dispatcher, Lost, Seat
from anonymizer.run.remote import Placed, Returned
from anonymizer.run.worker import Beat, Done, Ready

CRASH, NODE_DIES = Lost("by a crash"), Lost("its machine ended", is_with_node=True)
BAD = 7


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_S", 0.0)
    monkeypatch.setattr(module, "BATCH_S", 0.0)


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first item, four are handed out together, however long they take."""
    monkeypatch.setattr(module, "BATCH_S", float("1e9"))
    monkeypatch.setattr(module, "MOST_TOGETHER", 4)


def dispatch(folder: Path, cluster: FakeCluster, workers: int | None = 4, timeout_s: float = 60.0) -> dict[int, int]:
    with closing(Dispatcher(cluster, Doubling(folder), workers, timeout_s)) as dispatcher:
        return dict(dispatcher.run(range(1, 20)))


def doubled(*without: int) -> dict[int, int]:
    return {number: 2 * number for number in range(1, 20) if number not in without}


def falls(times: int, what: Lost) -> Callable[[Seat[int], int], Said | None]:
    """The fate of BAD is this, so many times."""
    left = times

    def fate(seat: Seat[int], item: int) -> Said:
        nonlocal left
        left -= item == BAD
        return what if item == BAD and left >= 0 else [Done(2 * item)]

    return fate


def nodes_of(cluster: FakeCluster, item: int) -> list[str | None]:
    return [node for node, sent in cluster.sent if sent == item]


def test_nothing_is_opened_for_no_item(tmp_path: Path) -> None:
    cluster = FakeCluster()
    assert dict(Dispatcher(cluster, Doubling(tmp_path), 4, 60.0).run([])) == {}
    assert not cluster.is_open


def test_an_item_whose_worker_dies_is_tried_last_and_elsewhere(tmp_path: Path) -> None:
    cluster = FakeCluster(fate=falls(1, CRASH))
    assert dispatch(tmp_path, cluster) == doubled()
    first, second = nodes_of(cluster, BAD)
    assert first != second
    assert cluster.sent[-1][1] == BAD
    assert cluster.is_closed


def test_it_is_tried_on_the_same_machine_if_there_is_no_other(tmp_path: Path) -> None:
    cluster = FakeCluster(nodes=1, fate=falls(1, CRASH))
    assert dispatch(tmp_path, cluster) == doubled()
    assert nodes_of(cluster, BAD) == ["node 0"] * 2


def test_an_item_that_kills_twice_is_given_up(tmp_path: Path) -> None:
    cluster = FakeCluster(fate=falls(9, CRASH))
    assert dispatch(tmp_path, cluster) == {**doubled(BAD), BAD: -BAD}
    assert (tmp_path / f"gave_up_{BAD}").read_text() == "ended the process that worked on it, twice (by a crash)"
    assert len(nodes_of(cluster, BAD)) == 2


def test_a_machine_that_dies_takes_no_try_from_its_items(tmp_path: Path) -> None:
    both = iter([NODE_DIES, CRASH])

    def fate(seat: Seat[int], item: int) -> Said:
        return next(both, [Done(2 * item)]) if item == BAD else [Done(2 * item)]

    cluster = FakeCluster(fate=fate)
    assert dispatch(tmp_path, cluster) == doubled()
    assert len(nodes_of(cluster, BAD)) == 3


def test_items_of_dead_machines_come_first(tmp_path: Path) -> None:
    cluster = FakeCluster(fate=falls(1, NODE_DIES))
    assert dispatch(tmp_path, cluster, workers=1) == doubled()
    assert [item for _, item in cluster.sent][BAD - 1 : BAD + 2] == [BAD, BAD, BAD + 1]


def test_what_ends_one_machine_after_the_other_is_given_up(tmp_path: Path) -> None:
    cluster = FakeCluster(fate=falls(99, NODE_DIES))
    assert dispatch(tmp_path, cluster) == {**doubled(BAD), BAD: -BAD}
    assert (tmp_path / f"gave_up_{BAD}").read_text() == "the machines that worked on it ended, 3 times"
    assert len(nodes_of(cluster, BAD)) == MAX_NODES


def test_suspects_are_tried_at_the_same_time_only_on_different_machines(tmp_path: Path) -> None:
    died: set[int] = set()
    held: list[tuple[Seat[int], int]] = []
    most: list[str | None] = []

    class Holding(FakeCluster):
        """Holds back what is tried again, until nobody is given more."""

        def poll(self, timeout_s: float) -> Iterator[tuple[Seat[int], Said]]:
            yield from list(super().poll(timeout_s))
            if held and not self._said:
                most.extend([seat.node for seat, _ in held] if not most else [])
                yield from [(seat, [Done(2 * item)]) for seat, item in held]
                held.clear()

    def fate(seat: Seat[int], item: int) -> Said | None:
        if item not in died:
            died.add(item)
            return CRASH
        held.append((seat, item))
        return None

    assert dispatch(tmp_path, Holding(nodes=3, fate=fate), workers=6) == doubled()
    assert sorted(map(str, most)) == ["node 0", "node 1", "node 2"]


def test_what_takes_too_long_is_given_up_when_its_worker_has_ended(tmp_path: Path) -> None:
    cluster = FakeCluster(fate=lambda seat, item: None if item == BAD else [Done(2 * item)])
    assert dispatch(tmp_path, cluster, timeout_s=0.2) == {**doubled(BAD), BAD: -BAD}
    assert (tmp_path / f"gave_up_{BAD}").read_text() == "took longer than --timeout 0.2 seconds"
    assert len(cluster.ended) == 1


def test_an_answer_that_comes_while_its_worker_is_ended_counts(tmp_path: Path) -> None:
    class Late(FakeCluster):
        def end(self, seat: Seat[int]) -> None:
            self._say(seat, [Done(2 * BAD)])
            super().end(seat)

    cluster = Late(fate=lambda seat, item: None if item == BAD else [Done(2 * item)])
    assert dispatch(tmp_path, cluster, timeout_s=0.2) == doubled()


def test_a_worker_that_cannot_be_ended_is_given_up_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Deaf(FakeCluster):
        def end(self, seat: Seat[int]) -> None:
            pass

    monkeypatch.setattr(module, "_END_S", 0.1)
    cluster = Deaf(fate=lambda seat, item: None if item == BAD else [Done(2 * item)])
    assert dispatch(tmp_path, cluster, timeout_s=0.1) == {**doubled(BAD), BAD: -BAD}


def test_a_sign_of_life_renews_the_time(tmp_path: Path) -> None:
    told: list[tuple[int, str]] = []

    class Beating(FakeCluster):
        def __init__(self) -> None:
            super().__init__(fate=self._begin)
            self._left: list[tuple[Seat[int], Said]] = []

        def _begin(self, seat: Seat[int], item: int) -> None:
            self._left = [*[(seat, [Beat(f"step {n}")]) for n in range(5)], (seat, [Done(2 * item)])]

        def poll(self, timeout_s: float) -> Iterator[tuple[Seat[int], Said]]:
            yield from super().poll(timeout_s)
            time.sleep(0.06)
            if self._left:
                yield self._left.pop(0)

    with closing(
        Dispatcher(Beating(), Doubling(tmp_path), 1, 0.25, on_beat=lambda *what: told.append(what))
    ) as dispatcher:
        assert list(dispatcher.run([3])) == [(3, 6)]
    assert told == [(3, f"step {number}") for number in range(5)]


def test_items_that_take_no_time_are_handed_out_together(together: None, tmp_path: Path) -> None:
    cluster = FakeCluster()
    assert dispatch(tmp_path, cluster, workers=1) == doubled()
    assert cluster.together == [[1], [2, 3, 4, 5], [6, 7, 8, 9], [10, 11, 12, 13], [14, 15, 16, 17], [18, 19]]


def test_items_that_take_their_time_are_handed_out_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_S", 0.001)

    class Slow(FakeCluster):
        def poll(self, timeout_s: float) -> Iterator[tuple[Seat[int], Said]]:
            time.sleep(0.002)
            yield from super().poll(timeout_s)

    cluster = Slow()
    assert dispatch(tmp_path, cluster, workers=1) == doubled()
    assert cluster.together == [[number] for number in range(1, 20)]


def test_no_other_item_is_blamed_for_one_that_kills_among_them(together: None, tmp_path: Path) -> None:
    cluster = FakeCluster(fate=falls(9, CRASH))
    assert dispatch(tmp_path, cluster, workers=1) == {**doubled(BAD), BAD: -BAD}
    assert cluster.together[2:6] == [[6, 7, 8, 9], [7], [8], [9]]
    assert cluster.together[-1] == [BAD]
    assert [path.name for path in tmp_path.glob("gave_up_*")] == [f"gave_up_{BAD}"]
    assert {path.name for path in tmp_path.glob("swept_*")} == {f"swept_{number}" for number in (7, 8, 9)}


def test_machines_that_die_with_several_items_take_no_try_from_any(together: None, tmp_path: Path) -> None:
    cluster = FakeCluster(fate=falls(MAX_NODES, NODE_DIES))
    assert dispatch(tmp_path, cluster, workers=1) == doubled()


def test_one_that_takes_too_long_among_others_is_given_up_alone(together: None, tmp_path: Path) -> None:
    cluster = FakeCluster(fate=lambda seat, item: None if item == BAD else [Done(2 * item)])
    assert dispatch(tmp_path, cluster, workers=1, timeout_s=0.2) == {**doubled(BAD), BAD: -BAD}
    assert [path.name for path in tmp_path.glob("gave_up_*")] == [f"gave_up_{BAD}"]


def test_items_that_are_given_back_go_to_others(together: None, tmp_path: Path) -> None:
    """The others need not wait for one that takes long."""

    class Returning(FakeCluster):
        def send(self, seat: Seat[int], items: Sequence[int]) -> None:
            super().send(seat, items)
            if BAD in items and len(items) > 1:
                self.held = seat
                self._say(seat, [Returned(len(items) - 1 - items.index(BAD))])

        def poll(self, timeout_s: float) -> Iterator[tuple[Seat[int], Said]]:
            yield from list(super().poll(timeout_s))
            if sum(map(len, self.together)) >= 21 and not self._said:
                self._say(self.held, [Done(2 * BAD)])

    cluster = Returning(fate=lambda seat, item: None if item == BAD else [Done(2 * item)])
    with closing(Dispatcher(cluster, Doubling(tmp_path), 2, 60.0)) as dispatcher:
        answers = list(dispatcher.run(range(1, 20)))
    assert dict(answers) == doubled()
    assert answers[-1][0] == BAD


def test_workers_that_die_while_they_start_end_the_run(tmp_path: Path) -> None:
    with pytest.raises(AnonymizerError, match=r"end while they load the models \(by a crash\)"):
        dispatch(tmp_path, FakeCluster(begins=lambda node: CRASH))


def test_machines_may_die_while_workers_start(tmp_path: Path) -> None:
    deaths = iter([NODE_DIES] * 20)

    def begins(node: str) -> Said:
        return next(deaths, None) or [Placed(node), Ready()]

    cluster = FakeCluster(begins=begins)
    assert dispatch(tmp_path, cluster) == doubled()


def test_another_version_on_a_machine_ends_the_run(tmp_path: Path) -> None:
    cluster = FakeCluster(begins=lambda node: [Placed(node, "0.0.1")])
    with pytest.raises(AnonymizerError, match=r"a machine of the cluster has version 0\.0\.1 of the program"):
        dispatch(tmp_path, cluster)


def test_a_cluster_without_any_place_ends_the_run_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "PLACE_TIMEOUT_S", 0.3)
    monkeypatch.setattr(module, "_PATIENCE_S", 0.1)
    with pytest.raises(AnonymizerError, match="no place for a worker"):
        dispatch(tmp_path, FakeCluster(begins=lambda node: None))
    assert caplog.messages == ["the cluster has no place for a worker yet; the run waits for one"]


def test_workers_come_while_the_cluster_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ROOM_S", 0.0)
    cluster = FakeCluster(nodes=1)
    with closing(Dispatcher(cluster, Doubling(tmp_path), None, 60.0)) as dispatcher:
        answers = dispatcher.run(range(1, 20))
        next(answers)
        cluster.nodes = 3
        assert len(list(answers)) == 18
        assert dispatcher.workers == 3
    assert {node for node, _ in cluster.sent} == {"node 0", "node 1", "node 2"}


def test_a_run_that_is_to_stop_hands_out_nothing_and_drops_what_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE_S", 0.1)
    cluster = FakeCluster(fate=lambda seat, item: None if item == BAD else [Done(2 * item)])
    is_stopping = False
    with closing(Dispatcher(cluster, Doubling(tmp_path), 2, 60.0, lambda: is_stopping)) as dispatcher:
        answers = {}
        for item, answer in dispatcher.run(range(1, 20)):
            answers[item] = answer
            is_stopping = item > BAD
    assert BAD not in answers
    assert set(range(1, BAD)) <= set(answers)
    assert len(answers) < 12
    assert (tmp_path / f"swept_{BAD}").exists()
    assert not (tmp_path / f"gave_up_{BAD}").exists()


def test_what_is_in_flight_at_the_end_is_swept_up(tmp_path: Path) -> None:
    cluster = FakeCluster(fate=lambda seat, item: None if item == BAD else [Done(2 * item)])
    with closing(Dispatcher(cluster, Doubling(tmp_path), 2, 60.0)) as dispatcher:
        answers = dispatcher.run(range(BAD, 20))
        next(answers)
    assert (tmp_path / f"swept_{BAD}").exists()
