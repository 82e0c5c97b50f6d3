"""PhAI itself, and what a file of weights holds.

`phai` is the network; `reflections` the list and the box of reflections that it phases; `inputs` the scale
of the amplitudes that it is given; `recycling` the way its phases are given to it again; `loss` the
training loss and `score` the map correlation r. `weights` writes and reads networks as files,
`published_weights` reads those of the papers. `card` is the model card, `curve` the course of a training run,
`device` the choice of CPU or GPU.
"""
