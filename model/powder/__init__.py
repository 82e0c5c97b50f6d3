"""Electron densities from powder patterns and compositions: CrystalNet of Guo et al. 2024, and past it.

`dataset` is the way in: `crystals` with their patterns (`pattern`), compositions (`composition`) and
densities (`density_maps`); `artificial_crystals` made of `prototypes`; `real_crystals` of a database; and the
`splits` into training and test, by the `structure_type`.
"""
