"""XMP sidecars: found with their picture in any order, read again when they change, forgotten when they go."""

from __future__ import annotations

import os

import pytest

from tests.ingest.scenes import Inline, Scene
from tests.pictures import jpeg, sidecar


@pytest.mark.parametrize("name", ["a.jpg.xmp", "a.xmp", "A.XMP", "a.JPG.Xmp"])
def test_a_sidecar_speaks_of_the_picture_beside_it_in_both_forms_of_names(scene: Scene, name: str) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.write("b.jpg", jpeg(2))
    scene.write(name, sidecar(rating=4, title="Harbour", tags=("Sea",)))
    assert scene.counts() == {"found": 2, "added": 2}
    known = scene.show("a.jpg")
    assert (known["rating"], known["title"], known["tags"]) == (4, "Harbour", [{"name": "Sea", "source": "sidecar"}])
    assert scene.show("b.jpg")["rating"] is None
    assert scene.library.search("harbour").total == 1
    assert scene.counts() == {"found": 2, "unchanged": 2}
    assert Inline.asked == []
    assert scene.sound()


def test_a_sidecar_may_come_after_its_picture_and_before_it(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.write("b.xmp", sidecar(title="Early"))
    assert scene.counts() == {"found": 1, "added": 1}
    scene.write("a.xmp", sidecar(title="Late"))
    scene.write("b.jpg", jpeg(2))
    assert scene.counts() == {"found": 2, "added": 1, "unchanged": 1}
    assert (scene.show("a.jpg")["title"], scene.show("b.jpg")["title"]) == ("Late", "Early")
    assert scene.library.search("late").total == scene.library.search("early").total == 1


def test_the_latest_reading_of_a_sidecar_replaces_earlier_ones(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.write("a.xmp", sidecar(rating=2, title="First", tags=("One",)))
    scene.add()
    scene.write("a.xmp", sidecar(rating=3, tags=("Two",)))
    assert scene.counts() == {"found": 1, "unchanged": 1}
    known = scene.show("a.jpg")
    assert (known["rating"], known["title"], [t["name"] for t in known["tags"]]) == (3, None, ["Two"])
    assert scene.library.search("first").total == 0
    scene.library.set(scene.path("a.jpg"), "rating", 5)
    os.remove(scene.path("a.xmp"))
    assert scene.counts() == {"found": 1, "unchanged": 1}
    known = scene.show("a.jpg")
    assert (known["rating"], known["tags"]) == (5, [])
    assert scene.sound()


def test_a_broken_sidecar_is_listed_and_what_it_said_before_stays_until_it_goes(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.write("a.xmp", sidecar(title="Harbour"))
    scene.add()
    scene.write("a.xmp", b"<x:xmpmeta broken")
    assert scene.counts() == {"found": 1, "unchanged": 1}
    assert scene.show("a.jpg")["title"] == "Harbour"
    assert [os.path.basename(p.path) for p in scene.library.failed()] == [b"a.xmp"]
    assert scene.counts() == {"found": 1, "unchanged": 1}
    assert Inline.asked == []
    os.remove(scene.path("a.xmp"))
    scene.add()
    assert scene.show("a.jpg")["title"] is None
    assert scene.library.failed() == []


def test_a_mended_sidecar_is_read(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.write("a.xmp", b"\0\0 no XML")
    scene.add()
    assert len(scene.library.failed()) == 1
    scene.write("a.xmp", sidecar(title="Harbour"))
    scene.add()
    assert (scene.show("a.jpg")["title"], scene.library.failed()) == ("Harbour", [])


def test_a_picture_moves_with_its_sidecar_or_without(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.write("a.xmp", sidecar(title="Harbour"))
    scene.add()
    scene.rename("a.jpg", "there/a.jpg")
    scene.rename("a.xmp", "there/a.xmp")
    assert scene.counts() == {"found": 1, "moved": 1}
    assert scene.show("there/a.jpg")["title"] == "Harbour"
    scene.rename("there/a.jpg", "alone/a.jpg")
    assert scene.counts() == {"found": 1, "moved": 1}
    assert scene.show("alone/a.jpg")["title"] is None


def test_many_sidecars_in_one_folder_are_read_in_few_transactions(scene: Scene) -> None:
    for n in range(150):
        scene.write(f"{n}.xmp", sidecar(title=f"Title {n}"))
    scene.write("7.jpg", jpeg(1))
    begun = []
    really = scene.library.catalog.transaction

    def counted(*, durable: bool) -> object:
        begun.append(durable)
        return really(durable=durable)

    scene.library.catalog.transaction = counted  # type: ignore[method-assign,assignment]
    scene.add()
    assert scene.show("7.jpg")["title"] == "Title 7"
    assert len(begun) < 20


def test_faces_that_a_sidecar_names_are_turned_as_its_picture_is(scene: Scene) -> None:
    face = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" '
        b'xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"><mwg-rs:Regions rdf:parseType="Resource">'
        b'<mwg-rs:RegionList><rdf:Bag><rdf:li><rdf:Description mwg-rs:Name="Anna" mwg-rs:Type="Face">'
        b'<mwg-rs:Area stArea:x="0.25" stArea:y="0.5" stArea:w="0.1" stArea:h="0.2" stArea:unit="normalized"/>'
        b"</rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
        b"</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    scene.write("a.jpg", jpeg(1, orientation=6))  # stored lying on its left side: x becomes y
    scene.write("a.xmp", face)
    scene.write("b.jpg", jpeg(2))
    scene.write("b.jpg.xmp", face)
    assert scene.counts() == {"found": 2, "added": 2}
    (turned,), (upright,) = scene.show("a.jpg")["people"], scene.show("b.jpg")["people"]
    assert turned == {"name": "Anna", "kind": "face", "box": pytest.approx([0.4, 0.2, 0.2, 0.1]), "source": "sidecar"}
    assert upright["box"] == pytest.approx([0.2, 0.4, 0.1, 0.2])
    assert [scene.library.search("anna").total] == [2]


def test_a_single_file_brings_its_sidecar_along(scene: Scene) -> None:
    one = scene.write("a.jpg", jpeg(1))
    scene.write("a.xmp", sidecar(title="Pier"))
    scene.write("b.jpg", jpeg(2))
    assert scene.counts(one) == {"found": 1, "added": 1}
    assert scene.show("a.jpg")["title"] == "Pier"
    assert scene.counts() == {"found": 2, "unchanged": 1, "added": 1}
    assert scene.show("a.jpg")["title"] == "Pier"
