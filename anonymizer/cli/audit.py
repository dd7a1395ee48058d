"""`anonymize audit`: attacks on what the program makes unrecognisable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anonymizer.cli.text import echo

if TYPE_CHECKING:
    from anonymizer.audit.faces import FaceSet
    from anonymizer.audit.identify import Attack
    from anonymizer.audit.redactions import Redaction

PATH = click.Path(path_type=Path)
EPILOG = """
\b
Example, with the folder "faces" that holds one folder of pictures for each person:
  anonymize audit reverse others --redaction pixelate-16 --output reversal
  anonymize audit identify faces --redaction default --redaction pixelate-16 \\
      --reversal pixelate-16=reversal --output audit

\b
Exit codes:
  0    finished; what the attacks reach is in the results
  2    an option, the faces, an experiment or a trained network is wrong
  3    a model is missing or damaged
  4    the output cannot be written
"""


def _use_experiment(context: click.Context, _: click.Parameter, file: Path | None) -> None:
    """Makes the values of a YAML file the defaults of a command's options and arguments, under their names.

    Raises:
        SettingsError: the file is missing or wrong.
    """
    if file is None:
        return
    from anonymizer.audit.experiment import read_values
    from anonymizer.errors import SettingsError

    parameters = {str(one.name): one for one in context.command.params if one.name not in ("experiment", "output")}
    values = read_values(file, parameters)
    described = values.get("redactions", values.get("redaction"))
    for name, value in values.items():
        if isinstance(value, dict) and name == "redaction" and len(value) == 1:
            (values[name],) = map(str, value)
        elif isinstance(value, dict) and name == "redactions":
            values[name] = [str(row) for row in value]
        elif isinstance(value, dict) and name == "reversals":
            values[name] = [f"{row}={file.parent / str(folder)}" for row, folder in value.items()]
        elif isinstance(value, dict) or isinstance(value, list) is not parameters[name].multiple:
            raise SettingsError(f"{file}: {name}: {value!r} is not what the option takes")
        elif parameters[name].type is PATH:
            values[name] = str(file.parent / str(value))
    context.default_map = values
    context.meta[_DESCRIBED] = described if isinstance(described, dict) else {}


_DESCRIBED = "anonymizer.audit.redactions"
"""Under this key the context of a command holds the settings of the redactions that an experiment describes."""


def _rows(names: Sequence[str]) -> list[Redaction]:
    """The redactions of these names, by default none at all and the program's own."""
    from anonymizer.audit.redactions import redaction

    described = click.get_current_context().meta.get(_DESCRIBED, {})
    return [redaction(name, described.get(name)) for name in names or ("none", "default")]


EXPERIMENT = click.option(
    "--experiment",
    type=PATH,
    metavar="FILE",
    is_eager=True,
    expose_value=False,
    callback=_use_experiment,
    help="YAML with the arguments and options, to be cited.",
)


@click.group("audit", epilog=EPILOG)
def audit_command() -> None:
    """Attacks what was redacted: brings faces back by a network, tells who they are, reads plates, looks for leaks.

    And says what redaction costs those who use the pictures.
    """


