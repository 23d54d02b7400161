"""The whole node and the exchange in one process, on a virtual clock, with everything going wrong.

`python -m tests.simulation --seeds 1000` runs schedules; see `run.py`.
"""
