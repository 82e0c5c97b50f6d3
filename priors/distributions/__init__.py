"""The distributions that priors are made of, as frozen models.

`estimate`: a number with its interval, goodness of fit. `continuous`: constant, uniform, log-normal,
exponential. `shaped`: gamma, truncated normal, zero-inflated beta. `tabulated`: quantile table, histogram,
shares of labels, counts. `distribution`: the union of all these, told apart by the field `family`.
`scalar`: the prior of one real number, with its parametric and its tabulated distribution.
"""
