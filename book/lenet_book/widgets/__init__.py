"""Widgets that run in a notebook and, without Python, in the page made from it.

Each widget has a folder: `stage/stepper.py` is a Python class, `stepper.js` and `stepper.css`
beside it are its front end. What several use is in `shared/`. The contract between the two:

- A class derives from `Widget`, names its script, as in
  ``front_end = Path(__file__).with_suffix(".js")``, and calls ``super().__init__(meta, arrays)``.
  Its style sheet is the file beside the script.
- All that the front end needs is in two traits: `Widget.meta`, plain JSON, and `Widget.data`, the
  bytes of all arrays one after another. `readArrays(model)` of `shared/arrays.js` gives them back
  by name. What reader and Python both change, such as the current step, are further synchronised
  traits of numbers, strings and lists of numbers.
- The front end computes every answer to the reader itself, so that no kernel is needed. Where one
  runs, `model` has `send`, too: the walk back asks it for PyTorch's own gradients, to compare.
- `Widget.format_version` is raised whenever a front end can no longer read the states written
  before. Stored notebooks of another version have to be executed again; a test names them.

Scripts are plain ES modules, checked and tested as they stand. Python joins a script and what it
imports to one module (`lenet_book.widgets.shared.joining`), with these rules:

- ``import { a, b } from "../shared/text.js";`` stands at the beginning of a line; no other form,
  and nothing from elsewhere. A style sheet beside an imported script comes along.
- ``fromPython("module:function")`` is the JSON of what the function returns when it is joined.
- What is seldom needed comes when it is first used: ``import("./later.js")`` promises what
  that file exports. It and all that it alone imports are the script's part, style sheets too.
  In it, ``startWorker("work")`` starts a worker that calls `work`, exported in the same file.
- ``export`` stands before declarations; the widget's own script ends in
  ``export default { render: mounting(Lab) };``, where `shared/mounting.js` makes a function of a
  class. All joined scripts share one scope: no name is declared twice.
- A script may import another widget's ``render`` and show that widget within its own.
- What scripts hand to each other is declared in the folder's `types.d.ts`, for all to use.
- ``render({ model, el })`` fills the element `el` and returns a function that ends what it began
  (observers, timers, listeners outside of `el`). `model` has `get`, `set`, `save_changes`, `on` and
  `off`, in a notebook as in a static page.
- Style rules begin with a class of the widget's own, such as ``.lenet-stepper``. Every colour is a
  variable of `shared/shared.css`, which is put in front.
- Texts that come from models or data (names of layers and classes) are set as text, never as HTML.
"""

from lenet_book.widgets.calculator.calculator import ShapeCalculator
from lenet_book.widgets.lab.lab import TrainingLab
from lenet_book.widgets.mistakes.explorer import MistakeExplorer
from lenet_book.widgets.paste.paste import PastedNetwork
from lenet_book.widgets.playground.playground import ConvPlayground
from lenet_book.widgets.predict.predict import Predict
from lenet_book.widgets.replay.replay import TrainingReplay
from lenet_book.widgets.shared.base import Widget
from lenet_book.widgets.stage.stepper import ForwardStepper

__all__ = [
    "ConvPlayground",
    "ForwardStepper",
    "MistakeExplorer",
    "PastedNetwork",
    "Predict",
    "ShapeCalculator",
    "TrainingLab",
    "TrainingReplay",
    "Widget",
]
