"""Which generation of a profile can be asked now, and one made current with the model and the way to look it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from device.assembly import Context
from device.teach.boxed import has_boxes
from device.teach.compare_embedders import check_media
from edge_tl.embedders.embedder import Embedder
from edge_tl.embedders.hearing import open_base
from edge_tl.embedders.look.choices import Look
from edge_tl.errors import EdgeTLError, ModelError, ProfileError
from edge_tl.models import default_model
from edge_tl.store.generations import Generation
from edge_tl.store.profile import Profile
from edge_tl.store.settings import Settings, read_needed, write_settings


@dataclass(frozen=True)
class Fit:
    """Knows which generations fit what a profile looks with, and whether its examples have boxes."""

    context: Context
    profile: Profile

    def __call__(self, generation: Generation) -> bool:
        """Whether it can be asked now."""
        return not self.misfit(generation)

    def misfit(self, generation: Generation) -> str:
        """Why a generation cannot be asked now, in a clause; empty where it can."""
        if not generation.ok:
            return "damaged"
        if generation.boxes != self.boxes:
            return (
                "finds boxes, and none were taught"
                if generation.boxes
                else "names whole pictures, and boxes were taught"
            )
        if generation.embedder != self.embedder.fingerprint:
            return f"looks with {generation.looks}, and the profile now with {self.embedder.name}"
        return ""

    @cached_property
    def boxes(self) -> bool:
        """Whether the profile is one of boxes."""
        return has_boxes(self.profile.store)

    @cached_property
    def embedder(self) -> Embedder:
        """What it looks or listens with."""
        return self.context.load_embedder(Look() if self.boxes else None, movements=True)


def roll_back(profile: Profile, fits: Fit) -> int:
    """Make the newest generation before the current one that fits current; its number.

    ProfileError where there is none, with the command that brings the newest other one back.
    """
    _offer([one for one in profile.generations() if one.usable][1:], fits, "before the current one")
    return profile.roll_back(fits)


def roll_forward(profile: Profile, fits: Fit) -> int:
    """Make the first fitting generation that was set aside after the current one current again; as `roll_back`."""
    every = profile.generations()
    current = next((one.number for one in every if one.usable), 0)
    aside = [one for one in reversed(every) if one.ok and one.rolled_back and one.number > current]
    _offer(aside, fits, "that was set aside after the current one")
    return profile.roll_forward(fits)


def _offer(those: list[Generation], fits: Fit, where: str) -> None:
    """ProfileError where none of some generations fits, though there are some."""
    if those and not any(map(fits, those)):
        number = those[0].number
        raise ProfileError(
            f"no generation {where} fits: {number} {fits.misfit(those[0])}; `edge-tl model generations --use {number}` "
            "brings it back with all that it needs"
        )


def bring_back(context: Context, profile: Profile, number: int, progress: Callable[[int, int], bool | None]) -> int:
    """Make a generation current, and where it needs them its model and its way to look too; how many examples were
    embedded again for that.

    progress: as of ExampleStore.reembed; where it ends the work, the same call goes on from there. ProfileError where
    that cannot be: what it needs is not known or not installed.
    """
    wanted = next((one for one in profile.generations() if one.number == number), None)
    embedded = 0
    if wanted is not None and wanted.ok and wanted.embedder != _fingerprint(context, wanted):
        if wanted.settings is None:
            raise ProfileError(
                f"generation {number} looks with {wanted.looks}, and the edge-tl that made it did not keep how: say it "
                "(`edge-tl model use FOLDER`, `edge-tl examples re-embed --look WAY`), then train"
            )
        settings = read_needed(wanted.settings)
        embedder = opened_with(context, settings)
        if embedder.fingerprint != wanted.embedder:
            raise ProfileError(
                f"generation {number} was trained with another {wanted.looks} than the one that is installed: install "
                "that with `edge-tl model use FOLDER`, or train again"
            )
        check_media(profile.store.list())
        write_settings(profile.folder, look=settings.look, hearing=settings.hearing, embedder=settings.embedder)
        embedded = profile.store.reembed(embedder, progress)
        if {one.fingerprint for one in profile.store.list()} - {embedder.fingerprint, ""}:
            return embedded  # it was ended before all were
    profile.use_generation(number)
    return embedded


def _fingerprint(context: Context, wanted: Generation) -> str | None:
    """Of what the profile looks with now, None where that cannot be opened."""
    try:
        return context.load_embedder(Look() if wanted.boxes else None, movements=True).fingerprint
    except EdgeTLError:
        return None


def opened_with(context: Context, settings: Settings) -> Embedder:
    """What a generation was trained with; ModelError where that is not installed."""
    if settings.hearing is not None:
        return open_base(settings.hearing, context.threads)
    place = default_model() if settings.embedder is None else context.embedders_folder / settings.embedder
    if not place.is_dir():
        raise ModelError(f"the model {place.name} is not installed any more: `edge-tl model use FOLDER` installs it")
    return replace(context, model=place).load_embedder(settings.look or Look(), movements=True)