@audit_command.command("reverse", epilog=EPILOG)
@click.argument("faces", type=PATH, metavar="FACES")
@EXPERIMENT
@click.option("--redaction", default="default", metavar="NAME", help="What is to be brought back.  [default: default]")
@click.option("--test-faces", type=PATH, metavar="DIR", help="Other people to test on.  [default: every tenth person]")
@click.option("--output", required=True, type=PATH, metavar="DIR", help="For the network, its curve and the results.")
@click.option("--side", default=64, type=click.IntRange(32, 256), metavar="PIXELS", help="Of a face.  [default: 64]")
@click.option("--epochs", default=5, type=click.IntRange(1), metavar="N", help="Of the training.  [default: 5]")
@click.option("--copies", default=4, type=click.IntRange(1), metavar="N", help="Pairs for each face.  [default: 4]")
@click.option(
    "--perceptual",
    default=0.0,
    type=click.FloatRange(0),
    metavar="WEIGHT",
    help="Of the resemblance to the recogniser, beside the error of the pixels.  [default: 0]",
)
@click.option("--seed", default=0, metavar="N", help="Of all random draws.  [default: 0]")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first so many pictures.")
def reverse_command(
    faces: Path,
    redaction: str,
    test_faces: Path | None,
    output: Path,
    side: int,
    epochs: int,
    copies: int,
    perceptual: float,
    seed: int,
    limit: int | None,
) -> None:
    """Trains a network on pairs of redacted and original faces, and shows what it makes of faces it never saw.

    A run that was ended goes on with the same command. FACES holds one folder of pictures for each person, or pictures
    alone. The results show faces.
    """
    from anonymizer.audit.pages import write_reversal
    from anonymizer.audit.reverse import reverse
    from anonymizer.audit.training import Training, begin
    from anonymizer.errors import SettingsError

    if side % 8:
        raise SettingsError(f"--side {side}: expected a multiple of 8")
    (chosen,), training = _rows([redaction]), Training(side, epochs, seed, redaction, perceptual)
    for folder in filter(None, [faces, test_faces]):
        if not folder.is_dir():
            raise SettingsError(f"{folder} is not a folder")
    begin(output, training)
    _start_keras()
    known = _read(faces, limit)
    tested = None if test_faces is None else _read(test_faces).faces
    result = reverse(known.faces, chosen, output, training, copies, tested, _say)
    write_reversal(output, result)
    echo(f"error {result.before.error:.2%} before, {result.after.error:.2%} after: {output / 'reverse.html'}")


@audit_command.command("identify", epilog=EPILOG)
@click.argument("faces", required=False, type=PATH, metavar="[FACES]")
@click.option("--redaction", "redactions", multiple=True, metavar="NAME", help="A row; may be repeated.")
@click.option("--reversal", "reversals", multiple=True, metavar="NAME=DIR", help="A network trained on a redaction.")
@click.option("--facenet", type=PATH, metavar="FILE", help="FaceNet as a Keras file, a second recogniser.")
@click.option("--experiment", type=PATH, metavar="FILE", help="YAML with all of these, in place of them.")
@click.option("--output", required=True, type=PATH, metavar="DIR", help="For the results.")
@click.option("--seed", default=0, metavar="N", help="Of all random draws.  [default: 0]")
def identify_command(
    faces: Path | None,
    redactions: Sequence[str],
    reversals: Sequence[str],
    facenet: Path | None,
    experiment: Path | None,
    output: Path,
    seed: int,
) -> None:
    """Tells who is on redacted pictures, by recognisers off the shelf, after reversal, and retrained.

    FACES holds one folder of pictures for each person.
    """
    from anonymizer.audit.experiment import Experiment, read_experiment
    from anonymizer.audit.identify import Attackers
    from anonymizer.audit.pages import to_markdown, write_attacks
    from anonymizer.audit.recognisers import FaceNet, FaceVectors, SFace
    from anonymizer.audit.redactions import redaction
    from anonymizer.audit.training import load_reversal
    from anonymizer.errors import SettingsError

    if experiment is not None:
        if faces is not None or redactions or reversals or facenet:
            raise SettingsError("--experiment says what is attacked; leave out the other options")
        plan = read_experiment(experiment)
    elif faces is None:
        raise SettingsError("FACES or --experiment: say which faces are attacked")
    else:
        rows = tuple(redaction(name) for name in redactions or ("none", "default"))
        plan = Experiment(faces, rows, dict(_pair(text) for text in reversals), facenet, seed)
    if plan.reversals or plan.facenet is not None:
        _start_keras()
    networks = {name: load_reversal(folder) for name, folder in plan.reversals.items()}
    recognisers: list[FaceVectors] = [SFace()]
    if plan.facenet is not None:
        recognisers.append(FaceNet(plan.facenet))
    known = _read_people(plan.faces)
    attackers = Attackers(known.faces, recognisers, networks, plan.seed, _say)
    attacks = [attack for row in plan.redactions for attack in attackers.attack(row)]
    _make(output)
    about = {"faces": plan.faces.name, "seed": plan.seed, "unmarked": list(known.unmarked)}
    write_attacks(output, "identify", attacks, about, known.missed)
    _print(to_markdown(attacks, known.missed))


