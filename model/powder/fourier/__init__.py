"""crystalnet-fourier: densities as weighted sums of candidate structures, corrected by a network.

`network` is the network, `examples` its inputs, `training` its training, and `predict` its use.
"""
