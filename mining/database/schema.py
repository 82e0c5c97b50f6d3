"""The columns of every table, each with its Arrow type and its meaning: the one place that states them.

The reader fills them, DuckDB stores them, `docs/` prints them. A value that is missing is null; a flag
that the file does not mention is false. Lengths are in ångström, angles in degrees, temperatures in
kelvin, pressures in kilopascal. `declared` is what the file says, everything else is recomputed.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import pyarrow as pa

__all__ = [
    "CLUSTER",
    "ENTRY",
    "EXTRACTOR_VERSION",
    "FILE",
    "REJECTION",
    "RUN",
    "SCHEMA_VERSION",
    "SITE",
    "Column",
    "arrow_schema",
]

SCHEMA_VERSION = 1
"""Raised when a column is added, removed or changes its meaning: a database of another version is refused."""

EXTRACTOR_VERSION = "5"
"""Raised when the same bytes would give other rows: a database made by another version is read again."""


class Column(NamedTuple):
    """One column: its name, Arrow type, meaning, and whether it may be null."""

    name: str
    type: pa.DataType
    meaning: str
    nullable: bool = True


STR, F64, I32, I64, BOOL, I16 = pa.string(), pa.float64(), pa.int32(), pa.int64(), pa.bool_(), pa.int16()


def _cell(prefix: str, what: str) -> list[Column]:
    """Six columns of a cell, `<prefix>a_angstrom` … `<prefix>gamma_degree`."""
    lengths = [Column(f"{prefix}{n}_angstrom", F64, f"{n} of {what}") for n in "abc"]
    angles = [Column(f"{prefix}{n}_degree", F64, f"{n} of {what}") for n in ("alpha", "beta", "gamma")]
    return lengths + angles


# One row a column reads best.
# fmt: off
ENTRY: tuple[Column, ...] = (
    # identity
    Column("entry_id", STR, "Key: `<source>:<file_id>#<block>`, a second block of one name with `#2` after it; a number sign in names is `\\x23`", False),
    Column("source", STR, "Name of the source it was mined from (`cod`, `amcsd`, `csd`, an archive's name)", False),
    Column("file_id", STR, "The file inside its source: path relative to the tree, member of the archive, row key", False),
    Column("block", STR, "Name of the data block, as spelt", False),
    Column("database", STR, "Database that the entry belongs to: COD, AMCSD, CSD; null when the file names none"),
    Column("cod_code", STR, "COD number (`_cod_database_code`)"),
    Column("csd_code", STR, "CSD refcode or CCDC deposition number (`_database_code_CSD`, `…depnum_ccdc_archive`)"),
    Column("content_hash", STR, "BLAKE3 of the file's bytes, of the database's row and the renderer's version where the text is rebuilt (AMCSD); first 128 bits, hexadecimal", False),
    Column("revision", I64, "`$Revision$` of the header, a hint only"),
    Column("text_origin", STR, "`original`, or `rebuilt` where the CIF text was rendered from a database's columns", False),
    Column(
        "reader",
        STR,
        "`scan` (the one-pass scanner, whose reading is gemmi's), `gemmi`, `gemmi-repaired` (after a repair named in `notes`), or `pycifrw`",
        False,
    ),
    Column("doi", STR, "DOI of the publication"),
    Column("journal", STR, "Full name of the journal"),
    Column("year", I32, "Year of publication"),
    Column("notes", STR, "Parse decisions worth knowing, sorted codes joined by `;` (documented in docs/)"),
    # cell
    *_cell("", "the declared cell"),
    *[Column(f"{n}_su_angstrom", F64, f"Standard uncertainty of {n}") for n in "abc"],
    *[Column(f"{n}_su_degree", F64, f"Standard uncertainty of {n}") for n in ("alpha", "beta", "gamma")],
    Column("volume_angstrom3", F64, "Volume, recomputed from the declared cell"),
    Column("volume_declared_angstrom3", F64, "Volume, as the file says"),
    *_cell("niggli_", "the Niggli-reduced primitive cell"),
    *_cell("least_oblique_", "the least-oblique P2₁/c cell (no. 14 only, β nearest 90° and folded to ≥ 90°)"),
    Column("least_oblique_operator", STR, "Change of basis from the declared to the least-oblique P2₁/c setting, as a coordinate triplet"),
    # symmetry
    Column("sg_declared_number", I32, "Number of the space group, as declared"),
    Column("sg_declared_hm", STR, "Hermann–Mauguin symbol, as declared"),
    Column("sg_declared_hall", STR, "Hall symbol, as declared"),
    Column("sg_number", I32, "Number of the space group, computed from the operators in use", False),
    Column("sg_hm", STR, "Extended Hermann–Mauguin symbol of the computed setting (gemmi); null in a setting without a name"),
    Column("sg_hall", STR, "Hall symbol of the computed setting; null in a setting without a name"),
    Column("sg_source", STR, "What the operators came from: `operators`, `hall`, `hm`, `number`", False),
    Column("sg_agreement", STR, "`agree`, `unread` (a symbol cannot be read, the rest agrees), `setting` (same number, another setting), `disagree`, or `undeclared`", False),
    Column("operators", STR, "Operators in use, as triplets, sorted, joined by `;` (identity first)", False),
    Column("n_operators", I32, "Order of the group per cell, centring included", False),
    Column("crystal_system", STR, "triclinic, monoclinic, orthorhombic, tetragonal, trigonal, hexagonal, cubic", False),
    Column("laue_class", STR, "Laue class, e.g. `2/m`", False),
    Column("centrosymmetric", BOOL, "The group contains an inversion", False),
    # contents
    Column("formula_declared", STR, "`_chemical_formula_sum`, as declared"),
    Column("z_declared", F64, "`_cell_formula_units_Z`"),
    Column("formula_sites", STR, "Contents of the cell from the sites (multiplicity × occupancy), Hill order, D counted as H"),
    Column("formula_cell", STR, "Contents of the cell as reconciled: declared formula × Z where it explains the sites, else the sites"),
    Column("formula_units", F64, "Formula units per cell that bring the declared formula nearest to the sites"),
    Column("composition_agreement", STR, "`agree`, `hydrogen` (only H differs), `multiple` (agrees with another Z), `disagree`, `no-formula`, `no-sites`", False),
    Column("n_sites", I32, "Sites of the asymmetric unit with coordinates, dummies and repeated sites left out", False),
    Column("n_sites_non_h", I32, "Of these, not hydrogen", False),
    Column("n_atoms_non_h_cell", F64, "Non-hydrogen atoms per cell: Σ multiplicity × occupancy"),
    Column("n_atoms_h_cell", F64, "Hydrogen atoms per cell, as reconciled"),
    Column("hydrogen_origin", STR, "Where the hydrogen count comes from: `sites`, `attached`, `formula`, `none` (no H anywhere, and none left out), null when unknown"),
    Column("h_fraction", F64, "Mole fraction of hydrogen among all atoms, as reconciled"),
    Column("volume_per_non_h_atom_angstrom3", F64, "Volume of the cell over its non-hydrogen atoms"),
    Column("elements", STR, "Elements of sites and formula, sorted, joined by a blank; D counted as H"),
    Column("class", STR, "`organic` (C with H, no metal), `metal-organic` (C with H or C–metal organic, and a metal), `inorganic`"),
    Column("has_s_block", BOOL, "Contains an s-block metal (groups 1 and 2 without H)", False),
    Column("has_d_block", BOOL, "Contains a d-block element", False),
    # sites in summary
    Column("n_special_positions", I32, "Distinct special positions (orbits) occupied by non-hydrogen atoms"),
    Column("special_letters", STR, "Their Wyckoff letters, sorted, joined by a blank; computed setting's reference setting"),
    Column("n_special_points", I32, "Of these, positions without a free coordinate"),
    Column("u_iso_mean_angstrom2", F64, "Mean U_iso over non-hydrogen sites with evidence (riding and non-positive left out)"),
    Column("u_iso_sd_angstrom2", F64, "Standard deviation of the same"),
    Column("u_iso_n", I32, "Number of sites in that mean", False),
    Column("has_disorder", BOOL, "A disorder group, or a partial occupancy on a position that no other partial site shares", False),
    Column("has_partial_occupancy", BOOL, "Any occupancy below 1", False),
    Column("has_mixed_sites", BOOL, "Two elements on one position", False),
    # experiment
    Column("temperature_kelvin", F64, "Diffraction temperature; null when not given (which is not 293 K)"),
    Column("pressure_kilopascal", F64, "Diffraction pressure"),
    Column("radiation", STR, "`x-ray`, `neutron`, `electron`, `gamma`; null when not given"),
    Column("method", STR, "`single crystal`, `powder`, `theoretical`; null when not known"),
    Column("wavelength_angstrom", F64, "Wavelength"),
    Column("theta_max_degree", F64, "Largest θ of the data"),
    Column("d_min_angstrom", F64, "Resolution: λ / (2 sin θ_max), or as given"),
    Column("completeness", F64, "Measured fraction of the unique reflections to θ_max, 0…1"),
    Column("n_reflections", I32, "Independent reflections used"),
    Column("r1", F64, "R1 of the observed reflections"),
    Column("wr2", F64, "wR2 of all reflections, or wR"),
    # status
    Column("is_retracted", BOOL, "Marked retracted", False),
    Column("has_errors", BOOL, "Marked as having errors", False),
    Column("has_warnings", BOOL, "Marked with a warning", False),
    Column("is_duplicate", BOOL, "Marked as a duplicate of another entry", False),
    Column("duplicate_of", STR, "The entry it is marked a duplicate of"),
    Column("is_suboptimal", BOOL, "A better determination exists, by the database's own mark", False),
    Column("optimal_code", STR, "That better entry"),
    Column("on_hold_until", STR, "Date until which the entry is on hold"),
    Column("is_theoretical", BOOL, "A computed structure", False),
    Column("is_superspace", BOOL, "A modulated structure in superspace", False),
    Column("is_macromolecule", BOOL, "A protein or nucleic acid (mmCIF)", False),
    Column("is_powder", BOOL, "From powder data", False),
    Column("is_electron", BOOL, "From electron diffraction", False),
    Column("has_structure_factors", BOOL, "Observed reflections exist, embedded or in a file named", False),
    Column("has_dummy_sites", BOOL, "Has sites that are no atoms", False),
)

SITE: tuple[Column, ...] = (
    Column("entry_id", STR, "The entry", False),
    Column("site_index", I32, "Position in the file's list, from 0", False),
    Column("label", STR, "Label, as in the file"),
    Column("element", STR, "Element symbol; D and T as H"),
    Column("isotope", STR, "`D` or `T` where the file says so"),
    Column("type_symbol", STR, "Type symbol, as in the file (with its charge)"),
    Column("x", F64, "Fractional coordinate in the declared setting"),
    Column("y", F64, "Fractional coordinate in the declared setting"),
    Column("z", F64, "Fractional coordinate in the declared setting"),
    Column("occupancy", F64, "Chemical occupancy of the position, as in the file; 1 where the file has none at all, null where it is unknown"),
    Column("multiplicity", I16, "Site multiplicity per cell, recomputed from the operators; null for dummies and repeated sites, which count nowhere"),
    Column("site_symmetry_order", I16, "Order of the site symmetry group; × multiplicity = order of the group"),
    Column("declared_multiplicity", I16, "`_atom_site_symmetry_multiplicity`, often the order: never used"),
    Column("wyckoff_letter", STR, "Wyckoff letter in the group's reference setting"),
    Column("is_special", BOOL, "On a special position"),
    Column("u_iso_angstrom2", F64, "U_iso, or U_eq; as found, so it may be ≤ 0"),
    Column("u_iso_origin", STR, "`U` (given, under whichever tag), `B` (from B_iso), `tensor` (a third of the trace, cell metric included), `B-tensor`, `beta-tensor`"),
    Column("u_is_evidence", BOOL, "Positive, ≤ 0.5 Å², of the size of what its tag names, not set by a riding model, and not of a repeated site", False),
    Column("calc_flag", STR, "`_atom_site_calc_flag`: d, calc, c, dum"),
    Column("disorder_assembly", STR, "`_atom_site_disorder_assembly`"),
    Column("disorder_group", STR, "`_atom_site_disorder_group`; negative about a special position"),
    Column("attached_hydrogens", I16, "`_atom_site_attached_hydrogens`"),
)

REJECTION: tuple[Column, ...] = (
    Column("source", STR, "Source", False),
    Column("file_id", STR, "File inside the source", False),
    Column("block", STR, "Block, null when the whole file is rejected"),
    Column("stage", STR, "`read` (bytes), `parse` (CIF syntax), `cell`, `symmetry`, `sites`, `crash` (the reader died), `memory`, `timeout`", False),
    Column("code", STR, "Short reason, one of those documented in docs/", False),
    Column("detail", STR, "What was found, with the tag and the value", False),
)

FILE: tuple[Column, ...] = (
    Column("source", STR, "Source", False),
    Column("file_id", STR, "File inside the source", False),
    Column("size_bytes", I64, "Size", False),
    Column("mtime_ns", I64, "Time of the last change of content, ns since 1970"),
    Column("ctime_ns", I64, "Time of the last change of the inode, ns since 1970"),
    Column("content_hash", STR, "As in `entry`; null when the file cannot be read"),
    Column("revision", I64, "`$Revision$` of the header"),
)

CLUSTER: tuple[Column, ...] = (
    Column("entry_id", STR, "The entry", False),
    Column("cluster_id", STR, "entry_id of the cluster's first member, sorted", False),
    Column("cluster_size", I32, "Number of redeterminations in the cluster", False),
    Column("weight", F64, "1 / cluster_size", False),
    Column("is_best", BOOL, "Best of its cluster: sound by its marks, then ordered, then R1, then resolution, then entry_id", False),
)

RUN: tuple[Column, ...] = (
    Column("started", STR, "Start, UTC", False),
    Column("finished", STR, "End, UTC; null while it runs or when it was interrupted"),
    Column("schema_version", I32, "Version of these tables", False),
    Column("extractor_version", STR, "Version of the reading code: another one re-reads every file", False),
    Column("packages", STR, "Versions of gemmi, PyCifRW, duckdb, pyarrow, as JSON", False),
    Column("n_files_seen", I64, "Files in the manifest", False),
    Column("n_files_read", I64, "Files read in this run", False),
    Column("n_entries", I64, "Entries after the run"),
    Column("n_rejections", I64, "Rejections after the run"),
    Column("seconds", F64, "Duration"),
)
# fmt: on


@cache
def arrow_schema(columns: tuple[Column, ...]) -> pa.Schema:
    """Arrow schema of a table's columns."""
    return pa.schema([pa.field(c.name, c.type, nullable=c.nullable) for c in columns])