@audit_command.command("film", epilog=EPILOG)
@click.argument("faces", type=PATH, metavar="FACES")
@EXPERIMENT
@click.option("--films", type=PATH, metavar="DIR", help="Real films: one folder for each person.")
@click.option("--redaction", "redactions", multiple=True, metavar="NAME", help="A row; may be repeated.")
@click.option("--reversal", "reversals", multiple=True, metavar="NAME=DIR", help="A network trained on a redaction.")
@click.option("--frames", default=24, type=click.IntRange(2), metavar="N", help="Added up.  [default: 24]")
@click.option("--filmed", type=click.IntRange(1), metavar="N", help="Pictures of each person.  [default: all]")
@click.option("--output", required=True, type=PATH, metavar="DIR", help="For the results.")
@click.option("--seed", default=0, metavar="N", help="Of all random draws.  [default: 0]")
def film_command(
    faces: Path,
    films: Path | None,
    redactions: Sequence[str],
    reversals: Sequence[str],
    frames: int,
    filmed: int | None,
    output: Path,
    seed: int,
) -> None:
    """Adds up the frames of redacted films, and tells who is in them.

    FACES holds one folder of pictures for each person. A shaky camera films each picture, or --filmed of each person,
    and all are the clear gallery; or the films of --films are attacked, and FACES are the other people among whom the
    attacker has to choose.
    """
    from anonymizer.errors import SettingsError

    _need_video()
    if films is not None and filmed is not None:
        raise SettingsError("--filmed is for pictures before a shaky camera; leave it out with --films")
    from anonymizer.audit.film_attack import FilmAttackers
    from anonymizer.audit.footage import attack_footage, read_footage
    from anonymizer.audit.pages import to_markdown, write_attacks
    from anonymizer.audit.recognisers import SFace
    from anonymizer.audit.training import load_reversal
    from anonymizer.detect.frames import load_finder
    from anonymizer.recognise.landmarks import LandmarkFinder
    from anonymizer.recognise.models import describe_recogniser
    from anonymizer.settings import DetectSettings
    from anonymizer.video.finder import frame_finder

    rows = _rows(redactions)
    pairs = dict(map(_pair, reversals))
    if pairs:
        _start_keras()
    networks = {name: load_reversal(folder) for name, folder in pairs.items()}
    known = _read_people(faces)
    models = load_finder(DetectSettings(kinds="face", preset="fast"))
    attacks: list[Attack] = []
    about = {"faces": faces.name, "seed": seed, "frames": frames, "unmarked": list(known.unmarked)}
    if films is None:
        tell = _counter(f"films of {', '.join(row.name for row in rows)}")
        attackers = FilmAttackers(known.faces, models, SFace(), frames, seed, tell, filmed)
        attacks += [attack for row in rows for attack in attackers.attack(row, networks.get(row.name))]
    else:
        finder = frame_finder(models)
        marks = LandmarkFinder(describe_recogniser().landmarks_path)
        footage = read_footage(films, finder, marks, lambda name: _say(f"reading {name}"))
        about["films"] = {film.name: len(film.places) for film in footage}
        for row in rows:
            _say(f"{row.name}: films")
            reversal = networks.get(row.name)
            attacks += attack_footage(footage, known.faces, row, finder, SFace(), frames, reversal, seed)
    _make(output)
    write_attacks(output, "film", attacks, about, known.missed)
    _print(to_markdown(attacks, known.missed))


