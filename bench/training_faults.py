"""The runs behind the training lab: every loop of `lenet_book.faults`, with several seeds.

Run `python bench/training_faults.py`; on one CPU core it takes about ten minutes. Every finished
run is stored at once, and a run that is stored already is not repeated, so that an interrupted
series resumes; `--again` makes all anew, as after a change of the loops.
"""

from __future__ import annotations

import os
import sys
from functools import partial

import torch
from series import collect, make_parser

from lenet.data import load
from lenet_book.faults import LOOPS, NUM_UPDATES, run_loop
from lenet_book.results import FOLDER

RESULTS = FOLDER / "training_faults.json"
DATA = "fashion-mnist"
SEEDS = (0, 1, 2)


def main() -> None:
    chosen = make_parser(__doc__, RESULTS, again=True).parse_args()
    os.environ["LENET_REQUIRE_REAL"] = "1"  # curves of the embedded digits have no place here
    torch.set_num_threads(1)
    data = load(DATA)
    planned = [
        (
            {"loop": loop.name, "seed": seed, "num_updates": NUM_UPDATES},
            partial(run_loop, loop.name, data, seed),
        )
        for seed in SEEDS
        for loop in LOOPS
    ]
    records = collect(planned, chosen.results, again=chosen.again)
    print(f"{len(records)} records in {chosen.results.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
