"""Histograms of interatomic distances to 6 Å: the kernel beside pymatgen's neighbour lists.

Real minerals (AMCSD), the same structures on both sides, CPU time, interleaved, median of several rounds.
pymatgen's structures are made beforehand; its side is `get_neighbor_list` and `numpy.histogram`. Both
give one histogram, as is shown first; what they differ by are distances on the edge of a bin.

    python benchmarks/distances.py [--structures 300] [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pymatgen.core import Lattice, Structure

from xtalpriors.crystal import SYMBOLS, StructureArrays, distance_histograms
from xtalpriors.mining import extract, structure_arrays
from xtalpriors.mining.sources.amcsd import AmcsdSource

EDGES = np.linspace(0, 6, 121)


def tables(count: int) -> tuple[pa.Table, pa.Table]:
    """Entries and sites of ordered minerals, spread over the database."""
    source = AmcsdSource()
    names = [file.file_id for file in source.files()]
    step = max(len(names) // (3 * count), 1)
    found = extract(
        source.name, source.database, source.text_origin, [(n, source.read(n)) for n in names[::step]]
    )
    rows = found.entries.to_pydict()
    flags = zip(rows["has_partial_occupancy"], rows["has_mixed_sites"], rows["notes"], strict=True)
    good = [not partial and not mixed and not notes for partial, mixed, notes in flags]
    entries = found.entries.filter(pa.array(good)).slice(0, count)
    return entries, found.sites


def written_out(arrays: StructureArrays) -> list[Structure]:
    """pymatgen structures of the whole cells."""
    structures = []
    for s in range(len(arrays)):
        lattice = Lattice.from_parameters(*arrays.cells[s])
        group = slice(arrays.group_offsets[arrays.group_of[s]], arrays.group_offsets[arrays.group_of[s] + 1])
        species: list[str] = []
        coordinates: list[npt.NDArray[np.float64]] = []
        for site in range(arrays.offsets[s], arrays.offsets[s + 1]):
            images = arrays.rotations[group] @ arrays.fract[site] + arrays.translations[group]
            orbit: list[npt.NDArray[np.float64]] = []
            for image in images:
                steps = [image - known - np.rint(image - known) for known in orbit]
                if all(np.linalg.norm(lattice.get_cartesian_coords(d)) > 0.1 for d in steps):
                    orbit.append(image)
            species += [SYMBOLS[arrays.atomic_number[site]]] * len(orbit)
            coordinates += orbit
        structures.append(Structure(lattice, species, coordinates))
    return structures


def by_pymatgen(structures: list[Structure]) -> npt.NDArray[np.float64]:
    """Mean of the structures' normalised histograms."""
    total = np.zeros(len(EDGES) - 1)
    for structure in structures:
        counts = np.histogram(structure.get_neighbor_list(6.0)[3], bins=EDGES)[0]
        total += counts / counts.sum()
    return total / len(structures) / (EDGES[1] - EDGES[0])


def main() -> None:
    """Print µs per structure of both sides and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--structures", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    arrays, _ = structure_arrays(*tables(options.structures))
    structures = written_out(arrays)
    difference = np.abs(by_pymatgen(structures) - distance_histograms(arrays).all_atoms).max()
    print(f"{len(arrays)} structures, {len(arrays.fract)} sites, densities within {difference:.1e} per Å")
    times: dict[str, list[float]] = {"kernel": [], "pymatgen": []}
    for _ in range(options.rounds):
        for name, run in (
            ("kernel", lambda: distance_histograms(arrays)),
            ("pymatgen", lambda: by_pymatgen(structures)),
        ):
            start = time.process_time()
            run()
            times[name].append(1e6 * (time.process_time() - start) / len(arrays))
    median = {name: statistics.median(values) for name, values in times.items()}
    ratio = statistics.median(p / k for p, k in zip(times["pymatgen"], times["kernel"], strict=True))
    print(f"kernel {median['kernel']:.0f} µs/structure, pymatgen {median['pymatgen']:.0f}, ratio {ratio:.1f}")


if __name__ == "__main__":
    main()
