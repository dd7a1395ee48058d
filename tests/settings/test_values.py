import pytest

from anonymizer.errors import SettingsError
from anonymizer.settings import (
    ALL_SETTINGS,
    DetectSettings,
    FindSettings,
    Kernel,
    RedactSettings,
    RunSettings,
    Shard,
    VerbositySettings,
    VideoSettings,
    from_options,
    settings_from_options,
    to_options,
)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("face-threshold", "0", "0 is not in the range 0.001..1.0"),
        ("face-threshold", 1.5, "1.5 is not in the range"),
        ("plate-threshold", "high", "'high' is not a number"),
        ("plate-threshold", True, "True is not a number"),
        ("plate-threshold", float("nan"), "nan is not in the range"),
        ("kinds", "face,dog", "'dog' is not one of face, plate"),
        ("kinds", "", "'' is not one of face, plate"),
        ("kinds", [], "[] does not name a kind"),
        ("kinds", {}, "{} does not name a kind"),
        ("input", "a\0b", "is not a path"),
        ("limit", float("inf"), "inf is not a whole number"),
        ("kinds", 3, "3 is not a comma-separated list"),
        ("image-extensions", "jpg,,png", "empty"),
        ("image-extensions", "jpg,json", "json is the extension of the detections"),
        ("obfuscation-kernel", "21,2", "neither auto nor"),
        ("obfuscation-kernel", "21,2,9,4", "neither auto nor"),
        ("obfuscation-kernel", "20,2,9", "kernel size 20 is not an odd number"),
        ("obfuscation-kernel", "21,2,0", "kernel size 0 is not an odd number"),
        ("obfuscation-kernel", "21,0,9", "sigma 0 is not in the range"),
        ("face-margin", -0.1, "-0.1 is not in the range"),
        ("color", None, "None is neither mean"),
        ("color", "000", "'000' is neither mean"),
        ("cells", -1, "-1 is not a whole number in the range 0..16"),
        ("cells", 0.5, "0.5 is not a whole number"),
        ("metadata", "some", "'some' is not one of strip, safe, keep"),
        ("write-detections", "maybe", "'maybe' is neither true nor false"),
        ("limit", 0, "0 is not a whole number from 1 on"),
        ("limit", 2.5, "2.5 is not a whole number"),
        ("weights", "", "'' is not a path"),
        ("input", 7, "7 is not a path"),
        ("exclude-zone", "0,0 1,1", "a polygon of three or more corners"),
        ("exclude-zone", "0,0 1.1,0 1.1,1 0,1", "corners are pixels, or fractions"),
        ("exclude-zone", "0,0 1,1 0.5,0.5", "a zone has no area"),
        ("exclude-zone", "0,0 1,0 0,1 1,1", "a zone has no area"),
        ("exclude-zone", "0,0 .5,0 .5,1 0,1 0,0 .5,0 .5,1 0,1", "crosses or touches"),
        ("exclude-zone", "0,0 1,1 -1,2", "with numbers from 0 on"),
        ("exclude-zone", "0,0 1,1 2", "is not a polygon such as"),
        ("redact-zone", "0,0 1,1", "a polygon of three or more corners"),
        ("redact-zone", {"cam1/*": "0,0 1,1"}, "cam1/*: a zone is a polygon of three or more corners"),
        ("redact-zone", {"cam1/*": []}, "cam1/*: there is no polygon"),
        ("redact-zone", {"cam1/*": None}, "cam1/*: None is not a polygon"),
        ("redact-zone", {3: "0,0 1,1 0,1"}, "3 is not a pattern for names"),
        ("redact-zone", {"": "0,0 1,1 0,1"}, "'' is not a pattern for names"),
        ("redact-zone", True, "is not a polygon such as"),
        ("include-zone", {"*": "0,0 1,0 1,1"}, "is not a polygon such as"),
        ("include-zone", [[1, 2], [3, 4]], "is not a polygon such as"),
        ("include-zone", 3, "is not a polygon such as"),
        ("workers", "many", "'many' is not a number"),
        ("workers", -1, "neither auto nor a whole number from 0"),
        ("timeout", 0, "0 is not a time in seconds"),
        ("shard", "3/2", "'3/2' is not a share such as 2/8"),
        ("shard", "0/2", "'0/2' is not a share"),
        ("shard", "1", "'1' is not a share"),
        ("video-quality", 52, "52 is neither auto nor in the range 0..51"),
        ("video-quality", "best", "'best' is not a number"),
        ("video-encoder", "lib x264", "neither auto, hardware nor the name of an encoder"),
        ("video-encoder", None, "neither auto, hardware nor the name of an encoder"),
        ("video-gap", -1, "-1 is not in the range 0..60 seconds"),
        ("video-grace", 61, "61 is not in the range 0..60 seconds"),
        ("video-extensions", "mp4,,mov", "has an empty file extension"),
        ("audio", "mute", "'mute' is not one of keep, drop"),
    ],
)
def test_wrong_values_are_refused_with_the_option_and_the_reason(key: str, value: object, message: str) -> None:
    (part,) = [part for part in ALL_SETTINGS if key in to_options(part())]
    with pytest.raises(SettingsError, match=f"^--{key}: ") as caught:
        from_options(part, {key: value})
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_extensions_are_lower_case_and_without_dots() -> None:
    assert from_options(FindSettings, {"image-extensions": ".JPG, png,jpg"}).image_extensions == ("jpg", "png")


