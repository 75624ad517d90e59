"""The figures: one module each, peers beside us in the same run (`python -m benchmarks --help`).

A machine is noisy and never the same twice, so only ratios taken within one run count. Nothing here
is a test, and nothing here says pass or fail: each figure stands beside its bar and the load it was
taken at.
"""
