"""The sample of a large subset, from whose sites the priors that need sites are fitted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tables import entry, make_database, site

from xtalpriors.mining import DEFAULT_SUBSETS, write_subset
from xtalpriors.mining.subsets.files import sites_path
from xtalpriors.mining.subsets.sample import Sample, sample_of
from xtalpriors.priors.fitting import fit

CRYSTALS = 40


def subset_of(folder: Path, crystals: range) -> Path:
    """Crystals with cells of their own, each determined once or twice, of two sites each."""
    names = [(f"x:{100 + i}{letter}", i) for i in crystals for letter in ("ab" if i % 2 else "a")]
    cells = {i: (4.5 * 1.04 ** (i % 8), 6.5 * 1.04 ** (i // 8), 9.5, 90.0, 95.0, 90.0) for i in crystals}
    rows = [entry(name, cells[i]) for name, i in names]
    sites = [
        site(name, k, element, x=0.1 + 0.2 * k, u_iso_angstrom2=0.02, u_is_evidence=True, is_special=False)
        for name, _ in names
        for k, element in enumerate("CO")
    ]
    folder.mkdir()
    database = make_database(folder / "d.duckdb", rows, sites)
    write_subset(database, DEFAULT_SUBSETS["p21c-10"], folder / "s.parquet")
    return folder / "s.parquet"


def rows_of(path: Path) -> list[dict[str, object]]:
    with pq.ParquetFile(path) as file:
        return pa.Table.to_pylist(file.read())


@pytest.fixture(scope="module")
def subset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return subset_of(tmp_path_factory.mktemp("sample") / "s", range(CRYSTALS))


def sampled(subset: Path, folder: Path, most: int) -> Sample:
    folder.mkdir()
    found = sample_of(subset, folder, most)
    assert found is not None
    return found


def test_a_sample_has_whole_clusters_and_all_of_their_sites(subset: Path, tmp_path: Path) -> None:
    found = sampled(subset, tmp_path / "of", 20)
    whole, part = rows_of(subset), rows_of(found.subset)
    assert (found.n_structures, found.n_whole) == (len(part), len(whole)) == (len(part), 60)
    assert 18 <= len(part) <= 20, "no more than asked for, and no cluster less than would fit"
    assert [row for row in whole if row["entry_id"] in {r["entry_id"] for r in part}] == part
    sizes = Counter(row["cluster_id"] for row in whole)
    assert len(sizes) == CRYSTALS
    assert Counter(row["cluster_id"] for row in part).items() <= sizes.items()
    chosen = {row["entry_id"] for row in part}
    sites = rows_of(sites_path(found.subset))
    expected = [row for row in rows_of(sites_path(subset)) if row["entry_id"] in chosen]
    assert sites == [{name: row[name] for name in sites[0]} for row in expected]
    assert len(sites) == 2 * len(part)


def test_a_subset_that_is_not_larger_is_its_own_sample(subset: Path, tmp_path: Path) -> None:
    assert sample_of(subset, tmp_path, 60) is None
    assert not list(tmp_path.iterdir())


def test_an_update_only_lets_new_structures_into_a_sample(subset: Path, tmp_path: Path) -> None:
    """What one sample holds and the next does not has been replaced by structures that are new."""
    grown = subset_of(tmp_path / "grown", range(CRYSTALS + 8))
    before = {row["cluster_id"] for row in rows_of(sampled(subset, tmp_path / "before", 20).subset)}
    after = {row["cluster_id"] for row in rows_of(sampled(grown, tmp_path / "after", 20).subset)}
    former = {row["cluster_id"] for row in rows_of(subset)}
    assert after & former <= before
    assert len(after & before) > len(before) / 2


def test_only_what_is_read_from_sites_is_fitted_to_the_sample(
    subset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = rows_of(sampled(subset, tmp_path / "of", 40).subset)
    monkeypatch.setattr(fit, "MOST_STRUCTURES", 40)
    bundle = fit.fit_subset(subset, tmp_path / "s.json", bootstrap=100)
    priors = bundle.priors
    assert priors.cell_volume is not None and priors.cell_volume.n == 60
    assert priors.distances is not None and priors.distances.n_structures == len(part) < 60
    assert priors.elements is not None and priors.elements.general.n_sites == 2 * len(part)
    assert priors.elements.general.n_clusters == len({row["cluster_id"] for row in part})
    assert bundle.created_from.structures == 60
    told = f"fitted to a sample of {len(part)} of the 60 structures"
    fitted_to_it = {name for name, warning in bundle.warnings.items() if warning == told}
    assert fitted_to_it == {"bonds", "cell", "contents", "coordination", "distances", "elements"}
