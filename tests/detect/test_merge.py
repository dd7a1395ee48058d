from fakes import face, plate

from anonymizer.detect.merge import merge_detections


def test_the_better_of_two_boxes_of_one_object_stays():
    better, worse = face(0, 0, 10, 10, 0.9), face(1, 0, 11, 10, 0.8)
    (merged,) = merge_detections([worse, better])
    assert (merged.box, merged.score) == (better.box, better.score)


def test_what_a_suppressed_box_covers_is_still_hidden():
    better, larger, elsewhere = face(10, 10, 20, 20, 0.9), face(8, 8, 22, 22, 0.8), face(50, 8, 60, 22, 0.7)
    merged, other = merge_detections([better, larger, elsewhere])
    assert merged.hidden_box == larger.box
    assert other == elsewhere
    assert merge_detections([merged, other]) == [merged, other]
    assert merge_detections([better]) == [better]
    assert better.hidden_box == better.box


def test_neighbours_and_other_kinds_stay():
    found = [face(0, 0, 10, 10), face(8, 0, 18, 10, 0.8), plate(0, 0, 10, 10)]
    assert merge_detections(found) == found


def test_nothing_stays_nothing():
    assert merge_detections([]) == []


def test_the_lowest_scores_stay():
    found = [face(0, 0, 10, 10, 0.001)]
    assert merge_detections(found) == found


def test_boxes_without_a_size_stay():
    found = [face(3, 3, 3, 3), face(9, 9, 9, 12)]
    assert merge_detections(found) == found
