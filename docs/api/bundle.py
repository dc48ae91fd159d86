"""Makes an API document of its sources: one file of JSON that stands alone.

    bundle.py SOURCE.yaml OUT.json      the document
    bundle.py --c DOCUMENT.json OUT.c   the same as C, for the service to answer with

What other files define (common.yaml, the schemas in shared/schemas) is put into `components`. And
a source says in short what would be long: an operation's `x-problems` names problem codes, or
groups of them, and becomes an answer for each status. Status and meaning of a code are those of
docs/problems.md, so that the two can not contradict each other; a code that is not there ends it.
"""
import json
import re
import sys
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
SCHEMAS = HERE.parent.parent / "shared" / "schemas"
SCHEMA_URN = re.compile(r"(?:urn:checkout:v1:/schemas/|(?:\.\./)*shared/schemas/)(\w+)\.json$")

# Headers of problems, by status.
HEADERS = {401: ["WWW-Authenticate"], 405: ["Allow"], 409: ["Retry-After"], 429: ["Retry-After"],
           503: ["Retry-After"]}
TITLES = {
    400: "The request is malformed", 401: "No good API key", 403: "Not allowed with this API key",
    404: "There is no such thing", 405: "The path has other methods", 408: "Too slow",
    409: "The state of things does not allow it", 412: "Another version", 413: "Too large",
    414: "The first line is too long", 415: "Another media type", 422: "Some fields are wrong",
    429: "Too many requests", 431: "The headers are too long", 500: "Our own mistake",
    501: "Not spoken here", 503: "Not now: try again",
}


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def problems():
    """Of each code its status, what it means and what to do."""
    text = (HERE.parent / "problems.md").read_text(encoding="utf-8")
    found = {}
    for section in text.split("\n## ")[1:]:
        code, *lines = section.strip().split("\n")
        status, meaning = re.match(r"(\d{3})\. (.*)", " ".join(lines), re.S).groups()
        found[code] = {"status": int(status), "text": meaning}
    return found


