#!/usr/bin/python3
"""Judge a bill of materials by the structure that its specification asks for:

    sbom_check.py spdx|cyclonedx FILE

by CycloneDX's published schema in tests/schemas, and, if SLIPWAY_SBOM_SCHEMAS names a folder that holds spdx-schema.json, by
that of SPDX 2.3.
"""
import json
import os
import sys
import warnings

import jsonschema

TEXT = {"type": "string", "minLength": 1}
URI = {"type": "string", "pattern": "^[a-z]+:"}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
UUID = {"type": "string", "pattern": "^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"}
SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def thing(required, optional=None):
    """An object with these members and no others."""
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required),
            "additionalProperties": False}


def one(value):
    return {"const": value}


def many(items):
    return {"type": "array", "items": items}


SPDX = thing({
    "spdxVersion": one("SPDX-2.3"), "dataLicense": one("CC0-1.0"), "SPDXID": one("SPDXRef-DOCUMENT"), "name": TEXT,
    "documentNamespace": UUID, "creationInfo": thing({"created": TIME, "creators": many({"pattern": "^Tool: slipway-"})}),
    "packages": many(thing({
        "SPDXID": {"type": "string", "pattern": "^SPDXRef-[A-Za-z0-9.-]+$"}, "name": TEXT,
        "downloadLocation": {"anyOf": [one("NOASSERTION"), URI]}, "filesAnalyzed": one(False),
        "supplier": {"type": "string", "pattern": "^(NOASSERTION|Person: .+|Organization: .+)$"},
        "licenseConcluded": one("NOASSERTION"), "copyrightText": one("NOASSERTION"),
        "licenseDeclared": {"type": "string", "pattern": "^(NOASSERTION|LicenseRef-[0-9]+)$"},
    }, {
        "versionInfo": TEXT, "homepage": URI, "sourceInfo": TEXT, "primaryPackagePurpose": one("OPERATING_SYSTEM"),
        "checksums": many(thing({"algorithm": one("SHA256"), "checksumValue": SHA256})),
        "externalRefs": many(thing({"referenceCategory": one("PACKAGE-MANAGER"), "referenceType": one("purl"),
                                    "referenceLocator": {"type": "string", "pattern": "^pkg:[a-z]+/[^ ]+@[^ ]+$"}})),
    })),
    "relationships": many(thing({"spdxElementId": TEXT, "relationshipType": {"enum": ["DESCRIBES", "CONTAINS"]},
                                 "relatedSpdxElement": TEXT})),
    "hasExtractedLicensingInfos": many(thing({"licenseId": TEXT, "extractedText": TEXT, "name": TEXT})),
})

CYCLONEDX = thing({
    "bomFormat": one("CycloneDX"), "specVersion": one("1.5"), "serialNumber": UUID, "version": one(1),
    "metadata": thing({"timestamp": TIME,
                       "tools": thing({"components": many(thing({"type": one("application"), "name": one("slipway"),
                                                                 "version": TEXT}))}),
                       "component": thing({"type": one("operating-system"), "bom-ref": TEXT, "name": TEXT},
                                          {"version": TEXT})}),
    "components": many(thing({"type": {"enum": ["application", "library"]}, "bom-ref": TEXT, "name": TEXT, "version": TEXT,
                              "purl": TEXT},
                             {"publisher": TEXT, "licenses": many(thing({"license": thing({"name": TEXT})})),
                              "hashes": many(thing({"alg": one("SHA-256"), "content": SHA256})),
                              "externalReferences": many(thing({"type": {"enum": ["website", "distribution"]},
                                                                "url": TEXT}))})),
    "dependencies": many(thing({"ref": TEXT, "dependsOn": {"type": "array", "items": TEXT, "uniqueItems": True}})),
})


def ids_spdx(document):
    ids = [package["SPDXID"] for package in document["packages"]] + ["SPDXRef-DOCUMENT"]
    used = [r[k] for r in document["relationships"] for k in ("spdxElementId", "relatedSpdxElement")]
    licenses = {info["licenseId"] for info in document["hasExtractedLicensingInfos"]}
    declared = {p["licenseDeclared"] for p in document["packages"]} - {"NOASSERTION"}
    assert declared == licenses, declared ^ licenses
    return ids, used


def ids_cyclonedx(document):
    ids = [c["bom-ref"] for c in document["components"]] + [document["metadata"]["component"]["bom-ref"]]
    used = [d["ref"] for d in document["dependencies"]] + [r for d in document["dependencies"] for r in d["dependsOn"]]
    return ids, used


def published(folder, names):
    """The schema of the specification's makers, and those that it refers to."""
    schemas = [json.load(open(os.path.join(folder, name))) for name in names]
    store = {"http://cyclonedx.org/schema/" + name: schema for name, schema in zip(names, schemas)}
    warnings.simplefilter("ignore")
    resolver = jsonschema.RefResolver(schemas[0].get("$id", ""), schemas[0], store)
    return jsonschema.Draft7Validator(schemas[0], resolver=resolver, format_checker=jsonschema.FormatChecker())


kind, path = sys.argv[1:]
document = json.load(open(path))
jsonschema.validate(document, SPDX if kind == "spdx" else CYCLONEDX)
ids, used = (ids_spdx if kind == "spdx" else ids_cyclonedx)(document)
assert len(ids) == len(set(ids)), "an id is there twice"
assert set(used) <= set(ids), set(used) - set(ids)
if kind == "cyclonedx":
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "schemas")
    published(folder, [name + ".SNAPSHOT.schema.json" for name in ("bom-1.5", "spdx", "jsf-0.82")]).validate(document)
elif "SLIPWAY_SBOM_SCHEMAS" in os.environ:
    published(os.environ["SLIPWAY_SBOM_SCHEMAS"], ["spdx-schema.json"]).validate(document)
