"""Institution or citizen: no person is taken for an office, and hardly an office for a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from collectors.institutions import is_institution

CASES: dict[str, list[Any]] = YAML(typ="safe").load((Path(__file__).parent / "institution_cases.yml").read_text(encoding="utf-8"))


def test_persons_stay_persons() -> None:
    assert len(CASES["citizens"]) >= 50
    wrong = [name for name in CASES["citizens"] if is_institution(name)]
    assert len(wrong) <= 0.04 * len(CASES["citizens"]), wrong


def test_offices_companies_and_media_are_known() -> None:
    assert len(CASES["institutions"]) >= 40
    missed = [name for name in CASES["institutions"] if not is_institution(name)]
    assert len(missed) <= 0.05 * len(CASES["institutions"]), missed


def test_case_accents_and_marks_do_not_matter() -> None:
    names = ("COMISARÍA DE VITARTE", "comisaria de vitarte", "  Comisaría   de Vitarte ", "«Comisaría» de Vitarte")
    assert all(is_institution(name) for name in names)


def test_an_institution_is_context_and_a_committee_counts(lab: Any) -> None:
    rows = ["id;autor;texto;fecha", "1;Comisaría de Vitarte;Se les informa del operativo;05/04/2021 10:00"]
    rows += ["2;Junta vecinal Valdiviezo;Pedimos más patrullaje;05/04/2021 11:00", "3;;Sin firma;05/04/2021 12:00"]
    rows += ["4;Municipalidad de Ate;Vecino, lo atendemos;05/04/2021 13:00"]
    (lab.project / "data").mkdir(parents=True, exist_ok=True)
    (lab.project / "data" / "mensajes.csv").write_text("\n".join(rows), encoding="utf-8")
    columns = {"id": "id", "author": "autor", "text": ["texto"], "date": "fecha"}
    options = {"columns": columns, "delimiter": ";", "encoding": "utf-8"}
    publisher = {"authors": ["Municipalidad de Ate"]}
    crawled = lab.crawl([lab.source("tabla", "file", "data/mensajes.csv", options=options, publisher=publisher)])
    kinds = {item.native_id: item.kind for item in crawled.items("tabla")}
    assert kinds == {"1": "institution", "2": "manifestation", "3": "manifestation", "4": "official"}