class Bundle:
    def __init__(self, path):
        self.root = load(path)
        self.common = load(HERE / "common.yaml")
        self.groups = self.common["x-problem-groups"]
        self.problems = problems()
        self.components = {}  # of other files, as they are met

    def make(self):
        self.root = self.expand(self.root, None)
        if "openapi" in self.root:
            self.component("components/securitySchemes/ApiKey")
        self.order()
        return self.root

    # --- references -------------------------------------------------------------------------

    def expand(self, node, owner):
        """A copy without references to other files; `owner` is the file that it is from."""
        if isinstance(node, list):
            return [self.expand(each, owner) for each in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return self.refer(node, owner)
        out = {key: self.expand(value, owner) for key, value in node.items() if key != "x-problems"}
        if "x-problems" in node:
            self.add_problems(out, node["x-problems"])
        return out

    def refer(self, node, owner):
        ref = node["$ref"]
        beside = {key: self.expand(value, owner) for key, value in node.items() if key != "$ref"}
        schema = SCHEMA_URN.search(ref)
        if schema:
            return self.reference(self.schema(schema.group(1)), beside)
        if owner and owner.startswith("schema:") and ref.startswith("#/$defs/"):
            name = self.definition_name(owner[7:], ref[len("#/$defs/"):])
            return self.reference(f"#/components/schemas/{name}", beside)
        file, _, pointer = ref.partition("#/")
        if file == "" and owner is None:
            return self.reference(ref, beside)
        if not pointer.startswith("components/"):
            # No component: it is put in place.
            return {**self.expand(self.at(pointer), "common"), **beside}
        return self.reference(self.component(pointer), beside)

    def reference(self, ref, beside):
        """What stands beside a reference counts in OpenAPI 3.1, but not in AsyncAPI."""
        if beside and "asyncapi" in self.root:
            return {"allOf": [{"$ref": ref}], **beside}
        return {"$ref": ref, **beside}

    def at(self, pointer):
        node = self.common
        for part in pointer.split("/"):
            node = node[part.replace("~1", "/").replace("~0", "~")]
        return node

    def component(self, pointer):
        _, kind, name = pointer.split("/")
        if name not in self.components.setdefault(kind, {}):
            self.components[kind][name] = {}  # met again on the way: it refers to itself
            self.components[kind][name] = self.expand(self.at(pointer), "common")
        return f"#/components/{kind}/{name}"

    def schema(self, file):
        schema = load(SCHEMAS / f"{file}.json")
        name = schema["title"]
        if name not in self.components.setdefault("schemas", {}):
            self.components["schemas"][name] = {}
            for member in ("$schema", "$id"):
                del schema[member]
            for part, definition in schema.pop("$defs", {}).items():
                self.components["schemas"][self.definition_name(name, part)] = definition
            self.components["schemas"][name] = self.expand(schema, f"schema:{name}")
        return f"#/components/schemas/{name}"

    @staticmethod
    def definition_name(schema, part):
        return schema + part.capitalize()

    # --- problems ---------------------------------------------------------------------------

    def codes(self, names):
        found = []
        for name in names:
            members = self.groups[name[1:]] if name.startswith("+") else [name]
            found += self.codes(members) if name.startswith("+") else members
        return sorted(set(found))

    def add_problems(self, operation, names):
        responses = operation.setdefault("responses", {})
        for status, codes in self.by_status(names).items():
            given = responses.get(str(status), {})
            assert not set(given) - {"x-examples"}, f"{operation.get('operationId')}: {status}"
            made = responses[str(status)] = self.response(status, codes)
            if given:
                made["content"]["application/problem+json"]["examples"] = given["x-examples"]

    def by_status(self, names):
        found = {}
        for code in self.codes(names):
            found.setdefault(self.problems[code]["status"], []).append(code)
        return dict(sorted(found.items()))

    def response(self, status, codes):
        lines = [f"- `{code}`: {self.problems[code]['text']}" for code in codes]
        names = ["Request-Id", "traceparent"] + HEADERS.get(status, [])
        headers = {name: {"$ref": self.component(f"components/headers/{name}")} for name in names}
        schema = self.component("components/schemas/Problem")
        about = {"properties": {"status": {"const": status}, "code": {"enum": codes}}}
        content = {"schema": {"allOf": [{"$ref": schema}, about]}}
        return {"description": f"{TITLES[status]}.\n\n" + "\n".join(lines), "headers": headers,
                "content": {"application/problem+json": content}}

    # --- order ------------------------------------------------------------------------------

    def order(self):
        """Answers by status, components by name."""
        own = self.root.get("components", {})
        self.root["components"] = {
            kind: dict(sorted({**self.components.get(kind, {}), **own.get(kind, {})}.items()))
            for kind in sorted({*self.components, *own})
        }
        for path in self.root.get("paths", {}).values():
            for operation in path.values():
                if isinstance(operation, dict) and "responses" in operation:
                    operation["responses"] = dict(sorted(operation["responses"].items()))


def as_c(text):
    """A definition of `api_document`, a line of source for every 64 bytes."""
    data = text.encode("utf-8")
    lines = [data[i:i + 64] for i in range(0, len(data), 64)]
    literal = "\n".join('    "' + "".join(f"\\{byte:03o}" for byte in line) + '"' for line in lines)
    return ('#include "shared/http/document.h"\n\n'
            f"const struct span api_document = {{\n{literal},\n    {len(data)}\n}};\n")


def main(arguments):
    if arguments[0] == "--c":
        text = Path(arguments[1]).read_text(encoding="utf-8")
        out, made = arguments[2], as_c(json.dumps(json.loads(text), separators=(",", ":")))
    else:
        out, made = arguments[1], json.dumps(Bundle(Path(arguments[0])).make(), indent=1) + "\n"
    Path(out).write_text(made, encoding="utf-8")


main(sys.argv[1:])
