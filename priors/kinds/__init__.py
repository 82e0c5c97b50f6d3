"""The priors of a bundle, one a file: frozen models that say what each prior holds. `fitting` makes them."""
