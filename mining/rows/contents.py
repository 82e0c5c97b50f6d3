"""Columns of the `entry` table on what a cell contains: formulae, class, positions, displacements, disorder.

The arithmetic of the atom counts is in `composition`, their writing as formulae in `contents_text`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from xtalpriors.arrays import F64, I32, I64, Bool
from xtalpriors.compilation import kernel
from xtalpriors.crystal.chemistry.elements import SYMBOLS, block, is_metal
from xtalpriors.crystal.chemistry.species import species_from_label, species_from_type_symbol
from xtalpriors.mining.reading.characters import ZERO
from xtalpriors.mining.reading.tokens import Tokens
from xtalpriors.mining.rows.arrow import coded
from xtalpriors.mining.rows.block_cells import declared_volumes
from xtalpriors.mining.rows.composition import (
    AGREEMENTS,
    HYDROGEN_ORIGINS,
    NO_HYDROGEN,
    UNKNOWN,
    Contents,
    formula_counts,
    reconcile,
    site_counts,
)
from xtalpriors.mining.rows.contents_text import hill_formulas, symbols
from xtalpriors.mining.rows.displacements import Displacements
from xtalpriors.mining.rows.entries import Entries
from xtalpriors.mining.rows.missing_hydrogen import hydrogen_left_out
from xtalpriors.mining.rows.plausible import density_ratios, implausible_volumes, overlapping
from xtalpriors.mining.rows.positions import Positions, special_summary
from xtalpriors.mining.rows.shared_positions import Occupation, occupation
from xtalpriors.mining.rows.site_table import Sites

__all__ = ["atoms_of_sites", "content_columns"]


_IS_METAL: Final = np.array([False] + [is_metal(s) for s in SYMBOLS[1:]])
_IS_S_METAL: Final = np.array([False] + [block(s) == "s" and is_metal(s) for s in SYMBOLS[1:]])
_VOLUME_DIFFERS: Final = 0.02
_CONFIRMED: Final = 0.25
"""Share of the difference between two volumes within which the density confirms one of them."""
_STRAY: Final = 0.1
"""Refined occupancies lie outside 0 to 1 by less; what lies further is no occupancy."""
_IS_D: Final = np.array([False] + [block(s) == "d" for s in SYMBOLS[1:]])


def content_columns(
    entries: Entries,
    volume: F64,
    pressure: F64,
    metric: F64,
    sites: Sites,
    displacements: Displacements,
    positions: Positions,
    first: I64,
) -> dict[str, Any]:
    """Columns of the entries that are made from their sites and formulae.

    Parameters
    ----------
    volume, pressure
        (n,) Å³ and kilopascal.
    metric
        (n, 3, 3) metric tensors in Å².
    sites, displacements, positions
        Of all s sites of the batch.
    first
        (s,) first site on the same position (`shared_positions.first_on_position`).
    """
    non_h = sites.placed & (sites.species.number != 1)
    formulas = entries.texts("formula").to_pylist()
    z = entries.numbers("formula_units")
    z[~(z > 0)] = np.nan
    counts, attached, mixed = atoms_of_sites(entries, sites, positions)
    n_sites = entries.count(sites.placed)
    has_sites = n_sites > 0
    formula, readable = formula_counts(formulas)
    entries.note([e for e in np.flatnonzero(~readable).tolist() if formulas[e]], "formula-unclear")
    contents = reconcile(counts, attached, formula, has_sites, readable, z)
    without = contents.hydrogen_origin == NO_HYDROGEN
    silent = hydrogen_left_out(entries, metric, sites, positions, contents.counts, without)
    contents.hydrogen_origin[silent], contents.counts[silent, 1] = UNKNOWN, np.nan
    columns = _composition(formulas, formula, z, counts, attached, has_sites, contents, volume)
    columns |= {
        "n_sites": n_sites.astype(np.int32),
        "n_sites_non_h": entries.count(non_h).astype(np.int32),
        "has_dummy_sites": entries.count(sites.dummy) > 0,
    }
    special, letters, points = special_summary(entries, positions, first, non_h)
    columns |= {"n_special_positions": special, "special_letters": letters, "n_special_points": points}
    columns |= _displacement(entries, non_h & displacements.evidence, displacements.u_iso)
    occupied = occupation(entries, first, sites)
    columns |= _disorder(entries, occupied)
    columns["has_mixed_sites"][mixed] = columns["has_partial_occupancy"][mixed] = True
    _site_notes(entries, sites)
    implausible, crowded = implausible_volumes(
        entries, formulas, volume, pressure, counts, contents.counts, contents.agreement
    )
    entries.note(np.flatnonzero(implausible), "volume-implausible")
    entries.note(_contradicted_cells(entries, volume, contents), "cell-contradicted")
    overfull = occupied.overfull.copy()
    overfull[overlapping(entries, metric, sites, crowded)] = True
    entries.note(np.flatnonzero(overfull), "overfull-position")
    return columns


def atoms_of_sites(entries: Entries, sites: Sites, positions: Positions) -> tuple[F64, F64, I64]:
    """Atoms per cell (n, elements), hydrogens without sites (n,), entries with several elements on a site."""
    hydrogens = _unlocated_hydrogens(entries, sites)
    of_sites = (sites.species.number, positions.multiplicity, sites.occupancy, hydrogens, sites.placed)
    counts, attached = site_counts(entries.start, entries.end, *of_sites)
    return counts, attached, _share_mixtures(entries, sites, positions, counts)


def _share_mixtures(entries: Entries, sites: Sites, positions: Positions, counts: F64) -> I64:
    """Divide the atoms of sites whose type symbol names several elements; the entries that have such."""
    if not sites.species.mixtures:
        return np.empty(0, dtype=np.int64)
    place = {block: e for e, block in enumerate(entries.block.tolist())}
    found = sorted(i for i in sites.species.mixtures if sites.placed[i])
    kept = [(i, place[b]) for i, b in zip(found, sites.block[found].tolist(), strict=True) if b in place]
    for i, e in kept:
        shares, occupancy = sites.species.mixtures[i], float(sites.occupancy[i])
        if not shares:
            continue
        weight = positions.multiplicity[i] * (1.0 if np.isnan(occupancy) else max(occupancy, 0.0))
        counts[e, sites.species.number[i]] -= weight
        total = sum(share for _, share in shares)
        if abs(total - occupancy) < 0.02:  # the column repeats what the symbol says
            weight /= total
        for number, share in shares:
            counts[e, number] += weight * share
    entries.note(sorted({e for _, e in kept}), "mixed-type-symbol")
    return np.array(sorted({e for _, e in kept}), dtype=np.int64)


def _unlocated_hydrogens(entries: Entries, sites: Sites) -> F64:
    """Hydrogens per site without sites of their own: as attached, or as the symbol says (`Wat`, `O-H`).

    What a symbol implies counts only in a structure without any hydrogen site: with some, the water's may be
    among them.
    """
    hydrogens = np.where(np.isnan(sites.attached), 0.0, sites.attached)
    implied = sites.species.implied_hydrogens
    if implied.any():
        implied = np.where(sites.attached > 0, 0, implied)
        located = entries.count(sites.placed & (sites.species.number == 1)) > 0
        rows = entries.sites
        hydrogens[rows] += np.where(entries.spread(located), 0, implied[rows])
    return hydrogens


def _composition(
    formulas: list[str | None],
    formula: F64,
    z: F64,
    counts: F64,
    attached: F64,
    has_sites: Bool,
    contents: Contents,
    volume: F64,
) -> dict[str, Any]:
    from_sites = counts.copy()
    from_sites[:, 1] += attached
    final = contents.counts
    non_h = counts.sum(axis=1) - counts[:, 1]
    total = final[:, 1:].sum(axis=1)
    known = final[:, 0] == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        h_fraction = np.where(known & (total > 0), final[:, 1] / total, np.nan)
        per_atom = np.where(non_h > 0, volume / non_h, np.nan)
    # Where sites and formula disagree, either may have left an element out.
    present = (np.nan_to_num(final, nan=0.0) > 1e-6) | (counts > 1e-6) | (formula > 0)
    present[:, 0] = False
    by_sites = hill_formulas(from_sites)
    reconciled = list(by_sites)
    differ = np.flatnonzero((final != from_sites).any(axis=1))  # in most entries they do not
    for e, formula_text in zip(differ.tolist(), hill_formulas(final[differ]), strict=True):
        reconciled[e] = formula_text
    return {
        "formula_declared": formulas,
        "z_declared": z,
        "formula_sites": [f if h else None for f, h in zip(by_sites, has_sites.tolist(), strict=True)],
        "formula_cell": reconciled,
        "formula_units": contents.units,
        "composition_agreement": coded(contents.agreement, AGREEMENTS),
        "n_atoms_non_h_cell": np.where(has_sites, non_h, np.nan),
        "n_atoms_h_cell": final[:, 1],
        "hydrogen_origin": coded(contents.hydrogen_origin, HYDROGEN_ORIGINS),
        "h_fraction": h_fraction,
        "volume_per_non_h_atom_angstrom3": per_atom,
        "elements": symbols(present),
        "class": _classes(present),
        "has_s_block": (present & _IS_S_METAL).any(axis=1),
        "has_d_block": (present & _IS_D).any(axis=1),
    }


def _classes(present: Bool) -> pa.Array:
    """`organic`, `metal-organic` or `inorganic` of the elements present (n, elements)."""
    hydrocarbon = present[:, 6] & present[:, 1]
    metal = (present & _IS_METAL).any(axis=1)
    code = np.where(hydrocarbon, np.where(metal, 1, 0), 2)
    return coded(np.where(present.any(axis=1), code, -1), ("organic", "metal-organic", "inorganic"))


def _displacement(entries: Entries, used: Bool, u_iso: F64) -> dict[str, Any]:
    """Mean and sample standard deviation of U_iso over the sites used."""
    value = np.where(used, u_iso, 0.0)
    n = entries.count(used)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = entries.sum(value) / n
        sd = np.sqrt(entries.sum(_squares(entries.start, entries.end, value, used, mean)) / (n - 1))
    return {
        "u_iso_mean_angstrom2": np.where(n > 0, mean, np.nan),
        "u_iso_sd_angstrom2": np.where(n > 1, sd, np.nan),
        "u_iso_n": n.astype(np.int32),
    }


@kernel()
def _squares(start: I32, end: I32, value: F64, used: Bool, mean: F64) -> F64:
    """(s,) square of the difference from the mean (n,) of the entry; 0 for what is not used."""
    squares = np.zeros(value.size)
    for e in range(start.size):
        for i in range(start[e], end[e]):
            if used[i]:
                squares[i] = (value[i] - mean[e]) ** 2
    return squares


@kernel()
def _grouped(tokens: Tokens, null: Bool, assembly: I32, group: I32) -> Bool:
    """(s,) sites of a disordered assembly or group; PART 0 is the ordered part."""
    buffer, start, end = tokens.buffer, tokens.start, tokens.end
    out = np.zeros(assembly.size, dtype=np.bool_)
    for i in range(assembly.size):
        for t in (assembly[i], group[i]):
            if t >= 0 and not null[t]:
                out[i] |= end[t] - start[t] != 1 or buffer[start[t]] != ZERO
    return out


def _disorder(entries: Entries, occupied: Occupation) -> dict[str, Any]:
    batch = entries.batch
    assembly, group = (batch.site_tokens(f"disorder_{name}") for name in ("assembly", "group"))
    grouped = _grouped(batch.tokens, batch.null, assembly, group)
    return {
        "has_disorder": (entries.count(grouped) > 0) | occupied.alone,
        "has_partial_occupancy": occupied.partial,
        "has_mixed_sites": occupied.mixed,
    }


def _contradicted_cells(entries: Entries, volume: F64, contents: Contents) -> I64:
    """Entries whose declared density confirms the declared volume, and not that of the cell.

    A volume that differs alone is often the misprint itself.
    """
    stated = declared_volumes(entries.batch)[entries.block]
    with np.errstate(invalid="ignore"):
        difference = np.abs(stated / volume - 1.0)
        rows: I64 = np.flatnonzero(difference > _VOLUME_DIFFERS)
        if not rows.size:
            return rows
        off = np.abs(density_ratios(entries, stated, contents.counts) - 1.0)
        return rows[off[rows] < _CONFIRMED * difference[rows]]


def _site_notes(entries: Entries, sites: Sites) -> None:
    """Note what was decided about the sites of an entry."""
    unplaced = ~sites.placed & ~sites.dummy & ~sites.repeated
    with np.errstate(invalid="ignore"):
        outside = sites.placed & ((sites.occupancy < 0) | (sites.occupancy > 1.0005))
        impossible = outside & ((sites.occupancy < -_STRAY) | (sites.occupancy > 1.0 + _STRAY))
    found = {
        "sites-without-coordinates": unplaced,
        "atoms-without-coordinates": unplaced & (sites.species.number != 1),
        "dummy-labelled-as-atom": _labelled_as_atoms(entries, sites),
        "repeated-sites": sites.repeated,
        "cartesian-coordinates": sites.cartesian,
        "unknown-element": sites.placed & (sites.species.number == 0),
        "unknown-occupancy": sites.placed & np.isnan(sites.occupancy),
        "occupancy-out-of-range": outside,
        "occupancy-impossible": impossible,
    }
    for code, flags in found.items():
        if flags.any():
            entries.note(np.flatnonzero(entries.count(flags)), code)
    entries.note(np.flatnonzero(entries.count(sites.placed) == 0), "no-sites")


def _labelled_as_atoms(entries: Entries, sites: Sites) -> Bool:
    """(s,) the type symbol is that of a dummy (`Q`), and the label that of an atom (`Mg1`)."""
    found = np.zeros(sites.dummy.size, dtype=np.bool_)
    types, labels = (entries.batch.site_tokens(name) for name in ("type_symbol", "label"))
    for i in np.flatnonzero(sites.species.dummy & (types >= 0) & (labels >= 0)).tolist():
        of_type = species_from_type_symbol(entries.batch.raw(types[i]))
        label = species_from_label(entries.batch.raw(labels[i]))
        found[i] = of_type.kind == "dummy" and label.element is not None
    return found
