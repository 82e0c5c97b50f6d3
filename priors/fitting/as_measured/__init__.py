"""Fits of the priors that hold together what the others take one by one: cells, element sets and neighbours.

They are what the strategy `fitted` draws structures from: `cell` with the `copula` that joins its variables,
`contents`, `bonds` and `coordination`.
"""