@audit_command.command("plates", epilog=EPILOG)
@click.argument("pictures", required=False, type=PATH, metavar="[PICTURES]")
@EXPERIMENT
@click.option("--redaction", "redactions", multiple=True, metavar="NAME", help="A row; may be repeated.")
@click.option("--group", metavar="NAME", help="Only pictures whose group begins with this.")
@click.option("--drawn", type=click.IntRange(10), metavar="N", help="Train a reader on so many drawn plates instead.")
@click.option("--frames", default=8, type=click.IntRange(0), metavar="N", help="Of films of them.  [default: 8]")
@click.option("--seed", default=0, metavar="N", help="Of all random draws.  [default: 0]")
@click.option("--output", required=True, type=PATH, metavar="DIR", help="For the results.")
def plates_command(
    pictures: Path | None,
    redactions: Sequence[str],
    group: str | None,
    drawn: int | None,
    frames: int,
    seed: int,
    output: Path,
) -> None:
    """Tries to read redacted plates, by a reader off the shelf or by one that was trained on redacted plates.

    PICTURES holds annotations.json, which says what is written on the plates. With --drawn the plates are drawn.
    """
    from anonymizer.errors import SettingsError

    if (pictures is None) == (drawn is None):
        raise SettingsError("PICTURES or --drawn: say which plates are read, one of both")
    if pictures is None:
        _read_drawn_plates(redactions, drawn or 0, frames, seed, output)
        return
    from anonymizer.audit.labels import read_labels
    from anonymizer.audit.pages import write_readings
    from anonymizer.audit.plates import RapidReader, read_plates
    from anonymizer.detect.frames import load_finder
    from anonymizer.settings import DetectSettings

    rows = _rows(redactions)
    labelled = read_labels(pictures, group)
    finder = load_finder(DetectSettings(kinds="plate"))
    readings = read_plates(pictures, labelled, rows, finder, RapidReader(), _counter("reading plates"))
    _make(output)
    _print(write_readings(output, readings))


@audit_command.command("leak", epilog=EPILOG)
@click.argument("pictures", type=PATH, metavar="PICTURES")
@click.argument("redacted", type=PATH, metavar="REDACTED")
@EXPERIMENT
@click.option("--group", metavar="NAME", help="Only pictures whose group begins with this.")
@click.option("--look-again", is_flag=True, help="Look for the objects in REDACTED by the program's models, too.")
@click.option("--output", required=True, type=PATH, metavar="DIR", help="For the results.")
def leak_command(pictures: Path, redacted: Path, group: str | None, look_again: bool, output: Path) -> None:
    """Compares redacted pictures or films of any program with labels: what of the objects is still as it was?

    PICTURES holds the originals and annotations.json, REDACTED what a program made of them under the same names.
    """
    if _labels_films(pictures):
        _find_film_leaks(pictures, redacted, group, look_again, output)
        return
    from anonymizer.audit.labels import read_labels
    from anonymizer.audit.leak import find_leaks
    from anonymizer.audit.pages import write_leaks
    from anonymizer.detect.frames import load_finder
    from anonymizer.settings import DetectSettings

    labelled = read_labels(pictures, group)
    finder = load_finder(DetectSettings()) if look_again else None
    leaks = find_leaks(pictures, redacted, labelled, finder, _counter("comparing"))
    _make(output)
    _print(write_leaks(output, leaks))


def _read_drawn_plates(redactions: Sequence[str], number: int, frames: int, seed: int, output: Path) -> None:
    if frames > 1:
        _need_video()
    from anonymizer.audit.pages import write_drawn_readings
    from anonymizer.audit.plate_reader import attack_drawn_plates

    rows = _rows(redactions)
    _start_keras()
    readings = [reading for row in rows for reading in attack_drawn_plates(row, number, frames, seed, _say)]
    _make(output)
    _print(write_drawn_readings(output, readings, {"frames": frames, "seed": seed}))


def _labels_films(folder: Path) -> bool:
    """Whether annotations.json is about films; damage shows when it is read."""
    try:
        return '"film"' in (folder / "annotations.json").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False


def _find_film_leaks(films: Path, redacted: Path, group: str | None, look_again: bool, output: Path) -> None:
    _need_video()
    from anonymizer.audit.film_leak import find_film_leaks, read_film_labels
    from anonymizer.audit.pages import write_film_leaks
    from anonymizer.errors import SettingsError

    if look_again or group is not None:
        raise SettingsError("--look-again and --group are for pictures; leave them out for films")
    leaks = find_film_leaks(films, redacted, read_film_labels(films), _counter("comparing"))
    _make(output)
    _print(write_film_leaks(output, leaks))


