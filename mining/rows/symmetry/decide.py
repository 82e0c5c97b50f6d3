"""The space group of every structure of a batch: at the file's word, or by its contents where that differs.

A list of operators with which every symbol agrees is taken at once. Of contradictory statements the first is
taken with which the cell and the contents agree, the list of operators before all others if they do not tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from xtalpriors.crystal.symmetry.candidates import Candidate, alternatives, is_settled
from xtalpriors.crystal.symmetry.resolve import Reading, Resolution, SymmetryFailure, members_of
from xtalpriors.mining.reading.intake import FileBlocks
from xtalpriors.mining.rows.batch import Batch
from xtalpriors.mining.rows.block_cells import BlockCells
from xtalpriors.mining.rows.entries import Entries, entries_of
from xtalpriors.mining.rows.select import Chosen
from xtalpriors.mining.rows.site_table import Sites
from xtalpriors.mining.rows.symmetry.evidence import (
    AGAINST,
    EXACT,
    NEAR,
    UNKNOWN,
    Verdict,
    crowded,
    judge,
    statements,
)

__all__ = ["decided_entries"]

_SUPPORT: Final = 0.5
"""Share of a broken list that must belong to a declared group which takes its place without any contents."""
_SAME: Final = 1e-3
"""Relative: numbers of atoms that differ by less are the same; another group changes them by a factor."""


@dataclass(slots=True)
class _Case:
    """A block whose statements differ: its place in the list, the answer at its word, and what was tried."""

    place: int
    block: int
    reading: Reading
    first: Verdict | None = None
    tried: list[tuple[Candidate, Verdict]] = field(default_factory=list)
    is_open: bool = True


def decided_entries(
    batch: Batch, cells: BlockCells, sites: Sites, chosen: Chosen, files: Sequence[FileBlocks]
) -> Entries:
    """The entries that the structures of a batch become; those without a group join the rejections."""
    answers = [reading.answer for reading in chosen.readings]
    readings = {id(reading): reading for reading in chosen.readings}  # most have one in common
    unsettled = {key for key, reading in readings.items() if not is_settled(reading)}
    cases = [
        _Case(i, chosen.blocks[i], reading)
        for i, reading in enumerate(chosen.readings)
        if id(reading) in unsettled
    ]
    if cases:
        _try_all(batch, cells, sites, cases)
    for case in cases:
        answers[case.place] = _conclusion(case)
    of_files: list[FileBlocks] = []
    blocks: list[int] = []
    groups: list[Resolution] = []
    for f, block, answer in zip(chosen.files, chosen.blocks, answers, strict=True):
        file = files[f]
        if isinstance(answer, SymmetryFailure):
            name = file.blocks[block - file.first_block]
            chosen.rejections.append((file.file_id, name, "symmetry", answer.code, answer.detail))
        else:
            of_files.append(file)
            blocks.append(block)
            groups.append(answer)
    return entries_of(batch, of_files, np.array(blocks, dtype=np.int64), groups, chosen.notes)


def _try_all(batch: Batch, cells: BlockCells, sites: Sites, cases: list[_Case]) -> None:
    """Judge the answers at the files' word, then the candidates of each case in turn while it is open."""
    at_their_word = [(case, case.reading.answer) for case in cases]
    known = [(case, answer) for case, answer in at_their_word if isinstance(answer, Resolution)]
    for (case, answer), verdict in zip(known, _judged(batch, cells, sites, known), strict=True):
        case.first = verdict
        case.is_open = not (_is_certain(verdict) and answer.agreement != "disagree")
    turn = 0
    while True:
        trial = [
            (case, alternatives(case.reading)[turn])
            for case in cases
            if case.is_open and turn < len(alternatives(case.reading))
        ]
        if not trial:
            _settle_lattices(batch, cells, sites, cases)
            return
        found = _judged(batch, cells, sites, [(case, candidate.resolution) for case, candidate in trial])
        for (case, candidate), verdict in zip(trial, found, strict=True):
            case.tried.append((candidate, verdict))
            case.is_open = not _is_certain(verdict) or candidate.origin in ("mended", "lattice")
        turn += 1


def _settle_lattices(batch: Batch, cells: BlockCells, sites: Sites, cases: list[_Case]) -> None:
    """Of the lattices tried keep the one that explains the contents, unless it puts atoms on each other."""
    found: list[tuple[_Case, tuple[Candidate, Verdict]]] = []
    for case in cases:
        lattices = [pair for pair in case.tried if pair[0].origin == "lattice"]
        case.tried = [pair for pair in case.tried if pair[0].origin != "lattice"]
        only = _only_lattice([pair for pair in lattices if _is_acceptable(*pair, case)])
        if only is not None:
            found.append((case, only))
    if found:
        groups = [candidate.resolution for _, (candidate, _) in found]
        overlaps = crowded(batch, cells, sites, [case.block for case, _ in found], groups)
        for (case, pair), overlap in zip(found, overlaps, strict=True):
            if not overlap:
                case.tried.append(pair)


