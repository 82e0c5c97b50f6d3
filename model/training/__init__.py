"""Training on structures that the generator makes while they are needed.

`train` is the loop and `trainer` one step of it; `config` says all that a run can be told, `presets` reads
it from files. A step uses `muon` (the optimiser), `schedule` (the learning rate), `loss_weights` and
`averaging` (of the weights); `feed` makes batches ahead, `distributed` shares a run among processes,
`session` sets torch up. `validation` scores the network while it trains; `journal` (log and curve),
`checkpoint` and `lineage` are what a run writes.
"""
