"""The page: static files that read the exchange's public data as any client does.

    create_app(node, PAGE_DIRECTORY, static_files=static_files())
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from exchange.errors import InputError

PAGE_DIRECTORY: Final = Path(__file__).parent / "page"


def static_files() -> dict[str, Path]:
    """Name under /static -> file: the JavaScript bundle that the plotly package ships. Raises InputError when plotly is not installed whole."""
    spec = find_spec("plotly")
    for location in (spec.submodule_search_locations or ()) if spec else ():
        bundle = Path(location) / "package_data" / "plotly.min.js"
        if bundle.is_file():
            return {bundle.name: bundle}
    raise InputError("the charts of the page need the plotly package with its JavaScript bundle; install parkex again")