def test_kernel_is_read_from_text_and_lists() -> None:
    assert RedactSettings(obfuscation_kernel="65,3,19").obfuscation_kernel == Kernel(65, 3.0, 19)
    assert RedactSettings(obfuscation_kernel=[65, 3, 19]).obfuscation_kernel == Kernel(65, 3.0, 19)
    assert RedactSettings(obfuscation_kernel="auto").obfuscation_kernel is None


@pytest.mark.parametrize(
    ("written", "color"),
    [("Gray", "#808080"), ("#FF8000", "#ff8000"), ("#f80", "#ff8800"), ("rgb(1,2,3)", "#010203"), ("mean", "mean")],
)
def test_colors(written: str, color: str) -> None:
    assert RedactSettings(color=written).color == color


def test_zones_of_cameras() -> None:
    zone, other = ((0, 0.5), (1, 0.5), (1, 1)), ((0, 0), (20, 0), (0, 20))
    everywhere = DetectSettings(redact_zone="0,.5 1,.5 1,1")
    assert everywhere.redact_zone == (("*", (zone,)),)
    assert everywhere.as_options()["redact-zone"] == [[[0, 0.5], [1, 0.5], [1, 1]]]
    by_camera = DetectSettings(redact_zone={"cam1/*": [[[0, 0.5], [1, 0.5], [1, 1]]], "*": "0,0 20,0 0,20"})
    assert by_camera.redact_zone == (("cam1/*", (zone,)), ("*", (other,)))
    assert by_camera.as_options()["redact-zone"] == {
        "cam1/*": [[[0, 0.5], [1, 0.5], [1, 1]]],
        "*": [[[0, 0], [20, 0], [0, 20]]],
    }
    for settings in (everywhere, by_camera):
        assert DetectSettings(redact_zone=settings.as_options()["redact-zone"]) == settings  # type: ignore[arg-type]
        assert settings.given_kinds == {"area"}
    assert (DetectSettings().redact_zone, DetectSettings().given_kinds) == ((), frozenset())


def test_zones_are_read_from_text_and_lists() -> None:
    zone = ((0, 0.5), (1, 0.5), (1, 1))
    assert DetectSettings(include_zone="0,.5 1,.5 1,1").include_zone == (zone,)
    assert DetectSettings(exclude_zone=[[[0, 0.5], [1, 0.5], [1, 1]]]).exclude_zone == (zone,)
    assert DetectSettings(exclude_zone="0,.5 1,.5 1,1; 0,0 20,0 0,20").exclude_zone == (
        zone,
        ((0, 0), (20, 0), (0, 20)),
    )


def test_shards_are_read_from_text() -> None:
    assert from_options(RunSettings, {"shard": "2/8"}).shard == Shard(2, 8)


@pytest.mark.parametrize(("written", "verbose"), [(True, 1), (False, 0), (0, 0), (1, 1), ("2", 2), (2, 2), (3, 2)])
def test_verbosity(written: object, verbose: int) -> None:
    assert from_options(VerbositySettings, {"verbose": written}).verbose == verbose


@pytest.mark.parametrize("written", ["loud", -1, 0.5, None])
def test_wrong_verbosity(written: object) -> None:
    with pytest.raises(SettingsError, match="--verbose: "):
        from_options(VerbositySettings, {"verbose": written})


def test_presets() -> None:
    assert DetectSettings().preset == "balanced"
    assert settings_from_options({"preset": "thorough"}).detect.preset == "thorough"
    with pytest.raises(SettingsError, match=r"--preset: 'slow' is not one of fast, balanced, thorough"):
        DetectSettings(preset="slow")


def test_projections() -> None:
    assert DetectSettings().projection == "flat"
    with pytest.raises(SettingsError, match=r"--projection: 'round' is not one of flat, equirectangular"):
        DetectSettings(projection="round")


def test_films_may_be_left_out() -> None:
    def extensions(written: object) -> tuple[str, ...]:
        return from_options(VideoSettings, {"video-extensions": written}).video_extensions

    assert "mp4" in VideoSettings().video_extensions
    assert extensions(".MP4, mov") == ("mp4", "mov")
    assert extensions("none") == extensions([]) == extensions(None) == ()
    assert VideoSettings(video_extensions=()).as_options()["video-extensions"] == "none"


def test_quality_of_films() -> None:
    assert VideoSettings().video_quality is None
    assert from_options(VideoSettings, {"video-quality": "18.5"}).video_quality == 18.5
    assert VideoSettings().as_options()["video-quality"] == "auto"


@pytest.mark.parametrize(
    ("written", "seconds"), [(0, 0), ("3.5", 3.5), ("1:30", 90), ("1:02:30.5", 3750.5), ("0:0", 0), ("90:00", 5400)]
)
def test_times_of_films(written: object, seconds: float) -> None:
    assert from_options(VideoSettings, {"video-from": written}).video_from == seconds
    assert from_options(VideoSettings, {"video-to": written}).video_to == seconds


@pytest.mark.parametrize("written", ["-1", "1:60", "1:2:3:4", "1:-2", "nan", "inf", "a", "", None, True])
def test_wrong_times_of_films(written: object) -> None:
    with pytest.raises(SettingsError, match="--video-from: "):
        from_options(VideoSettings, {"video-from": written})


def test_films_end_after_they_begin() -> None:
    assert VideoSettings().as_options()["video-to"] == "end"
    assert from_options(VideoSettings, {"video-to": "end"}).video_to is None
    with pytest.raises(SettingsError, match="films end before they begin"):
        settings_from_options({"video-from": 3, "video-to": 3})
