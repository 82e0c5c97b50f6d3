"""The bundle: every prior of one subset in one JSON file, with where it came from and a digest.

Reading a bundle needs pydantic, NumPy and SciPy only: the generator runs without a database.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, PrivateAttr, ValidationError

from xtalpriors.atomic_write import write_text
from xtalpriors.canonical_json import canonical_json, digest, rounded
from xtalpriors.errors import XtalpriorsError
from xtalpriors.frozen_model import Frozen, plain
from xtalpriors.outputs import FileKind, content_of, is_not, json_with
from xtalpriors.priors.kinds.axis_ratio import AxisRatio
from xtalpriors.priors.kinds.bonds import Bonds
from xtalpriors.priors.kinds.cell import Cell
from xtalpriors.priors.kinds.cell_volume import CellVolume
from xtalpriors.priors.kinds.contents import Contents
from xtalpriors.priors.kinds.coordination import Coordination
from xtalpriors.priors.kinds.diffraction import Diffraction
from xtalpriors.priors.kinds.displacement import Displacement
from xtalpriors.priors.kinds.distances import Distances
from xtalpriors.priors.kinds.elements import Elements
from xtalpriors.priors.kinds.hydrogen import Hydrogen
from xtalpriors.priors.kinds.monoclinic_angle import MonoclinicAngle
from xtalpriors.priors.kinds.packing import Packing
from xtalpriors.priors.kinds.space_groups import SpaceGroups
from xtalpriors.priors.kinds.special_positions import SpecialPositions
from xtalpriors.priors.kinds.triclinic_skew import TriclinicSkew

__all__ = [
    "BUNDLE",
    "SCHEMA_VERSION",
    "CreatedFrom",
    "PriorBundle",
    "Priors",
    "WaterfallStep",
    "bundle_file",
    "json_schema",
    "load_bundle",
    "make_bundle",
    "parse_bundle",
    "published_bundle",
    "save_bundle",
]

SCHEMA_VERSION: Final = 2
"""Raised when a field of a prior is added, removed or changes its meaning. Bundles of schema 1 are read, as
bundles without the priors of `LATER_PRIORS`."""
DIGEST_VERSION: Final = 1
"""Part of `priors_digest`: raised when a prior changes its meaning, since the same numbers then give other
structures."""
LATER_PRIORS: Final = ("contents", "cell", "bonds", "coordination")
"""Priors that schema 1 did not have. One that is null is left out of the digest, so that a bundle without
them has the digest that it had, and the same structures."""
BUNDLE = FileKind("a prior bundle", json_with("schema_version", "priors", "priors_digest"))
ELEMENT_COUNTS = "element-counts.json"
"""Lies beside the published bundles: what one of them was made from."""
_PUBLISHED = Path(__file__).resolve().parent / "published"


class WaterfallStep(Frozen):
    """Structures left after one filter."""

    step: str
    n: int


class CreatedFrom(Frozen):
    """What the priors were fitted to; nothing in it varies between two runs on the same input."""

    corpus: str = Field(description="Corpus, or the publication")
    revision: str | None = Field(default=None, description="Revision of the corpus, where it has one")
    database_digest: str | None = Field(
        default=None, description="Digest of the mined database, of bundles without `subset_digest`"
    )
    subset_digest: str | None = Field(
        default=None, description="Digest of the subset: its definition and every structure in it"
    )
    structures: int | None = Field(default=None, description="Structures in the subset")
    clusters: int | None = Field(default=None, description="Clusters of redeterminations among them")
    subset: dict[str, Any] | None = Field(default=None, description="The subset's definition")
    parent: str | None = Field(
        default=None, description="Name of the subset that a small one was pooled towards"
    )
    waterfall: tuple[WaterfallStep, ...] = Field(
        default=(), description="Structures left after each filter, of bundles without `subset_digest`"
    )
    extractor_version: str | None = Field(default=None, description="Version of the reading code")
    weighting: Literal["cluster", "best-of-cluster"] | None = Field(
        default=None,
        description="`cluster`: each structure counts 1/size of its cluster; or only the best counts",
    )
    seed: int | None = Field(default=None, description="Seed of the bootstrap")
    bootstrap: int | None = Field(default=None, description="Bootstrap replicates")
    doi: str | None = Field(default=None, description="Publication")


class Priors(Frozen):
    """One field per prior; null where the subset (or the paper) does not give it, see `unavailable`."""

    cell_volume: CellVolume | None = None
    axis_ratio: AxisRatio | None = None
    monoclinic_angle: MonoclinicAngle | None = None
    triclinic_skew: TriclinicSkew | None = None
    elements: Elements | None = None
    special_positions: SpecialPositions | None = None
    displacement: Displacement | None = None
    packing: Packing | None = None
    hydrogen: Hydrogen | None = None
    space_groups: SpaceGroups | None = None
    diffraction: Diffraction | None = None
    distances: Distances | None = None
    contents: Contents | None = None
    cell: Cell | None = None
    bonds: Bonds | None = None
    coordination: Coordination | None = None


class PriorBundle(Frozen):
    """Everything a generator needs to know about one population of crystals."""

    schema_version: Literal[2] = SCHEMA_VERSION
    name: str = Field(description="Subset or publication")
    created_from: CreatedFrom
    priors: Priors
    unavailable: dict[str, str] = Field(
        default_factory=dict, description="Why a prior, or a part of one, is null: dotted name to reason"
    )
    warnings: dict[str, str] = Field(
        default_factory=dict, description="What to know before using a prior: dotted name to warning"
    )
    priors_digest: str = Field(description="BLAKE2b-128 of the priors as canonical JSON")
    _file: Path | None = PrivateAttr(default=None)

    def __eq__(self, other: object) -> bool:
        """Two bundles with the same content are equal, wherever they were read."""
        return isinstance(other, PriorBundle) and self.__dict__ == other.__dict__

    def __str__(self) -> str:
        have = [name for name in type(self.priors).model_fields if getattr(self.priors, name) is not None]
        lack = [name for name in type(self.priors).model_fields if name not in have]
        lines = [
            f"{self.name}: {len(have)} of {len(have) + len(lack)} priors, digest {self.priors_digest}",
            *(f"  no {name}: {self.unavailable.get(name, 'it was not fitted')}" for name in lack),
        ]
        return "\n".join(lines)

    @property
    def file(self) -> str | None:
        """Where it was read, as FILE or REVISION:FILE; null if it was made here or ships with the package."""
        is_own = self._file is not None and self._file.parent != _PUBLISHED
        return str(self._file) if is_own else None

    @property
    def called(self) -> str:
        """What messages call it: `bundle FILE` if it was read from a file of the user's, else its name."""
        return f"bundle {self.file or repr(self.name)}"

    @property
    def first_priors_digest(self) -> str:
        """Digest of the priors that schema 1 had: the `priors_digest` without the later ones."""
        content = self.priors.model_dump(mode="json")
        return _digest_of(content | dict.fromkeys(LATER_PRIORS))

    def require(self, name: str, or_else: str = "another strategy") -> Any:
        """The prior `name`, or an error that says why the bundle has none and what else can be done."""
        prior = getattr(self.priors, name)
        if prior is None:
            reason = self.unavailable.get(name, "it was not fitted")
            raise XtalpriorsError(
                f"{self.called} has no prior {name!r}: {reason}. Use a "
                f"bundle that has it (`xtalpriors priors show FILE` lists what one has), or {or_else}."
            )
        return prior


