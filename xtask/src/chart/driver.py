"""Renders, lints and validates a chart with Helm's own code.

Reads one request from stdin and writes one answer to stdout, both JSON; what they
hold is declared in helm.rs. It judges nothing: every message is handed back.
"""

import functools
import json
import sys

import jsonschema
import kubernetes_validate
import yaml
from helm_python import Chart, HelmError, lint
from kubernetes_validate import utils

# Definitions are megabytes, and are read anew for every manifest otherwise.
utils.schema_contents = functools.lru_cache(maxsize=None)(utils.schema_contents)


def versions(oldest):
    """Versions of Kubernetes whose schemas are bundled, from the oldest one wanted."""
    number = lambda text: tuple(int(part) for part in text.split(".")[:2])
    known = {number(text) for text in utils.all_versions()}
    return [f"{major}.{minor}" for major, minor in sorted(known) if (major, minor) >= number(oldest)]


def kubernetes(manifest, version):
    """What a strict API server of that version would refuse, or nothing."""
    try:
        kubernetes_validate.validate(manifest, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{place(manifest, error)}: {error.message}"
    except (kubernetes_validate.SchemaNotFoundError, kubernetes_validate.InvalidSchemaError) as error:
        return error.message
    return None


def custom(manifest, schemas):
    """What the custom resource's schema refuses, or nothing."""
    schema = schemas.get(f"{manifest['apiVersion']}/{manifest['kind']}")
    if schema is None:
        return None
    errors = jsonschema.Draft202012Validator(schema).iter_errors(manifest)
    return "; ".join(f"{place(manifest, error)}: {error.message}" for error in errors) or None


def place(manifest, error):
    path = ".".join(str(part) for part in error.absolute_path)
    return f"{manifest.get('kind')} {path}".strip()


def configuration(text, schema):
    """What the schema of configurations refuses of one, or nothing."""
    errors = jsonschema.Draft7Validator(schema).iter_errors(yaml.safe_load(text))
    return [f"{error.json_path}: {error.message}" for error in errors]


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def validate(manifests, wanted, schemas):
    findings = []
    for manifest in manifests:
        key = f"{manifest['apiVersion']}/{manifest['kind']}"
        if key in schemas:
            problem = custom(manifest, schemas)
            findings += [problem] if problem else []
            continue
        for version in wanted:
            problem = kubernetes(manifest, version)
            findings += [f"Kubernetes {version}: {problem}"] if problem else []
    return findings


def attempt(chart, request, values):
    try:
        return {"files": chart.render(values, name=request["release"], namespace=request["namespace"])}
    except HelmError as error:
        return {"refused": str(error)}


def main():
    request = json.load(sys.stdin)
    wanted = versions(request["oldest"])
    schemas = request["schemas"]
    answer = {"versions": wanted, "sets": [], "refused": [], "controls": [], "configurations": []}
    with Chart.load(request["chart"]) as chart:
        crds = [document for crd in chart.crds for document in documents(crd["data"])]
        answer["crds"] = crds
        for text in request["sets"]:
            values = yaml.safe_load(text) or {}
            rendered = attempt(chart, request, values)
            manifests = []
            for name, text in sorted(rendered.get("files", {}).items()):
                if not name.endswith("NOTES.txt"):
                    manifests += documents(text)
            report = lint(request["chart"], values, strict=True, namespace=request["namespace"])
            rendered["lint"] = [message["error"] for message in report["messages"] if message["severity"] > 1]
            rendered["lint"] += report["errors"]
            rendered["manifests"] = manifests
            rendered["invalid"] = validate(manifests + crds, wanted, schemas)
            for manifest in manifests:
                text = manifest.get("data", {}).get("landlord.yaml")
                if manifest["kind"] == "ConfigMap" and text:
                    rendered["invalid"] += configuration(text, request["configuration"])
            answer["sets"].append(rendered)
        for text in request["refused"]:
            answer["refused"].append(attempt(chart, request, yaml.safe_load(text)).get("refused"))
    jsonschema.Draft7Validator.check_schema(request["configuration"])
    for text in request["configurations"]:
        answer["configurations"].append(configuration(text, request["configuration"]))
    # What has to be found, or nothing that was not found means anything.
    for manifest in request["controls"]:
        answer["controls"].append(validate([manifest], wanted, schemas))
    json.dump(answer, sys.stdout)


main()
