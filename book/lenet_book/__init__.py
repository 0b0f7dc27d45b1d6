"""What the book draws, operates and measures with; the networks themselves are in `lenet`."""

from importlib.util import find_spec

for _package in ("anywidget", "ipywidgets", "matplotlib"):
    if find_spec(_package) is None:
        raise ImportError(
            f"lenet_book needs {_package}, which a light installation of lenet leaves out. "
            'Install what the book needs: pip install ".[book]" in a copy of the repository, or '
            'pip install "lenet[book] @ git+https://github.com/your_github_name/lenet-book"',
            name=_package,
        )
