"""Arguments that are paths of this machine or addresses of stores."""

from __future__ import annotations

import click

from anonymizer.addresses import Place, to_place


class PlaceType(click.ParamType):  # type: ignore[type-arg]  # older versions of click take none
    """What a user writes, as a `Place`."""

    name = "path"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Place:
        try:
            return to_place(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


PLACE = PlaceType()