def _only_lattice(lattices: list[tuple[Candidate, Verdict]]) -> tuple[Candidate, Verdict] | None:
    """The only lattice, or the one that holds all others with the same atoms; None where several differ."""
    if not lattices:
        return None
    largest, verdict = max(lattices, key=lambda pair: pair[0].resolution.group.order)
    members = members_of(largest.resolution.group)
    holds_all = all(
        members >= members_of(other.resolution.group) and abs(of_other.atoms - verdict.atoms) < _SAME
        for other, of_other in lattices
    )
    return (largest, verdict) if holds_all else None


def _judged(
    batch: Batch, cells: BlockCells, sites: Sites, trial: list[tuple[_Case, Resolution]]
) -> list[Verdict]:
    blocks = [case.block for case, _ in trial]
    if not blocks:
        return []
    said = statements(batch, cells, blocks)
    return judge(batch, cells, sites, blocks, [resolution for _, resolution in trial], said)


def _is_certain(verdict: Verdict) -> bool:
    return verdict.cell and verdict.contents == EXACT


def _conclusion(case: _Case) -> Resolution | SymmetryFailure:
    """The group taken, with notes on why it is another one than the file's word, or why it is not."""
    answer, first = case.reading.answer, case.first
    acceptable = [(c, verdict) for c, verdict in case.tried if _is_acceptable(c, verdict, case)]
    if sum(candidate.origin == "mended" for candidate, _ in acceptable) > 1:  # nobody can say which
        acceptable = [(c, verdict) for c, verdict in acceptable if c.origin != "mended"]
    best = max(acceptable, key=lambda pair: pair[1].contents, default=None)  # the first of equals
    if best is not None:
        return _noted(best[0].resolution, f"decided-by-{_reason(best[1], first)}")
    if first is None or not isinstance(answer, Resolution) or answer.agreement != "disagree":
        return answer
    if not first.cell or first.contents == AGAINST:
        return _noted(answer, "symmetry-contradicted")
    others = [verdict for _, verdict in case.tried if verdict.cell and verdict.contents >= first.contents]
    if first.contents >= NEAR and case.tried and not others:
        return _noted(answer, "symbol-contradicted", f"decided-by-{first.by}")
    return answer


def _is_acceptable(candidate: Candidate, verdict: Verdict, case: _Case) -> bool:
    """The candidate may take the place of the answer at the file's word."""
    first, answer = case.first, case.reading.answer
    if not verdict.cell:
        return False
    if _holds_whole_orbits(candidate, verdict, case) or _fits_but_for_z(candidate, verdict, first):
        return True
    if candidate.origin == "origin":
        told = verdict.contents == EXACT and verdict.alone == EXACT and verdict.witnesses > 0
        return told and first is not None and first.contents == AGAINST
    if verdict.contents == AGAINST:
        return False
    if candidate.origin == "lattice":
        # Z alone is misprinted more often than a lattice letter; triclinic cells are not centred
        group = candidate.resolution.group
        return verdict.witnesses == 2 and group.hm is not None and group.crystal_system != "triclinic"
    if first is None or not isinstance(answer, Resolution):
        return verdict.contents >= NEAR or candidate.support >= _SUPPORT
    if verdict.contents == UNKNOWN and first.contents == UNKNOWN:  # settings of one group
        return not first.cell and candidate.resolution.group.number == answer.group.number
    if not first.cell:
        return verdict.contents >= first.contents
    return verdict.contents > first.contents


def _holds_whole_orbits(candidate: Candidate, verdict: Verdict, case: _Case) -> bool:
    """The list is that of a subgroup, and the declared group adds no atom: it goes with a whole cell."""
    first, is_subgroup = case.first, bool(case.reading.operators) and candidate.support == 1.0
    if candidate.origin != "declared" or not is_subgroup or first is None or not first.cell:
        return False
    same = abs(verdict.atoms - first.atoms) < _SAME * verdict.atoms
    return same and verdict.contents == first.contents


def _fits_but_for_z(candidate: Candidate, verdict: Verdict, first: Verdict | None) -> bool:
    """The list has axes that the cell has not, and on those of the cell it makes the formula.

    Z is then that of the other axes, three times or a third.
    """
    return candidate.origin == "axes" and first is not None and not first.cell and verdict.alone == EXACT


def _reason(verdict: Verdict, first: Verdict | None) -> str:
    """What made the difference to the answer at the file's word."""
    if first is None:
        return "symbol" if verdict.contents == UNKNOWN else verdict.by
    if not first.cell:
        return "cell"
    if verdict.contents == first.contents:
        return "sites"
    return first.by if first.by == "volume" else verdict.by


def _noted(resolution: Resolution, *notes: str) -> Resolution:
    return resolution._replace(notes=tuple(sorted({*resolution.notes, *notes})))
