"""Shapes of the operations that only the newest official client knows, from its own models: names,
types and bounds, no prose. Prints newer.json, which `cargo xtask contract` takes in; made anew with

    target/judges/venv/bin/python xtask/src/contract/newer.py > xtask/src/contract/newer.json
"""

import importlib
import inspect
import json
import pkgutil
import re
import typing
from pathlib import Path

import fireblocks.api
import fireblocks.models
from pydantic import TypeAdapter

TABLE = Path(__file__).parents[3] / "crates/protocol/src/operations/data/operations.tsv"
# What says something about a value.
KEYWORDS = {
    "type", "format", "enum", "const", "required", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "minProperties",
    "maxProperties",
}  # fmt: skip
# A field of a model that stands for one of several others.
CHOICE = re.compile(r"(?:oneof|anyof)_schema_\d+_validator")
# Definitions have names of their own: the contract may have the same thing of another age.
OWN = "Newer"


def operations():
    """Of the table: id and method."""
    rows = [line.split("\t") for line in TABLE.read_text().splitlines()[1:]]
    return {row[2]: row[0] for row in rows if row[9] == "client"}


def methods():
    """The client's methods by their names."""
    found = {}
    for module in pkgutil.iter_modules(fireblocks.api.__path__):
        module = importlib.import_module(f"fireblocks.api.{module.name}")
        for name, api in inspect.getmembers(module, inspect.isclass):
            if name.endswith("Api") and api.__module__ == module.__name__:
                for method, function in inspect.getmembers(api, inspect.isfunction):
                    found.setdefault(method, (api, function))
    return found


def united(union, parts):
    """Choices, with what may be missing as a type of its own."""
    rest = [part for part in parts if part.get("type") != "null"]
    if any(part.get("type") == "number" for part in rest):
        rest = [part for part in rest if part.get("type") != "integer"]
    if len(rest) == 1 and isinstance(rest[0].get("type"), str):
        (only,) = rest
        if len(parts) == len(rest):
            return only
        return {**only, "type": [only["type"], "null"]} | ({"enum": [*only["enum"], None]} if "enum" in only else {})
    return {union: rest + [{"type": "null"}] * any(part.get("type") == "null" for part in parts)}


def without_null(schema):
    """A value that is there: no parameter is null, and no choice."""
    out = dict(schema)
    if isinstance(out.get("type"), list):
        out["type"] = next(kind for kind in out["type"] if kind != "null")
        if "enum" in out:
            out["enum"] = [word for word in out["enum"] if word is not None]
    if "anyOf" in out:
        rest = [part for part in out["anyOf"] if part != {"type": "null"}]
        out = rest[0] if len(rest) == 1 else {**out, "anyOf": rest}
    return out


def worded(name, schema):
    """The words that a text may be: the client checks them by code, not by type."""
    model = getattr(fireblocks.models, name, None)
    if model is None or "properties" not in schema:
        return schema
    found = re.findall(r"@field_validator\('(\w+)'\).*?set\(\[(.*?)\]\)", inspect.getsource(model), re.S)
    for field, words in found:
        alias = model.model_fields[field].alias or field
        told = schema["properties"].get(alias)
        words = re.findall(r"'([^']*)'", words)
        if told is None or not words:
            continue
        at = told["items"] if "items" in told else told
        nullable = isinstance(at.get("type"), list)
        at["enum"] = words + [None] * nullable
    return schema


def plain(schema):
    """A schema without its prose."""
    if isinstance(schema, bool):
        return schema
    if "$ref" in schema:
        return {"$ref": "#/$defs/" + OWN + schema["$ref"].rsplit("/", 1)[1]}
    out = {key: schema[key] for key in sorted(KEYWORDS & schema.keys())}
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            out |= united(union, [plain(part) for part in schema[union]])
    if "items" in schema:
        out["items"] = plain(schema["items"])
    if "additionalProperties" in schema:
        out["additionalProperties"] = plain(schema["additionalProperties"])
    if "properties" in schema:
        parts = {name: plain(part) for name, part in schema["properties"].items()}
        choices = [without_null(part) for name, part in parts.items() if CHOICE.fullmatch(name)]
        if choices:  # How the client writes "one of these".
            return {"anyOf": choices}
        parts.pop("additional_properties", None)
        out["properties"] = parts
    if "required" in out:
        out["required"] = sorted(out["required"])
    return out


class Shapes:
    def __init__(self):
        self.operations, self.defs = {}, {}

    def schema(self, kind):
        made = TypeAdapter(kind).json_schema(by_alias=True)
        for name, told in made.pop("$defs", {}).items():
            self.defs[OWN + name] = worded(name, plain(told))
        return worded(getattr(kind, "__name__", ""), plain(made))

    def model(self, name):
        """A model, or a list of one, by the name that the client writes down."""
        inner = re.fullmatch(r"List\[(\w+)\]", name)
        if inner:
            return list[self.model(inner[1])]
        return {"str": str, "bool": bool, "object": object}.get(name) or getattr(fireblocks.models, name)

    def add(self, id, api, name, function):
        serialized = inspect.getsource(getattr(api, f"_{name}_serialize"))
        query = dict(re.findall(r"if (\w+) is not None:\s+(?:#.*\s+)?_query_params\.append\(\('([^']+)'", serialized))
        body = re.search(r"_body_params = (\w+)", serialized)
        hints = typing.get_type_hints(function, include_extras=True)
        parameters = inspect.signature(function).parameters
        out = {"answers": {}}
        for parameter, wire in query.items():
            told = {"schema": without_null(self.schema(hints[parameter]))}
            if parameters[parameter].default is inspect.Parameter.empty:
                told["required"] = True
            out.setdefault("query", {})[wire] = told
        if body:
            out["body"] = without_null(self.schema(hints[body[1]]))
            if parameters[body[1]].default is inspect.Parameter.empty:
                out["bodyRequired"] = True
        answers = re.search(r"_response_types_map.*?\{(.*?)\}", inspect.getsource(function), re.S)[1]
        for status, model in re.findall(r"'(\w+)': (?:\"([^\"]+)\"|None)", answers):
            out["answers"][status] = self.schema(self.model(model)) if model else None
        self.operations[id] = out


def main():
    shapes, known = Shapes(), methods()
    for id in sorted(operations()):
        name = re.sub(r"([A-Z])", lambda letter: "_" + letter[1].lower(), id.removesuffix("_2"))
        if name in known:
            shapes.add(id, known[name][0], name, known[name][1])
    rows = {"operations": shapes.operations, "$defs": shapes.defs}
    parts = []
    for part, told in rows.items():
        lines = ",\n".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in sorted(told.items()))
        parts.append(f"{json.dumps(part)}:{{\n{lines}\n}}")
    print("{" + ",\n".join(parts) + "}")


main()