def _digest_of(priors: dict[str, Any]) -> str:
    counted = {k: v for k, v in priors.items() if v is not None or k not in LATER_PRIORS}
    return digest({"schema_version": DIGEST_VERSION, "priors": counted})


def make_bundle(
    name: str,
    created_from: CreatedFrom,
    priors: Priors,
    *,
    unavailable: dict[str, str] | None = None,
    warnings: dict[str, str] | None = None,
) -> PriorBundle:
    """Bundle of some priors, every float rounded as it will be in the file, with its digest."""
    content = rounded(priors.model_dump(mode="json"))
    return PriorBundle(
        name=name,
        created_from=CreatedFrom.model_validate(rounded(created_from.model_dump(mode="json"))),
        priors=Priors.model_validate(content),
        unavailable=unavailable or {},
        warnings=warnings or {},
        priors_digest=_digest_of(content),
    )


def save_bundle(bundle: PriorBundle, path: Path) -> None:
    """Write the bundle as JSON, sorted and atomically: the same bundle gives the same bytes."""
    write_text(path, canonical_json(bundle.model_dump(mode="json"), indent=1) + "\n", BUNDLE)


def bundle_file(given: Path | str) -> Path:
    """The file of a bundle that is given by its path, or by its name if it ships with the package.

    `melgalvis-2026` is the paper's, unless a file of that name is there.
    """
    path = Path(given)
    named = _PUBLISHED / f"{path.name}.json"
    by_name = path.name == str(given) and not path.suffix and not path.exists()
    return named if by_name and named.name in _published_files() else path


def _published_files() -> list[str]:
    return sorted(p.name for p in _PUBLISHED.glob("*.json") if p.name != ELEMENT_COUNTS)


def _published_names() -> str:
    return ", ".join(name.removesuffix(".json") for name in _published_files())


