from anonymizer.files import jpeg_segments


def test_end_markers_in_tables_between_scans_do_not_end_the_picture() -> None:
    """The length of a table may look like the marker of the end."""
    scan = b"\xff\xda\0\2" + b"data" + b"\xff\xdb\0\6\xff\xd9xx" + b"\xff\xda\0\2" + b"more" + b"\xff\xd9"
    assert jpeg_segments.picture_data(b"\xff\xd8" + scan + b"trailing") == scan
