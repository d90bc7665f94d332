"""What the command line does, a file for each group of commands; `narratives.cli` puts them together."""
