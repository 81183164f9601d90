"""The description of the API against the server: walks every operation both ways."""
import json
import re
import sys

import kit
from kit import Case, failure


def resolve(document, node):
    while "$ref" in node:
        found = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


class Checker:
    """As much of JSON Schema 2020-12 as the description uses."""

    TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    KNOWN = {"type", "description", "properties", "required", "additionalProperties", "items",
             "enum", "anyOf", "minimum", "maximum", "minLength", "maxLength", "maxItems", "pattern",
             "format", "$ref"}

    def __init__(self, document):
        self.document = document

    def is_type(self, value, name):
        if name == "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        if name == "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        return isinstance(value, self.TYPES[name])

    def errors(self, value, schema, at="$"):
        schema = resolve(self.document, schema)
        unknown = set(schema) - self.KNOWN
        if unknown:
            yield "%s: the checker does not know %s" % (at, unknown)
        if "anyOf" in schema:
            if all(list(self.errors(value, each, at)) for each in schema["anyOf"]):
                yield "%s: %r fits none of anyOf" % (at, value)
            return
        types = schema.get("type", [])
        types = types if isinstance(types, list) else [types]
        if types and not any(self.is_type(value, name) for name in types):
            yield "%s: %r is no %s" % (at, value, types)
            return
        if "enum" in schema and value not in schema["enum"]:
            yield "%s: %r is none of the enum" % (at, value)
        if isinstance(value, str):
            yield from self.text_errors(value, schema, at)
        if self.is_type(value, "number"):
            if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
                yield "%s: %r is out of range" % (at, value)
        if isinstance(value, dict):
            yield from self.object_errors(value, schema, at)
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.errors(item, schema["items"], "%s[%d]" % (at, index))

    def text_errors(self, value, schema, at):
        if schema.get("format") == "date-time":
            if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value):
                yield "%s: %r is no time" % (at, value)
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield "%s: %r does not fit" % (at, value)

    def object_errors(self, value, schema, at):
        properties = schema.get("properties", {})
        for name in schema.get("required", []):
            if name not in value:
                yield "%s: %s is missing" % (at, name)
        for name, member in value.items():
            inner = properties.get(name, schema.get("additionalProperties", True))
            if inner is False:
                yield "%s: %s is not described" % (at, name)
            elif inner is not True:
                yield from self.errors(member, inner, "%s.%s" % (at, name))


