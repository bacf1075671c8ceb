"""From what --source_model says, a name or a folder, to a folder with the model's published files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from calcgraph.tools import hub
from calcgraph.tools.errors import PreparationError
from calcgraph.tools.layout import SERVED, Layout, layout_among, names_in, weights_among

Accepted = Callable[[Path], Sequence[Layout]]
"""From the folder of a model's settings to the layouts that can be worked with, best first."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model's files lie; they are to be read only: a hub's cache and a user's folder stay as they are."""

    folder: Path
    layout: Layout
    origin: str
    """NAME@COMMIT, or the path of a local folder."""


def obtain_source(
    name_or_folder: str, revision: str | None = None, accepted: Accepted = lambda _: SERVED
) -> Source:
    """The source of a model; only the weights of the layout that is chosen are downloaded.

    Raises PreparationError when there is none, and OSError from the disk.
    """
    folder = Path(name_or_folder).expanduser()
    if folder.is_dir():
        layout = _layout(name_or_folder, names_in(folder), accepted(folder))
        return Source(folder, layout, str(folder.resolve()))
    if not hub.is_hub_name(name_or_folder):
        raise PreparationError(
            f"{name_or_folder} is no folder and no name of the hub: expected is a folder with a model, or "
            "ORGANISATION/MODEL"
        )
    chosen: list[Layout] = []

    def weights(settings: Path, names: Sequence[str]) -> Sequence[str]:
        chosen[:] = [_layout(name_or_folder, names, accepted(settings))]
        return weights_among(names, chosen[0])

    folder = hub.download(name_or_folder, revision, weights)
    return Source(folder, chosen[0], f"{name_or_folder}@{folder.name}")


def _layout(name: str, names: Sequence[str], accepted: Sequence[Layout]) -> Layout:
    layout = layout_among(names, accepted)
    if layout is None:
        signs = ", ".join(each.sign for each in accepted)
        raise PreparationError(
            f"{name} holds no model that can be read: expected was one of {signs}"
        )
    return layout
