from fakes import face, plate
from redact.strategies import CLASSIC

from anonymizer.redact.warnings import redaction_warnings
from anonymizer.settings import Kernel, RedactSettings


def test_a_weak_kernel_is_reported() -> None:
    (warning,) = redaction_warnings([face(0, 0, 300, 300), face(0, 0, 10, 10)], CLASSIC)
    assert "21,2,9 is too weak for 1 of 2 objects" in warning
    assert "300 px" in warning
    assert redaction_warnings([face(0, 0, 10, 10)], CLASSIC) == []
    assert redaction_warnings([face(0, 0, 300, 300)], RedactSettings()) == []


def test_a_kernel_is_not_reported_as_weak_where_another_method_is_used() -> None:
    settings = RedactSettings(obfuscation_kernel=Kernel(21, 2, 9), face_method="solid")
    assert redaction_warnings([face(0, 0, 300, 300)], settings) == []


def test_many_cells_are_reported() -> None:
    (warning,) = redaction_warnings(
        [face(0, 0, 300, 300), plate(0, 0, 30, 30)], RedactSettings(method="mosaic", cells=16)
    )
    assert "faces that 16 cells may leave recognisable: 1" in warning


def test_what_stays_visible_is_reported() -> None:
    settings = RedactSettings(plate_method="none")
    (warning,) = redaction_warnings([face(0, 0, 30, 30), plate(0, 0, 30, 30)], settings)
    assert warning == "plate objects that stay visible, since their method is none: 1"