class Description(Case):
    SEGMENTS = {"key": "described", "address": "d@x.example", "class": "throttled"}
    BODIES = {"putCampaign": {"name": "x", "tags": ["a"], "sent": 5},
              "registerSends": {"campaign": "described", "recipient": "d@x.example"},
              "putSuppression": {"class": "mailbox_unknown", "note": "n"},
              "checkSuppressions": {"addresses": ["d@x.example", "e@x.example"]},
              "undoSuppressions": {"class": "network", "dry_run": True},
              "putSuppressionPolicy": {"threshold": 0},
              "decideHeld": {"decision": "drop"},
              "addWebhook": {"url": "https://hooks.example.com/x", "events": ["delay.closed"]},
              "putWebhook": {"events": ["delay.closed"]}, "rotateWebhook": {"overlap_s": 60},
              "mintReturnPaths": {"campaign": "described", "recipients": ["d@x.example"]}}

    @classmethod
    def setUpClass(cls):
        cls.document = cls.service.get("/v1/openapi.json", token="").json
        cls.checker = Checker(cls.document)
        cls.service.seed(
            failure("described", "d@x.example", diagnostic="550 5.1.1 unknown"),
            failure("described", "f@x.example", action="delayed", class_="throttled",
                    permanent="no"),
            {"to": "bounce@b.example.com", "recipient": "u@x.example", "action": "delivered"},
            *[failure("described", "i%d@x.example" % n, class_="content_block", diagnostic="spam")
              for n in range(20)])
        cls.service.sql("SELECT incident_turn('2026-11-23T11:00Z', NULL)")
        status = cls.service.get("/v1/statuses", campaign="described").data[0]
        cls.ids = {"/v1/statuses": status["id"], "/v1/reports": status["report_id"],
                   "/v1/quarantine": 1}

    def operations(self):
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                yield method.upper(), path, operation

    def fill(self, path):
        number = self.ids.get("/".join(path.split("/")[:3]), 1)
        return re.sub(r"\{(\w+)\}", lambda m: str(self.SEGMENTS.get(m[1], number)), path)

    def parameters(self, operation, where):
        found = [resolve(self.document, p) for p in operation.get("parameters", [])]
        return {p["name"]: p for p in found if p["in"] == where}

    def test_every_reference_leads_somewhere_and_everything_is_used(self):
        text = json.dumps(self.document)
        for reference in set(re.findall(r'"\$ref": "([^"]+)"', text)):
            resolve(self.document, {"$ref": reference})
        for kind in ("schemas", "parameters", "responses"):
            for name in self.document["components"][kind]:
                self.assertIn('"#/components/%s/%s"' % (kind, name), text)

    def test_names_of_operations_are_unique(self):
        names = [operation["operationId"] for _, _, operation in self.operations()]
        self.assertEqual(len(names), len(set(names)))

    def test_methods_are_those_that_the_server_allows(self):
        for path, methods in self.document["paths"].items():
            reply = self.ask("OPTIONS", self.fill(path))
            allowed = {m.strip() for m in reply.headers["Allow"].split(",")} - {"HEAD", "OPTIONS"}
            self.assertEqual({m.upper() for m in methods}, allowed, path)

    def test_query_parameters_are_those_that_the_server_takes(self):
        for method, path, operation in self.operations():
            found = self.problem(self.ask(method, self.fill(path) + "?nosuch=1",
                                          self.BODIES.get(operation["operationId"])),
                                 400, "nosuch")["detail"]
            allowed = set(found.split("allowed: ")[1].split(", ")) if "allowed: " in found else set()
            with self.subTest(path=path, method=method):
                self.assertEqual(set(self.parameters(operation, "query")), allowed)

    def test_scopes_are_those_that_the_server_demands(self):
        tokens = {scope: self.service.add_token(scope)
                  for scope in ("read", "write", "suppressions", "admin")}
        for method, path, operation in self.operations():
            described = {need["token"][0] for need in operation["security"]}
            body = self.BODIES.get(operation["operationId"])
            taken = {scope for scope, token in tokens.items()
                     if self.ask(method, self.fill(path), body, token=token).status != 403}
            with self.subTest(path=path, method=method):
                self.assertEqual(described or set(tokens), taken)

    def test_an_object_has_no_member_that_is_not_described(self):
        """So the next test finds each that the server adds."""
        def objects(node, at):
            if isinstance(node, dict):
                if "properties" in node and node.get("additionalProperties") is not False:
                    yield at
                for name, member in node.items():
                    yield from objects(member, at + "/" + name)
            elif isinstance(node, list):
                for index, member in enumerate(node):
                    yield from objects(member, "%s/%d" % (at, index))

        self.assertEqual(list(objects(self.document, "")), [])
        rate = {"$ref": "#/components/schemas/Rate"}
        good = {"value": None, "numerator": 0, "denominator": None}
        self.assertEqual(list(self.checker.errors(good, rate)), [])
        for bad in ({**good, "extra": 1}, {**good, "numerator": "0"}, {"value": None}):
            self.assertNotEqual(list(self.checker.errors(bad, rate)), [], bad)

    def test_reads_are_tagged_and_the_same_again_is_304(self):
        tagged = 0
        for method, path, operation in self.operations():
            headers = operation["responses"].get("200", {}).get("headers", {})
            reply = self.ask(method, self.fill(path)) if "ETag" in headers else None
            if not reply or reply.status != 200:
                continue
            with self.subTest(path=path):
                again = self.ask(method, self.fill(path),
                                 headers={"If-None-Match": reply.headers["ETag"]})
                self.assertEqual((again.status, again.body), (304, b""))
                self.assertIn("304", operation["responses"])
            tagged += 1
        self.assertGreater(tagged, 15)
        for method, path, operation in self.operations():
            content = operation["responses"].get("200", {}).get("content", {})
            if method == "GET" and "application/json" in content:
                self.assertIn("ETag", operation["responses"]["200"]["headers"], path)

    def test_a_post_that_changes_something_takes_an_idempotency_key(self):
        for method, path, operation in self.operations():
            if method != "POST" or path == "/v1/suppressions/check":
                continue
            with self.subTest(path=path):
                self.assertIn("Idempotency-Key", self.parameters(operation, "header"))
                body = self.BODIES.get(operation["operationId"])
                first, again = (self.ask(method, self.fill(path), body,
                                         headers={"Idempotency-Key": "key of " + path})
                                for _ in range(2))
                self.assertLess(first.status, 500)
                self.assertEqual((again.status, again.body), (first.status, first.body))
                self.assertEqual(again.headers["Idempotency-Replayed"], "true")

    def test_answers_have_the_described_shape(self):
        # What takes away goes last.
        for method, path, operation in sorted(self.operations(), key=lambda o: o[0] == "DELETE"):
            body = self.BODIES.get(operation["operationId"])
            reply = self.ask(method, self.fill(path), body)
            with self.subTest(path=path, method=method):
                self.assertIn(str(reply.status), operation["responses"], reply.body[:300])
                described = resolve(self.document, operation["responses"][str(reply.status)])
                if reply.status == 204:
                    self.assertEqual(reply.body, b"")
                    continue
                kind = reply.headers["Content-Type"].split(";")[0]
                self.assertIn(kind, described["content"])
                self.assertLessEqual({name.lower() for name in described.get("headers", {})}
                                     - {"link"}, {name.lower() for name in reply.headers})
                if kind.endswith("json") and path != "/v1/openapi.json":
                    schema = described["content"][kind]["schema"]
                    self.assertEqual(list(self.checker.errors(reply.json, schema)), [])

    def test_lists_are_streamed_as_described(self):
        self.ids["/v1/webhooks"] = self.ask(
            "POST", "/v1/webhooks", self.BODIES["addWebhook"]).json["id"]
        for method, path, operation in self.operations():
            if "format" not in self.parameters(operation, "query"):
                continue
            row = resolve(self.document, resolve(
                self.document, operation["responses"]["200"]["content"]["application/json"]["schema"]
            )["properties"]["data"]["items"])
            path = self.fill(path)
            reply = self.good(self.get(path, format="ndjson"))
            with self.subTest(path=path):
                for line in reply.lines:
                    self.assertEqual(list(self.checker.errors(line, row)), [])
                self.good(self.get(path, format="csv"))

    def test_bad_bodies_and_requests_have_the_shape_of_a_problem(self):
        for method, path, operation in self.operations():
            if "requestBody" not in operation:
                continue
            reply = self.ask(method, self.fill(path), b"[1")
            with self.subTest(path=path):
                self.problem(reply, 400, "body")
                self.assertEqual(list(self.checker.errors(
                    reply.json, {"$ref": "#/components/schemas/Problem"})), [])

    def test_the_table_of_routes_is_described_and_nothing_else(self):
        table = open(sys.argv[0].replace("tests/api/test_openapi.py", "api/route.c")).read()
        routes = re.findall(r'\{REQUEST_(\w+), "(/v1/[^"]+)"', table)
        described = {(method, re.sub(r"\{\w+\}", "{}", path))
                     for method, path, _ in self.operations()}
        self.assertEqual(set(routes), described)
        self.assertGreater(len(routes), 20)


if __name__ == "__main__":
    kit.main()