@audit_command.command("utility", epilog=EPILOG)
@click.argument("pictures", type=PATH, metavar="PICTURES")
@EXPERIMENT
@click.option("--redaction", "redactions", multiple=True, metavar="NAME", help="A row; may be repeated.")
@click.option("--model", type=PATH, metavar="FILE", help="A detector or classifier that looks at the pictures.")
@click.option("--names", type=PATH, metavar="FILE", help="Text file with the names of its classes, one in a line.")
@click.option("--group", metavar="NAME", help="Only pictures whose group begins with this.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first so many pictures.")
@click.option("--output", required=True, type=PATH, metavar="DIR", help="For the results.")
def utility_command(
    pictures: Path,
    redactions: Sequence[str],
    model: Path | None,
    names: Path | None,
    group: str | None,
    limit: int | None,
    output: Path,
) -> None:
    """Measures what redaction costs a data set: what is hidden, what else changes, and what a model sees afterwards.

    PICTURES may hold annotations.json, which says what is in them.
    """
    from anonymizer.audit.consumers import load_consumer
    from anonymizer.audit.labels import read_labels
    from anonymizer.audit.pages import write_utility
    from anonymizer.audit.utility import listed_pictures, measure_utility
    from anonymizer.detect.frames import load_finder
    from anonymizer.errors import SettingsError
    from anonymizer.settings import DetectSettings

    rows = _rows(redactions)
    has_labels = group is not None or (pictures / "annotations.json").is_file()
    listed = read_labels(pictures, group, kinds=None) if has_labels else listed_pictures(pictures)
    if not listed:
        raise SettingsError(f"{pictures} holds no picture")
    consumer = None if model is None else load_consumer(model, names)
    tell = _counter("comparing")
    costs = measure_utility(pictures, listed[:limit], rows, load_finder(DetectSettings()), consumer, tell)
    _make(output)
    about = {"pictures": pictures.name, "group": group, "model": None if model is None else model.name}
    _print(write_utility(output, costs, about))


def _read_people(folder: Path) -> FaceSet:
    """
    Raises:
        SettingsError: there is nobody to be told from others.
    """
    from anonymizer.errors import SettingsError

    known = _read(folder)
    if len(known.people) < 2:
        raise SettingsError(
            f"{folder} shows one person; an attacker needs at least two to choose from: one folder of pictures for "
            "each person, or identity.json, which says who is on which picture"
        )
    return known


def _read(folder: Path, limit: int | None = None) -> FaceSet:
    from anonymizer.audit.faces import read_faces
    from anonymizer.detect.frames import load_finder
    from anonymizer.recognise.landmarks import LandmarkFinder
    from anonymizer.recognise.models import describe_recogniser
    from anonymizer.settings import DetectSettings

    landmarks = LandmarkFinder(describe_recogniser().landmarks_path)
    finder = load_finder(DetectSettings(kinds="face"))
    faces = read_faces(folder, finder, landmarks, limit, _counter(f"reading {folder.name}"))
    if faces.missed:
        _say(f"no face is found in {len(faces.missed)} pictures, such as {faces.missed[0]}: they are left out")
    if faces.unmarked:
        _say(f"no landmarks are found in {len(faces.unmarked)} pictures, such as {faces.unmarked[0]}: left out")
    return faces


def _counter(text: str) -> Callable[..., None]:
    """What says so now and then, each time that it is called."""
    done = 0

    def tell(*_: str) -> None:
        nonlocal done
        done += 1
        if done % 100 == 0:
            _say(f"{text}: {done} pictures")

    return tell


def _start_keras() -> None:
    """Loads Keras and TensorFlow without what they write to stderr."""
    from anonymizer.detect.stderr import suppress_native_stderr

    with suppress_native_stderr():
        import keras

        keras.ops.zeros(1)


def _need_video() -> None:
    """
    Raises:
        SettingsError: PyAV is not installed.
    """
    from importlib.util import find_spec

    from anonymizer.errors import SettingsError

    if find_spec("av") is None:
        raise SettingsError("films need PyAV: pip install 'anonymizer[video]'")


def _make(folder: Path) -> None:
    from anonymizer.errors import OutputError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: {error.strerror}") from None


def _pair(text: str) -> tuple[str, Path]:
    from anonymizer.errors import SettingsError

    name, equals, folder = text.partition("=")
    if not equals or not name or not folder:
        raise SettingsError(f"--reversal {text!r}: expected NAME=DIR")
    return name, Path(folder)


def _print(page: str) -> None:
    for line in page.splitlines():
        echo(line)


def _say(text: str) -> None:
    echo(text, err=True)
