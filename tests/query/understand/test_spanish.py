"""Spanish, phrase by phrase."""

from __future__ import annotations

import pytest

from tests.query.understand.reading import said

PHRASES = [
    ("agosto de 2018", "2018-08-01..2018-09-01"),
    ("24 de agosto de 2018", "2018-08-24..2018-08-25"),
    ("en mayo", "*-05"),
    ("el verano pasado", "2021-06-01..2021-09-01"),
    ("verano de 2019", "2019-06-01..2019-09-01"),
    ("la semana pasada", "2021-11-15..2021-11-22"),
    ("el mes pasado", "2021-10-01..2021-11-01"),
    ("el año pasado", "2020-01-01..2021-01-01"),
    ("los últimos 3 días", "2021-11-19..2021-11-23"),
    ("hace dos años", "2019-01-01..2020-01-01"),
    ("dos años atrás", "2019-01-01..2020-01-01"),
    ("antes de 2010", "..2010-01-01"),
    ("desde 2019", "2019-01-01.."),
    ("hasta 2015", "..2016-01-01"),
    ("de mayo a julio de 2020", "2020-05-01..2020-08-01"),
    ("desde 2015 hasta 2018", "2015-01-01..2019-01-01"),
    ("entre 2015 y 2018", "2015-01-01..2019-01-01"),
    ("los 90", "1990-01-01..2000-01-01"),
    ("años 90", "1990-01-01..2000-01-01"),
    ("los años 90", "1990-01-01..2000-01-01"),
    ("este día", "*-11-22"),
    ("navidad de 2018", "(*-12-24 or *-12-25 or *-12-26)? 2018-01-01..2019-01-01"),
    ("ayer", "2021-11-21..2021-11-22"),
    ("5 estrellas", "rating 5"),
    ("al menos 4 estrellas", "rating 4.."),
    ("4 estrellas o más", "rating 4.."),
    ("coche rojo", "[coche] red?"),
    ("casas blancas", "[casas] white?"),
    ("verde oscuro", "green?"),
    ("azul marino", "blue?"),
    ("blanco y negro", "black and white?"),
    ("sin perros", 'not "perros"'),
    ("sin perros ni gatos", 'not "perros" not "gatos"'),
    ("no borrosa", 'not "borrosa"'),
    ("sin personas", 'not (has person or "personas")'),
    ("fotos del verano pasado", "2021-06-01..2021-09-01"),
    ("retrato", "portrait?"),
    ("principalmente rojo", "red 40%"),
    ("este verano", "2021-06-01..2021-09-01"),
    ("el viernes pasado", "2021-11-19..2021-11-20"),
    ("el fin de semana pasado", "2021-11-20..2021-11-22"),
    ("en agosto de 2020", "2020-08-01..2020-09-01"),
    ("agosto", "*-08?"),
    ("mar de 2018", "2018-03-01..2018-04-01"),
    ("el mar", "[el mar]"),
    ("flores rojas", "[flores] red?"),
    ("ojos azules", "[ojos] blue?"),
    ("menos de 3 estrellas", "rating ..2"),
    ("12 megapíxeles", "megapixels 11.5..12.5"),
    ("con gps", "has position"),
    ("sin etiquetas", "not has tag"),
    ("cuadrado", "square?"),
    ("invierno 2020/21", "2020-12-01..2021-03-01"),
    ("nochebuena", "*-12-24?"),
    ("no rojo", "not red"),
    ("después de 2015", "2016-01-01.."),
    ("entre mayo y julio de 2020", "2020-05-01..2020-08-01"),
    ("hace tres meses", "2021-08-01..2021-09-01"),
    ("esta semana", "2021-11-22..2021-11-29"),
    ("sin city", "[sin city]"),
]


@pytest.mark.parametrize(("text", "meaning"), PHRASES, ids=[text for text, _ in PHRASES])
def test_a_phrase_in_spanish_means_what_people_mean(text: str, meaning: str) -> None:
    assert said(text) == meaning
