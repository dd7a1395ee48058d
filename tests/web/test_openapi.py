from __future__ import annotations

from web.served import Served

from anonymizer.web.app import operations_of
from anonymizer.web.openapi import path_parameters
from anonymizer.web.request_settings import FIELDS


def test_the_document_is_made_from_the_table(served: Served) -> None:
    document = served.client.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    operations = operations_of(served.api)
    assert {(path, method.upper()) for path, methods in document["paths"].items() for method in methods} == {
        (operation.path, operation.method) for operation in operations
    }
    redact = document["paths"]["/v1/redact"]["post"]
    assert set(FIELDS) <= {parameter["name"] for parameter in redact["parameters"]}
    assert {"200", "202", "400", "401", "403", "408", "413", "415", "422", "429", "500", "503"} <= set(
        redact["responses"]
    )
    assert set(redact["requestBody"]["content"]) == {"application/octet-stream", "multipart/form-data"}
    assert redact["security"] == [{"token": []}, {}]
    assert "security" not in document["paths"]["/health"]["get"]


def test_every_parameter_of_a_path_is_explained(served: Served) -> None:
    for operation in operations_of(served.api):
        explained = [parameter.name for parameter in operation.parameters if parameter.place == "path"]
        assert explained == path_parameters(operation.path)


def test_every_operation_has_a_name_of_its_own(served: Served) -> None:
    names = [operation.name for operation in operations_of(served.api)]
    assert len(set(names)) == len(names)
