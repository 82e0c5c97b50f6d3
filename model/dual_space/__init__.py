"""A phasing network that works in both spaces, for crystals of any cell and of many space groups.

A step looks at the density that the present phases give, through a few convolutions in the asymmetric unit,
and returns two maps; their Fourier coefficients move the logits of the phases. The same step is repeated. The
parts, each a file:

- `geometry`: the grid, the asymmetric unit as a box, neighbours by symmetry, Harker vectors.
- `inputs`: normalised amplitudes, distances along Harker vectors, and what is known of the crystal.
- `network`: the step. `loss`: the likelihood of the true phases. `critic`: which candidate to believe.
- `crystals` and `states`: what it is trained on; `training` the loop, `config` its options.
- `phasing`: charge flipping, a few steps of the network, and the choice. `weights`: the file.
"""
