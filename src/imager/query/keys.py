"""The keys that may stand before a colon (`camera:fuji`), in the languages that people write them in.

Each has one canonical name, by which `values` reads what follows. Names are compared without case, diacritics, '-' and
'_'. The completion offers the canonical names.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from imager.query.model import TEXT_FIELDS

SYNONYMS: Final[dict[str, str]] = {
    "text": "word words wort texte texto",
    "title": "titel titre titulo",
    "caption": "description beschreibung bildunterschrift legende descripcion",
    "date": "taken datum fecha aufgenommen",
    "before": "vor avant antes",
    "until": "bis jusque hasta to",
    "after": "nach apres despues",
    "since": "from seit ab depuis desde",
    "year": "jahr annee ano",
    "month": "monat mois mes",
    "on": "day jour dia",
    "camera": "kamera appareil camara make model",
    "lens": "objektiv objectif objetivo",
    "place": "ort lieu lugar location city country stadt land ville pays ciudad pais",
    "near": "around nahe bei pres cerca",
    "box": "bbox",
    "tag": "tags keyword keywords schlagwort stichwort motcle etiqueta",
    "person": "people who with mit avec con personen wer personne personnes persona personas",
    "creator": "author photographer by fotograf autor auteur photographe fotografo",
    "album": "albums",
    "kind": "type tipo",
    "colour": "color colours colors farbe couleur",
    "orientation": "shape ausrichtung orientacion",
    "file": "name filename datei dateiname fichier archivo",
    "folder": "in path dir directory ordner dossier carpeta",
    "state": "status zustand etat estado",
    "is": "ist est",
    "has": "hat tiene",
    "no": "without ohne sans sin",
    "rating": "stars bewertung sterne etoiles estrellas",
    "iso": "",
    "f": "aperture fnumber blende ouverture apertura",
    "shutter": "exposure exposuretime belichtung exposition obturateur obturador",
    "focal": "focallength mm brennweite focale",
    "width": "breite largeur ancho",
    "height": "hohe hoehe hauteur alto",
    "mp": "megapixel megapixels",
    "size": "bytes filesize grosse groesse taille tamano",
    "duration": "length dauer lange laenge duree duracion",
    "sort": "order sortby sortierung tri orden",
}
"""Canonical name → other names."""

TEXT_KEYS: Final = {f"text.{field}": field for field in TEXT_FIELDS}
"""Words within one field, for those that have no key of their own for it."""


def _names() -> dict[str, str]:
    names = {key: key for key in TEXT_KEYS}
    for key, others in SYNONYMS.items():
        names |= dict.fromkeys([key, *others.split()], key)
    return names


NAMES: Final = _names()
"""Every name → its canonical one."""


def canonical(name: str) -> str | None:
    """The canonical name of a key, however it is written; None where it is no key."""
    return NAMES.get(_plain(name))


def meant(name: str) -> str | None:
    """The known name that differs from `name` by a typing mistake: one, or two in a name of six letters and more."""
    plain = _plain(name)
    if len(plain) < 4:
        return None
    from rapidfuzz import process  # it takes a while to load, and few people make mistakes here
    from rapidfuzz.distance import OSA

    found = process.extractOne(
        plain,
        [known for known in NAMES if len(known) >= 4],
        scorer=OSA.distance,
        score_cutoff=1 if len(plain) < 6 else 2,
    )
    return None if found is None else str(found[0])


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in decomposed if c not in "-_" and not unicodedata.combining(c))
