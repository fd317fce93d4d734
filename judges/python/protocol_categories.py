"""The rate limit category of an operation, as the table has it."""

from sandbox import ROOT

TABLE = ROOT / "crates" / "protocol" / "src" / "operations" / "data" / "operations.tsv"


def category(operation):
    header, *rows = (line.split("\t") for line in TABLE.read_text().splitlines())
    at = {name: number for number, name in enumerate(header)}
    return next(row[at["category"]] for row in rows if row[at["operationId"]] == operation)
