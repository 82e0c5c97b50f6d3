"""Views that read well: the questions that a crystallographer asks of the table first."""

from __future__ import annotations

__all__ = ["BEST_FIRST", "BEST_KEYS", "VIEWS"]

BEST_KEYS = (
    "is_retracted OR has_errors OR is_theoretical OR coalesce(n_sites, 0) = 0",
    "is_suboptimal OR is_duplicate",
    "has_disorder",
    "r1",
    "d_min_angstrom",
    "entry_id",
)
"""What orders the entries of a cluster: sound ones first, then ordered, then by R1, resolution and name."""
BEST_FIRST = ", ".join(f"{key} NULLS LAST" for key in BEST_KEYS)
"""That order in SQL; what is unknown comes last."""

_USED = """
    entry_id, doi, year, formula_declared, "class", sg_number, sg_hm,
    a_angstrom, b_angstrom, c_angstrom, alpha_degree, beta_degree, gamma_degree, volume_angstrom3,
    volume_per_non_h_atom_angstrom3, h_fraction, u_iso_mean_angstrom2, n_sites_non_h, n_special_positions,
    temperature_kelvin, pressure_kilopascal, radiation, method, d_min_angstrom, r1
"""

_GOOD = """
    NOT is_retracted AND NOT has_errors AND NOT is_duplicate AND NOT is_suboptimal AND NOT is_theoretical
    AND NOT is_superspace AND NOT is_macromolecule
"""

VIEWS: dict[str, tuple[str, str]] = {
    "structures": (
        "Ordered structures without a bad mark (retracted, errors, duplicate, suboptimal, theoretical, "
        "superspace, macromolecule), with sites, in the columns used most",
        f"SELECT {_USED} FROM entry WHERE {_GOOD} AND NOT has_disorder AND n_sites > 0",
    ),
    "p21c": (
        "Entries of space group no. 14 in any setting: as declared, and as the least-oblique P2₁/c",
        f"""SELECT {_USED}, least_oblique_a_angstrom, least_oblique_b_angstrom, least_oblique_c_angstrom,
            least_oblique_beta_degree, least_oblique_operator, is_retracted, has_errors, is_duplicate,
            is_suboptimal, has_disorder FROM entry WHERE sg_number = 14""",
    ),
    "best_of_cluster": (
        "The best entry of each cluster of redeterminations, with the size of its cluster",
        """SELECT entry.*, cluster_id, cluster_size
           FROM entry JOIN cluster USING (entry_id) WHERE is_best""",
    ),
    "redeterminations": (
        "Clusters of two and more entries: one structure determined again, or at another temperature",
        """SELECT cluster_id, cluster_size, entry_id, is_best, formula_cell, sg_number, niggli_a_angstrom,
           niggli_b_angstrom, niggli_c_angstrom, temperature_kelvin, pressure_kilopascal, r1, d_min_angstrom
           FROM cluster JOIN entry USING (entry_id) WHERE cluster_size > 1
           ORDER BY cluster_size DESC, cluster_id, entry_id""",
    ),
    "space_groups": (
        "How often each space group occurs: entries, clusters, and share of the entries",
        """SELECT sg_number, any_value(crystal_system) AS crystal_system, mode(sg_hm) AS commonest_setting,
           count(*) AS entries, count(DISTINCT cluster_id) AS clusters,
           round(100.0 * count(*) / sum(count(*)) OVER (), 3) AS percent
           FROM entry LEFT JOIN cluster USING (entry_id)
           GROUP BY sg_number ORDER BY entries DESC, sg_number""",
    ),
    "rejections_by_reason": (
        "Why files and blocks gave no entry, by stage and code, with one of each as an example",
        """SELECT stage, code, count(*) AS rejections, count(DISTINCT (source, file_id)) AS files,
           min(source || ':' || file_id) AS example FROM rejection
           GROUP BY stage, code ORDER BY rejections DESC, stage, code""",
    ),
    "hydrogen": (
        "Where the hydrogen count comes from, and the mean mole fraction of hydrogen, by class",
        """SELECT "class", hydrogen_origin, count(*) AS entries, round(avg(h_fraction), 4) AS mean_h_fraction,
           round(stddev_samp(h_fraction), 4) AS sd_h_fraction FROM entry
           GROUP BY "class", hydrogen_origin ORDER BY "class", hydrogen_origin""",
    ),
    "status": (
        "How many entries carry each mark of their database, by source",
        """SELECT source, count(*) AS entries, count_if(is_retracted) AS retracted,
           count_if(has_errors) AS errors, count_if(has_warnings) AS warnings,
           count_if(is_duplicate) AS duplicates, count_if(is_suboptimal) AS suboptimal,
           count_if(on_hold_until IS NOT NULL) AS on_hold, count_if(is_theoretical) AS theoretical,
           count_if(is_superspace) AS superspace, count_if(is_macromolecule) AS macromolecules,
           count_if(has_disorder) AS disordered FROM entry GROUP BY source ORDER BY source""",
    ),
    "elements": (
        "How often each element occurs: sites on general and on special positions, and entries",
        """SELECT element, count(*) AS sites, count_if(NOT is_special) AS general,
           count_if(is_special) AS special, count(DISTINCT entry_id) AS entries
           FROM site WHERE element IS NOT NULL GROUP BY element ORDER BY sites DESC, element""",
    ),
    "sources": (
        "Files, entries and rejections of each source",
        """SELECT source, count(*) AS files, sum(size_bytes) AS bytes,
           (SELECT count(*) FROM entry WHERE entry.source = file.source) AS entries,
           (SELECT count(*) FROM rejection WHERE rejection.source = file.source) AS rejections
           FROM file GROUP BY source ORDER BY source""",
    ),
}
"""Name, meaning and query of every view."""
