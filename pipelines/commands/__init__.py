"""One module per command of `python -m pipelines`, imported only when the command is used."""
