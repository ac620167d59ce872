"""`python -m catalog.cli`: the same program as `catalog`, for interpreters whose scripts are not on the path."""

from catalog.cli import main

main(prog_name="catalog")
