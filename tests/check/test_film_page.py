"""What the HTML page shows of a film stays small, however long the film is."""

from dataclasses import replace

from fakes import face, noise

from anonymizer.check.film_page import MAX_STRIPS, STRIP_PICTURES, FilmPage
from anonymizer.check.finding import Finding
from anonymizer.check.html_page import MAX_SHOWN, to_article
from anonymizer.geometry import Box

PIXELS = noise(60, 80)
TRACKED = replace(face(10, 10, 30, 30), track=1)
FOUND = Finding("a.mp4", "face", "not redacted", "finding", Box(10, 10, 30, 30), 0.5, 7, 0.28)


def test_strips_are_thinned_out_over_the_life_of_a_track() -> None:
    page = FilmPage(annotates=False)
    for index in range(100):
        page.note_frame(index, index / 25, PIXELS, [TRACKED], ())
    card = page.card("a.mp4", ())
    assert card.film is not None
    (strip,) = card.film.strips
    times = [time_s for time_s, _ in strip.pictures]
    assert STRIP_PICTURES / 2 < len(times) <= STRIP_PICTURES
    assert times[0] == 0
    assert times[-1] > 3
    assert (strip.kind, strip.first_s, strip.last_s) == ("face", 0, 99 / 25)


def test_many_tracks_are_counted() -> None:
    page = FilmPage(annotates=False)
    for number in range(MAX_STRIPS + 5):
        page.note_frame(number, number / 25, PIXELS, [replace(TRACKED, track=number)], ())
    assert "and 5 more tracks" in to_article(page.card("a.mp4", ()))


def test_the_most_urgent_frame_and_findings_are_shown() -> None:
    page = FilmPage(annotates=True)
    page.note_frame(0, 0.0, PIXELS, (), [replace(FOUND, level="warning")])
    first = page.annotated
    page.note_frame(1, 0.04, PIXELS // 2, (), [FOUND])
    second = page.annotated
    page.note_frame(2, 0.08, PIXELS // 3, (), [replace(FOUND, level="noted")])
    assert first != second
    assert page.annotated == second
    for number in range(MAX_SHOWN + 3):
        page.note_finding(replace(FOUND, score=0.9 - number / 100), b"JPEG")
    page.note_finding(FOUND, None)
    card = page.card("a.mp4", [replace(FOUND, level="warning"), FOUND])
    assert [one.level for one in card.findings] == ["finding", "warning"]
    assert len(card.close_ups) == MAX_SHOWN


def test_a_film_in_which_nothing_is_found_has_an_article_too() -> None:
    page = FilmPage(annotates=True)
    page.note_frame(0, 0.0, PIXELS, (), ())
    card = page.card("<a>.mp4", ())
    assert page.annotated is None
    assert card.rank > replace(card, findings=[replace(FOUND, level="accepted")]).rank
    article = to_article(card)
    assert "&lt;a&gt;.mp4" in article
    assert "<svg" in article


def test_the_time_line_shows_findings_above_and_warnings_below() -> None:
    page = FilmPage(annotates=False)
    page.note_frame(0, 0.0, PIXELS, (), ())
    page.note_frame(10, 0.4, PIXELS, (), ())
    findings = [FOUND, replace(FOUND, level="warning", time_s=0.4), replace(FOUND, level="noted")]
    article = to_article(page.card("a.mp4", findings))
    assert article.count('y="0" width="3"') == article.count('y="14" width="3"') == 1
    assert 'x="700.0"' in article
    assert 'x="1000.0"' in article
