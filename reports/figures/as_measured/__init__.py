"""Figures of the priors that the strategy `fitted` draws from."""
