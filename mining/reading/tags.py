"""The table of CIF tags that are read, and the short name (field) of each: `a` is `_cell_length_a`.

Tags are compared in one normal form: lower case, with the dots of DDLm and mmCIF as underscores and
without the `[local]_` prefix of older COD files, so that `_cell.length_a` and `_cell_length_a` are one
tag, and so are `_[local]_cod_error_flag` and `_cod_error_flag`. Of several tags of one field the one
listed first wins, if its value is not null.
"""

from __future__ import annotations

__all__ = [
    "ANISO",
    "BLOCK_NUMBERS",
    "BLOCK_TEXTS",
    "PRESENCE",
    "SITE_NUMBERS",
    "SITE_TEXTS",
    "SYMOPS",
    "normal_tag",
]

BLOCK_NUMBERS: dict[str, tuple[str, ...]] = {
    "a": ("_cell_length_a",),
    "b": ("_cell_length_b",),
    "c": ("_cell_length_c",),
    "alpha": ("_cell_angle_alpha",),
    "beta": ("_cell_angle_beta",),
    "gamma": ("_cell_angle_gamma",),
    "volume": ("_cell_volume",),
    "formula_units": ("_cell_formula_units_z",),
    "sg_number": ("_space_group_it_number", "_symmetry_int_tables_number"),
    "year": ("_journal_year", "_citation_year"),
    "temperature": ("_diffrn_ambient_temperature", "_diffrn_ambient_temp", "_cell_measurement_temperature"),
    "pressure": ("_diffrn_ambient_pressure", "_cell_measurement_pressure"),
    "pressure_above": ("_diffrn_ambient_pressure_gt", "_cell_measurement_pressure_gt"),
    "pressure_below": ("_diffrn_ambient_pressure_lt", "_cell_measurement_pressure_lt"),
    "density": ("_exptl_crystal_density_diffrn",),
    "wavelength": (
        "_diffrn_radiation_wavelength",
        "_diffrn_radiation_wavelength_wavelength",
        "_diffrn_radiation_wavelength_value",
        "_pd_proc_wavelength",
        "_cell_measurement_wavelength",
    ),
    "theta_max": ("_diffrn_reflns_theta_max", "_reflns_theta_max"),
    "d_min": ("_reflns_d_resolution_high", "_refine_ls_d_res_high"),
    "d_max": ("_reflns_d_resolution_low", "_refine_ls_d_res_low"),
    "completeness": (
        "_diffrn_measured_fraction_theta_max",
        "_diffrn_reflns_laue_measured_fraction_max",
    ),
    "n_reflections": ("_refine_ls_number_reflns", "_reflns_number_total", "_refine_ls_number_reflns_obs"),
    "r1": ("_refine_ls_r_factor_gt", "_refine_ls_r_factor_obs"),
    "r_all": ("_refine_ls_r_factor_all",),
    "wr2": (
        "_refine_ls_wr_factor_ref",
        "_refine_ls_wr_factor_all",
        "_refine_ls_wr_factor_gt",
        "_refine_ls_wr_factor_obs",
    ),
    "modulation_dimension": ("_cell_modulation_dimension",),
}
"""Numbers that a block states once, by field."""

BLOCK_TEXTS: dict[str, tuple[str, ...]] = {
    "hm": (
        "_space_group_name_h-m_alt",
        "_symmetry_space_group_name_h-m",
        "_space_group_name_h-m_full",
        "_space_group_name_h-m_ref",
        "_space_group_name_h-m",
        "_symmetry_space_group_name_h-m_alt",
    ),
    "hall": ("_space_group_name_hall", "_symmetry_space_group_name_hall"),
    "coordinate_code": ("_space_group_it_coordinate_system_code",),
    "formula": ("_chemical_formula_sum",),
    "other_formula": (
        "_chemical_formula_moiety",
        "_chemical_formula_structural",
        "_chemical_formula_iupac",
        "_amcsd_formula_title",
    ),
    "doi": ("_journal_paper_doi", "_citation_doi", "_citation_pdbx_database_id_doi"),
    "journal": (
        "_journal_name_full",
        "_citation_journal_full",
        "_journal_name_abbrev",
        "_citation_journal_abbrev",
    ),
    "cod_code": ("_cod_database_code", "_database_code_cod"),
    "amcsd_code": ("_database_code_amcsd", "_amcsd_database_code"),
    "refcode": ("_database_code_csd",),
    "ccdc_number": ("_database_code_depnum_ccdc_archive", "_database_code_depnum_ccdc"),
    "probe": ("_diffrn_radiation_probe",),
    "radiation_type": ("_diffrn_radiation_type",),
    "radiation_source": ("_diffrn_source", "_diffrn_radiation_source", "_diffrn_source_source"),
    "exptl_method": ("_exptl_method",),
    "error_flag": ("_cod_error_flag",),
    "issue_severity": ("_cod_entry_issue_severity",),
    "duplicate_of": (
        "_cod_related_duplicate_entry_code",
        "_cod_duplicate_entry",
        "_cod_related_duplicate_entry_id",
    ),
    "suboptimal": ("_cod_suboptimal_structure",),
    "optimal_code": ("_cod_related_optimal_entry_code", "_cod_related_optimal_struct"),
    "on_hold_until": (
        "_cod_hold_until_date",
        "_cod_depositor_requested_release_date",
    ),
    "determination_method": (
        "_cod_struct_determination_method",
        "_cod_structure_determination_method",
    ),
    "fobs_code": ("_cod_database_fobs_code", "_cod_related_diffrn_file_code"),
}
"""Texts that a block states once, by field."""

