"""Elements, chemical formulae, the meaning of atom labels, displacement parameters and form factors."""
