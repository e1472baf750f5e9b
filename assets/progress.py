"""One line per finished piece of work, for whoever waits: the terminal, and Dagster's log of the run.

Belongs here: the logger's name, once. Does not belong here: where the lines go (`dagster_home/dagster.yaml`,
`pipelines/nightly.py`).
"""

import logging

progress = logging.getLogger("stimulus_regime")
