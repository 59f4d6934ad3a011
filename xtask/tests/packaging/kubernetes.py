"""Checks manifests of standard input against Kubernetes' own schemas, without what these do not know, for each version that is named;
prints them as JSON. Kinds of other people's operators have no schema here."""
import json
import sys

import kubernetes_validate
import yaml

OPERATORS = ("monitoring.coreos.com/",)

manifests = [one for one in yaml.safe_load_all(sys.stdin) if one]
for one in manifests:
    if one["apiVersion"].startswith(OPERATORS):
        continue
    for version in sys.argv[1:]:
        try:
            kubernetes_validate.validate(one, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            path = ".".join(str(part) for part in error.path)
            sys.exit(f"{one['kind']} {one['metadata']['name']}: {path}: {error.message} (Kubernetes {version})")
json.dump(manifests, sys.stdout)