PRESENCE: dict[str, tuple[str, ...]] = {
    "superspace": (
        "_space_group_ssg_name",
        "_space_group_ssg_name_it",
        "_space_group_ssg_name_wjj",
        "_space_group_symop_ssg_id",
        "_cell_wave_vector_x",
        "_cell_wave_vector_seq_id",
    ),
    "magnetic": (
        "_space_group_magn_number_bns",
        "_space_group_magn_name_bns",
        "_space_group_magn_number_og",
        "_space_group_magn_name_og",
        "_space_group_magn_ssg_name_bns",
        "_space_group_magn_ssg_number_bns",
        "_space_group_magn_transform_bns_pp_abc",
        "_space_group_magn_point_group",
        "_magnetic_space_group_standard_setting",
        "_magnetic_propagation_vector_seq_id",
        "_parent_propagation_vector_id",
        "_parent_propagation_vector_kxkykz",
        "_atom_site_moment_label",
        "_atom_site_moment_crystalaxis_x",
        "_atom_site_moment_crystalaxis_mx",
    ),
    "macromolecule": (
        "_atom_site_group_pdb",
        "_entity_poly_type",
        "_entity_poly_seq_entity_id",
        "_struct_asym_id",
    ),
    "powder": (
        "_pd_proc_ls_prof_r_factor",
        "_pd_proc_ls_prof_wr_factor",
        "_pd_proc_ls_prof_wr_expected",
        "_pd_proc_ls_profile_function",
        "_pd_proc_2theta_range_min",
        "_pd_meas_2theta_range_min",
        "_pd_meas_number_of_points",
        "_pd_meas_scan_method",
        "_pd_calc_method",
    ),
    "single_crystal": (
        "_diffrn_reflns_number",
        "_diffrn_reflns_av_r_equivalents",
        "_exptl_crystal_size_max",
    ),
    "theoretical": ("_tcod_software_package", "_dft_cell_energy", "_tcod_total_energy"),
    "reflections": (
        "_refln_index_h",
        "_shelx_hkl_file",
        "_iucr_refine_reflections_details",
        "_refln_f_squared_meas",
        "_refln_f_meas",
    ),
}
"""What is read off the mere presence of a tag with a value, by field."""

SITE_NUMBERS: dict[str, tuple[str, ...]] = {
    "x": ("_atom_site_fract_x",),
    "y": ("_atom_site_fract_y",),
    "z": ("_atom_site_fract_z",),
    "cartn_x": ("_atom_site_cartn_x",),
    "cartn_y": ("_atom_site_cartn_y",),
    "cartn_z": ("_atom_site_cartn_z",),
    "occupancy": ("_atom_site_occupancy",),
    "declared_multiplicity": (
        "_atom_site_symmetry_multiplicity",
        "_atom_site_site_symmetry_multiplicity",
        "_atom_site_symetry_multiplicity",
    ),
    "u_iso": ("_atom_site_u_iso_or_equiv", "_atom_site_uiso_or_equiv"),
    "b_iso": ("_atom_site_b_iso_or_equiv",),
    "attached_hydrogens": ("_atom_site_attached_hydrogens",),
}
"""Number columns of the atom-site loop, by field."""

SITE_TEXTS: dict[str, tuple[str, ...]] = {
    "label": (
        "_atom_site_label",
        "_atom_site_label_atom_id",
        "_atom_site_auth_atom_id",
        "_atom_site_id",
    ),
    "type_symbol": ("_atom_site_type_symbol",),
    "calc_flag": ("_atom_site_calc_flag",),
    "disorder_assembly": ("_atom_site_disorder_assembly",),
    "disorder_group": ("_atom_site_disorder_group", "_atom_site_label_alt_id"),
    "wyckoff": ("_atom_site_wyckoff_symbol", "_atom_site_wyckoff_label"),
    "flags": (
        "_atom_site_refinement_flags",
        "_atom_site_refinement_flags_posn",
    ),
}
"""Text columns of the atom-site loop, by field."""

_TENSOR = ("11", "22", "33", "12", "13", "23")

ANISO: dict[str, tuple[str, ...]] = {
    "aniso_label": ("_atom_site_aniso_label", "_atom_site_anisotrop_id"),
    **{f"u{ij}": (f"_atom_site_aniso_u_{ij}", f"_atom_site_anisotrop_u[{ij[0]}][{ij[1]}]") for ij in _TENSOR},
    **{f"b{ij}": (f"_atom_site_aniso_b_{ij}", f"_atom_site_anisotrop_b[{ij[0]}][{ij[1]}]") for ij in _TENSOR},
    **{f"beta{ij}": (f"_atom_site_aniso_beta_{ij}",) for ij in _TENSOR},
}
"""Columns of the loop of displacement tensors, by field."""

SYMOPS: dict[str, tuple[str, ...]] = {
    "symop": ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz"),
    "superspace_symop": ("_space_group_symop_ssg_operation_algebraic",),
    "magnetic_symop": (
        "_space_group_symop_magn_operation_xyz",
        "_space_group_symop_magn_ssg_operation_algebraic",
    ),
    "magnetic_centring": (
        "_space_group_symop_magn_centering_xyz",
        "_space_group_symop_magn_ssg_centering_algebraic",
    ),
}
"""Lists of symmetry operators: the ordinary one, that in superspace, those of a magnetic structure."""


def normal_tag(tag: str) -> str:
    """Normal form of a tag: lower case, dots as underscores, no `[local]_` prefix."""
    return tag.lower().replace(".", "_").replace("_[local]_", "_", 1)