def load_bundle(path: Path | str) -> PriorBundle:
    """Read a bundle and check it.

    Parameters
    ----------
    path
        Its file, or the name of a published one (see `bundle_file`).

    Raises
    ------
    XtalpriorsError
        The file is missing, no JSON, of another schema version, not a bundle, or was edited by hand.
    """
    path = bundle_file(path)
    return parse_bundle(_read(path), path)


def parse_bundle(content: bytes, path: Path) -> PriorBundle:
    """The bundle that a file's content is, checked as by `load_bundle`; `path` is what messages call it."""
    raw = _object(content, path)
    _check_version(raw, path)
    if raw["schema_version"] == 1:
        raw = _of_schema_1(raw)
    try:
        bundle = PriorBundle.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise XtalpriorsError(
            f"{path} is no valid prior bundle: {where} {plain(first['msg'])} ({error.error_count()} in all). "
            f"{_regenerate(raw)}"
        ) from error
    if _digest_of(raw["priors"]) != bundle.priors_digest:
        raise XtalpriorsError(
            f"{path} was changed after it was made: its priors do not match priors_digest "
            f"{bundle.priors_digest}. "
            f"A bundle is never edited by hand; restore the file, or {_regenerate(raw).lower()}"
        )
    bundle._file = path
    return bundle


def published_bundle(name: str = "melgalvis-2026") -> PriorBundle:
    """A bundle of a publication, as shipped with the package."""
    file = f"{name}.json"
    if file not in _published_files():
        raise XtalpriorsError(f"no published bundle {name!r}; there are: {_published_names()}")
    return load_bundle(_PUBLISHED / file)


def json_schema() -> str:
    """JSON Schema (draft 2020-12) of a bundle, generated from the models."""
    schema = PriorBundle.model_json_schema(mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$id"] = f"bundle-{SCHEMA_VERSION}.json"
    return json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise XtalpriorsError(
            f"there is no bundle {path}. Make one with `xtalpriors fit --output {path}`, or give the name of "
            f"a published one: {_published_names()}."
        ) from error
    except OSError as error:
        if path.is_dir():
            raise XtalpriorsError(_is_folder(path)) from error
        raise XtalpriorsError(f"cannot read the bundle {path}: {error.strerror or error}.") from error


def _is_folder(path: Path) -> str:
    """Sentence on a folder that is given as a bundle, with the bundles that lie in it."""
    found = sorted(file for file in path.glob("*.json") if _is_bundle(file))
    if not found:
        return f"{path} is a folder without prior bundles, and a bundle is a file: name that file."
    more = f" (or another of the {len(found)} there)" if len(found) > 1 else ""
    return f"{path} is a folder, and a prior bundle is a file: name {found[0]}{more}."


def _is_bundle(path: Path) -> bool:
    try:
        return BUNDLE.is_own(path)
    except (OSError, ValueError):
        return False


def _object(content: bytes, path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(content)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        found = content_of(path)
        raise XtalpriorsError(
            f"{path} was cut short or damaged ({error}). Copy it again, or fit the subset again."
            if found == "JSON"
            else is_not(path, "a prior bundle", "fit")
        ) from error
    if not isinstance(raw, dict) or "priors" not in raw or "schema_version" not in raw:
        raise XtalpriorsError(is_not(path, "a prior bundle", "fit"))
    return raw


def _check_version(raw: dict[str, Any], path: Path) -> None:
    version = raw["schema_version"]
    if version in (1, SCHEMA_VERSION) and not isinstance(version, bool):
        return
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise XtalpriorsError(
            f"{path} has bundle schema {version}; this xtalpriors reads {SCHEMA_VERSION}. Upgrade xtalpriors."
        )
    raise XtalpriorsError(
        f"{path} has bundle schema {version!r}, which cannot be migrated to {SCHEMA_VERSION}. "
        f"{_regenerate(raw)}"
    )


def _of_schema_1(raw: dict[str, Any]) -> dict[str, Any]:
    """The content of an older bundle as one of this schema: without the priors that came later."""
    told = raw.get("unavailable")
    reasons = dict.fromkeys(LATER_PRIORS, "the bundle was made before there was one: fit the subset again")
    return raw | {
        "schema_version": SCHEMA_VERSION,
        "unavailable": told | reasons if isinstance(told, dict) else told,
    }


def _regenerate(raw: dict[str, Any]) -> str:
    """The command that makes the bundle again."""
    name = raw.get("name") if isinstance(raw.get("name"), str) else "NAME"
    return f"Make it again with `xtalpriors fit --subset {name}.parquet --output {name}.json`."
