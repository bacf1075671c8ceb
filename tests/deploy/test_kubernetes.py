"""The resources for Kubernetes, against the schemas of its releases."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

RESOURCES = ("kustomize/deployment.yaml", "kustomize/service.yaml")
KSERVE = ("kserve/serving_runtime.yaml", "kserve/inference_service.yaml")


@pytest.mark.parametrize("path", RESOURCES)
@pytest.mark.parametrize("release", ["1.28", kubernetes_validate.latest_version()])
def test_a_resource_is_one_that_kubernetes_takes(load: Any, path: str, release: str) -> None:
    kubernetes_validate.validate(load(path), release, strict=True)


def test_a_key_that_kubernetes_does_not_know_is_found(load: Any) -> None:
    resource = load("kustomize/deployment.yaml")
    resource["spec"]["template"]["spec"]["containers"][0]["comand"] = ["x"]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(resource, "1.28", strict=True)


def test_the_kustomization_names_files_that_are_there_and_the_version_of_the_package(
    deploy: Path, load: Any
) -> None:
    kustomization = load("kustomize/kustomization.yaml")
    assert [f"kustomize/{name}" for name in kustomization["resources"]] == list(RESOURCES)
    project = (deploy.parent / "pyproject.toml").read_text()
    (version,) = re.findall(r'^version = "(.*)"$', project, re.M)
    assert [image["newTag"] for image in kustomization["images"]] == [version]
    assert f":{version}\n" in (deploy / "kserve" / "serving_runtime.yaml").read_text()


def test_the_service_reaches_the_pods(load: Any) -> None:
    service, deployment = load("kustomize/service.yaml"), load("kustomize/deployment.yaml")
    template = deployment["spec"]["template"]
    assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    ports = {port["name"] for port in template["spec"]["containers"][0]["ports"]}
    assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def test_the_service_is_one_of_the_runtimes_models(load: Any) -> None:
    runtime, service = load(KSERVE[0]), load(KSERVE[1])
    model = service["spec"]["predictor"]["model"]
    formats = {each["name"] for each in runtime["spec"]["supportedModelFormats"]}
    assert model["modelFormat"]["name"] in formats
    assert model["runtime"] == runtime["metadata"]["name"]
    assert model["protocolVersion"] in runtime["spec"]["protocolVersions"]
