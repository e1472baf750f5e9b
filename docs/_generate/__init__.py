"""Writers of documentation pages that hold computed figures, run as `python -m docs._generate.NAME`."""
