#!/usr/bin/env python3
"""usage: http_profile.py URL TOKEN PID SAMPLES: the profile of http_torture.py, made of the server's
own description, so that it holds every operation. SAMPLES: name=value, for {name} in a path."""
import json
import sys
import urllib.request

URL, TOKEN, PID = sys.argv[1], sys.argv[2], int(sys.argv[3])
SAMPLES = dict(pair.split("=", 1) for pair in sys.argv[4:])
# What a good value is where the schema does not tell.
GOOD = {"campaign": "spring", "key": "spring", "recipient": "a@x.example", "address": "a@x.example",
        "tz": "Europe/Berlin", "group_by": "provider", "url": "https://hooks.example.com/x"}
BAD = {"campaign": "A B", "recipient": "nobody", "tz": "Mars/Base", "group_by": "nonsense",
       "cursor": "nonsense"}


def main():
    document = json.load(urllib.request.urlopen(URL + "/v1/openapi.json"))

    def resolve(node):
        while "$ref" in node:
            found = document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    def sample(schema, name=""):
        """Something that fits; of an object what is required, or its first member."""
        schema = resolve(schema)
        if name in GOOD:
            return GOOD[name]
        if "enum" in schema:
            return schema["enum"][0]
        for part in schema.get("anyOf", [])[:1]:
            return sample(part, name)
        kinds = schema.get("type", "string")
        kind = kinds if isinstance(kinds, str) else kinds[0]
        if kind == "object":
            members = schema.get("properties", {})
            names = schema.get("required") or list(members)[:1]
            return {member: sample(members[member], member) for member in names}
        if kind == "array":
            return [sample(schema["items"], name.removesuffix("es").removesuffix("s"))]
        if kind in ("integer", "number"):
            return schema.get("minimum", 1)
        if schema.get("format") == "date-time":
            return "2026-01-01T00:00:00Z"
        return True if kind == "boolean" else "x"

    def parameter(node):
        schema, name = resolve(node["schema"]), node["name"]
        if name == "cursor":
            return {"bad": [BAD[name], "%00", "%ff"]}
        good = sample(schema, name)
        found = {"good": [str(good).lower() if isinstance(good, bool) else str(good)],
                 "bad": ["%00", "%ff"] + ([BAD[name]] if name in BAD else [])}
        if schema.get("type") == "integer":
            found["bad"] += ["-1", "abc", "1e9", "99999999999999999999", "", "10;--"]
        elif "enum" in schema or schema.get("type") == "boolean":
            found["bad"] += ["nonsense", ""]
        elif schema.get("format") == "date-time" or name in ("from", "to"):
            found["bad"] += ["yesterday", "2026-13-01", "9999999-01-01"]
        return found

    def wrong(schema, good):
        """Other types, and each member of another."""
        yield from ([], "x", 5, {"nosuch": 1})
        for name in resolve(schema).get("properties", {}):
            for value in ({}, [[]], -1.5):
                yield {**good, name: value}

    endpoints = []
    for path, methods in document["paths"].items():
        if path == "/v1/openapi.json":
            continue
        first = path.split("/")[2] if path.count("/") > 1 else ""
        for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
            path = path.replace("{%s}" % name, SAMPLES.get(first + "." + name,
                                                           SAMPLES.get(name, "1")))
        end = {"path": path, "methods": [m.upper() for m in methods]}
        if "get" in methods:
            nodes = [resolve(n) for n in methods["get"].get("parameters", [])]
            end["params"] = {n["name"]: parameter(n) for n in nodes if n["in"] == "query"}
            answer = resolve(methods["get"]["responses"]["200"])
            end["etag"] = "ETag" in answer.get("headers", {})
            end["json"] = "application/json" in answer["content"]
            need = [n for n in nodes if n["in"] == "query" and n.get("required")]
            end["query"] = "&".join("%s=%s" % (n["name"], parameter(n)["good"][0]) for n in need)
        for method in ("post", "put"):
            body = methods.get(method, {}).get("requestBody")
            content = resolve(body)["content"] if body else {}
            if "application/json" in content:
                schema = content["application/json"]["schema"]
                end["body"] = sample(schema)
                end["bad_bodies"] = list(wrong(schema, end["body"]))
        endpoints.append(end)
    endpoints.sort(key=lambda e: e["path"] != "/v1/campaigns")
    json.dump({"base": URL, "auth": "Authorization: Bearer " + TOKEN,
               "bad_auth": ["Authorization: Bearer wrong", "Authorization: Bearer",
                            "Authorization: Basic dTpw", "Authorization: "],
               "problem_json": True, "server_timeout": 5, "max_body": 1048576, "max_conns": 2000,
               "pid": PID, "rss_max_mb": 256, "open": ["/v1/openapi.json"],
               "missing": "/v1/nosuch", "endpoints": endpoints}, sys.stdout, indent=1)


main()
