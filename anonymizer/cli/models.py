"""`anonymize models`: the models at hand."""

from __future__ import annotations

from pathlib import Path

import click

from anonymizer.cli.text import echo

EPILOG = """
\b
Example:
  anonymize models --weights my_models
"""


@click.command("models", epilog=EPILOG)
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder with models of your own.  [default: the bundled ones]",
)
def models_command(weights: Path | None) -> None:
    """Lists the models: what they find, from which score on, and where they come from.

    Each one is loaded and its checksum is compared, so that the list proves that they work here.
    """
    from anonymizer.detect.catalogue import checksum, find_models
    from anonymizer.detect.load import try_model
    from anonymizer.detect.silhouettes import describe_segmenters, load_segmenter
    from anonymizer.kinds import PEOPLE_KINDS, TRAITS
    from anonymizer.native import describe

    for model in find_models(weights):
        runtime = try_model(model)
        thresholds = ", ".join(f"{kind} from score {model.threshold(kind):g}" for kind in model.found_kinds)
        echo(f"{model.name}: {thresholds}")
        if set(model.found_kinds).intersection(PEOPLE_KINDS):
            echo('  counts   the people in a picture, estimated; see "people" in the report')
        if model.limits:
            echo(f"  limits   {model.limits}")
        echo(f"  format   {model.format}, run by {runtime}")
        echo(f"  sha256   {checksum(model)}")
        echo(f"  licence  {model.licence}")
        echo(f"  origin   {model.origin}")
    for each in describe_segmenters():
        load_segmenter(each)
        echo(f"{each.name}: silhouettes of {', '.join(TRAITS[kind].plural for kind in each.contexts)}")
        if each.limits:
            echo(f"  limits   {each.limits}")
        echo("  format   tflite")
        echo(f"  sha256   {each.sha256}")
        echo(f"  licence  {each.licence}")
        echo(f"  origin   {each.origin}")
    echo(describe())
